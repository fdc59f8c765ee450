// swift-tools-version: 6.2
import PackageDescription

// What STUN and Probe declare is `package`: they are built here again, by links to their folders, so that the benchmark
// is of their package without being a product of the house.

let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")

let package = Package(
  name: "probe-benchmark",
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    .target(name: "CAllocations"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
    .target(name: "CDatagrams"),
    .target(name: "CLinux"),
    .target(name: "Addresses", swiftSettings: house),
    .target(name: "Schema", dependencies: ["Addresses"], swiftSettings: house),
    .target(name: "Processes", dependencies: ["CLinux"], swiftSettings: house),
    .target(name: "Connections", dependencies: ["Addresses", "CLinux"], swiftSettings: house),
    .target(name: "Names", dependencies: ["Addresses", "CAres", "Connections", "Processes"], swiftSettings: house),
    .target(name: "STUN", dependencies: ["Addresses", nioCore, crypto], swiftSettings: house),
    .target(
      name: "Probe",
      dependencies: ["Addresses", "Names", "Schema", "STUN", "CDatagrams", "COpenSSL", nioCore, nioPosix],
      swiftSettings: house),
    .executableTarget(
      name: "probe-benchmark", dependencies: ["Addresses", "Probe", "STUN", "CAllocations", nioCore, crypto],
      swiftSettings: house),
  ])
