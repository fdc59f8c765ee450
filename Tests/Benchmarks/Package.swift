// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "runbook", path: "../..")],
  targets: [
    .target(name: "CAllocations"),
    .executableTarget(
      name: "cel-benchmark", dependencies: [.product(name: "CEL", package: "runbook"), "CAllocations"],
      exclude: ["peers.py"], swiftSettings: [.swiftLanguageMode(.v6)]),
  ])
