// swift-tools-version: 6.2
import PackageDescription

/// Swift 6 language mode and the upcoming features of the house, warnings as errors, for every target of ours.
let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
  .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: house)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], resources: [Resource] = []
) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, resources: resources, swiftSettings: house)
}

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

let package = Package(
  name: "runbook",
  products: [
    .executable(name: "runbook", targets: ["runbook"]),
    .library(name: "CEL", targets: ["CEL"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLibarchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
    .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
    .systemLibrary(name: "LibRE2", pkgConfig: "re2", providers: [.apt(["libre2-dev"])]),
    .target(name: "CCurl"),
    .target(name: "CDatabases"),
    .target(name: "CDatagrams"),
    .target(name: "CIsolation"),
    .target(name: "CLibgit2"),
    .target(name: "CLinux"),
    .target(name: "CRE2", dependencies: ["LibRE2"]),

    library("Addresses"),
    library("SQLite", ["CDatabases"]),
    library("Files", ["CLinux"]),
    library("TerminalText"),
    library("Schema", ["Addresses", "TerminalText"]),
    library("CEL", ["CRE2"]),
    library("Journal", ["Schema", "CLinux", "Files", crypto]),
    library("Schedules", ["Journal", "Schema"]),
    library("Notices", ["Schema"]),
    library("Steps", ["Backups", "Notices", "Schema", "Journal"]),
    library(
      "Language",
      [
        "Addresses", "Age", "Backups", "CEL", "Files", "Journal", "Notices", "Schedules", "Schema", "Steps",
        "TerminalText",
        yams,
      ]),
    library("Engine", ["Language", "Schema", "Steps", "Journal", crypto]),
    library("STUN", ["Addresses", nioCore, crypto]),
    library("Probe", ["Addresses", "Names", "Schema", "STUN", "CDatagrams", "CLinux", "COpenSSL", nioCore, nioPosix]),
    library("Processes", ["CLinux"]),
    library("Isolation", ["Addresses", "CIsolation", "Processes"]),
    library("Names", ["Addresses", "CAres", "Connections", "Processes"]),
    library("Connections", ["Addresses", "CLinux"]),
    library("HTTP", ["Addresses", "CCurl", "Connections", "Names", "Processes", "Schema"]),
    library("Docker", ["Files", "HTTP", "Schema"]),
    library("Notify", ["Files", "HTTP", "Journal", "Notices", "Processes", "Schema"]),
    library("Lab", ["Processes", "COpenSSL", "CLinux", "Files"]),
    library("Archive", ["CLibarchive"]),
    library("Git", ["CLibgit2"]),
    library("Age", [crypto]),
    library("Backups", ["Age"]),
    library("Vault", ["Age", "Archive", "Backups", "Files", "Git", "SQLite", "Schema", "TerminalText", crypto]),
    library("Logs", ["Archive", "CLinux", "CRE2", "Schema"]),
    library("Coturn", ["Addresses", "Logs", "Schema", crypto]),
    library(
      "Modules",
      [
        "Addresses", "Age", "Backups", "CDatabases", "CLinux", "Connections", "Coturn", "Docker", "Files", "HTTP",
        "Isolation", "Journal",
        "Logs",
        "Names", "Notices", "Notify",
        "Probe", "Processes", "SQLite", "Schema", "Steps", "STUN", "Vault",
      ]),
    library(
      "Runs",
      [
        "Engine", "Files", "Journal", "Language", "Notices", "Notify", "Processes", "Schedules", "Schema", "Steps",
      ]),
    library("Ledger", ["Schema", "Journal"]),
    library("Reports", ["Schema", "Journal", "TerminalText"]),
    library(
      "Commands",
      [
        "Addresses", "Age", "Backups", "CLinux", "Coturn", "Engine", "Files", "Journal", "Lab", "Language", "Ledger",
        "Logs",
        "Modules", "Notices", "Notify", "Probe", "Processes", "Reports", "Runs", "Schedules", "Schema", "Steps",
        "TerminalText", "Vault",
        argumentParser, logging,
      ],
      // What `runbook init` writes, links to this repository's own runbooks and checks but for one, and to the rules of the language,
      // which `runbook validate --format sarif` explains.
      resources: [
        "container-running",
        "announce", "backup-fresh", "backup-offsite", "coturn-auth", "coturn-config", "coturn-config-audit",
        "coturn-sessions",
        "coturn-versions",
        "daily-health",
        "daily-host-review",
        "daily-log-review", "disk-space", "host-tuning", "http-health", "log-errors", "monthly-config-backup",
        "monthly-update-check", "outage-cause", "p1-outage", "p2-degradation", "p2-error-rate",
        "quarterly-dr-restore-test", "quarterly-failover-test", "quarterly-security-audit", "rehearse-upgrade",
        "relay-works", "service-resources", "stun-binding", "tls-expiry",
        "tls-files", "troubleshoot-turn", "turn-relay", "turn-service", "weekly-cert-expiry", "weekly-security-review",
      ].map { .embedInCode("FirstProject/\($0).yaml") } + [.embedInCode("Validation/language.md")]),
    .executableTarget(name: "runbook", dependencies: ["Commands"], swiftSettings: house),

    .target(
      name: "TestSupport", dependencies: ["Schema", "Journal", "Steps", "Processes", "Lab", "CLinux"],
      path: "Tests/TestSupport", exclude: ["Peers"], swiftSettings: house),
    tests("AddressesTests", ["Addresses"]),
    tests("ArchitectureTests", []),
    .executableTarget(
      name: "FilesProbe", dependencies: ["Files"], path: "Tests/FilesProbe", swiftSettings: house),
    tests("FilesTests", ["Files", "FilesProbe", "TestSupport"]),
    tests("TerminalTextTests", ["TerminalText", "TestSupport"]),
    tests("SchemaTests", ["Schema"]),
    tests("CELTests", ["CEL"]),
    tests("CELConformance", ["CEL"]),
    .executableTarget(
      name: "JournalProbe", dependencies: ["Journal", "Schema"], path: "Tests/JournalProbe", swiftSettings: house),
    tests("JournalTests", ["Files", "Journal", "JournalProbe", "Schema", "TestSupport"], exclude: ["Fixtures"]),
    tests("SchedulesTests", ["Journal", "Schedules", "Schema", "TestSupport"]),
    tests("StepsTests", ["Steps", "Schema", "Journal"]),
    tests("LanguageTests", ["CEL", "Language", "Schema", "Journal", "Steps"]),
    tests("EngineTests", ["Engine", "Language", "Schema", "Steps", "Journal", "TestSupport"]),
    tests("STUNTests", ["Addresses", "STUN", "TestSupport", crypto, nioCore]),
    tests(
      "ProbeTests", ["Addresses", "COpenSSL", "Lab", "Probe", "STUN", "Schema", "TestSupport", nioCore, nioPosix],
      exclude: ["Peers"]),
    tests("IsolationTests", ["Addresses", "Isolation", "Processes", "TestSupport"]),
    tests("ProcessesTests", ["Processes", "TestSupport"]),
    tests("ConnectionsTests", ["Addresses", "Connections", "TestSupport"]),
    tests("NamesTests", ["Addresses", "Names", "TestSupport"]),
    tests("HTTPTests", ["Addresses", "Connections", "HTTP", "Names", "Schema", "TestSupport"]),
    tests("DockerTests", ["Docker", "Journal", "Modules", "Processes", "Schema", "Steps", "TestSupport"]),
    tests("NotifyTests", ["HTTP", "Journal", "Notices", "Notify", "Processes", "Schema", "TestSupport"]),
    tests("LabTests", ["Lab", "Processes", "TestSupport"]),
    tests(
      "ModulesTests",
      [
        "Addresses", "Age", "Backups", "Coturn", "Files", "HTTP", "Isolation", "Journal", "Lab", "Language", "Modules",
        "Probe", "Processes",
        "Schema",
        "Steps", "STUN", "TestSupport", "Vault",
      ]),
    tests("ArchiveTests", ["Archive", "Processes", "TestSupport"]),
    tests("LogsTests", ["Archive", "Logs", "Processes", "Schema", "TestSupport"]),
    tests("CoturnTests", ["Addresses", "Coturn", "Logs", "Processes", "Schema", "TestSupport"]),
    tests("GitTests", ["Git", "Processes", "TestSupport"]),
    tests("AgeTests", ["Age", "Processes", "TestSupport"]),
    tests(
      "VaultTests",
      ["Age", "Archive", "Backups", "Files", "Git", "Processes", "Schema", "TestSupport", "Vault", crypto]),
    tests(
      "RunsTests",
      ["Engine", "Journal", "Language", "Ledger", "Modules", "Reports", "Runs", "Schema", "Steps", "TestSupport"]),
    tests("LedgerTests", ["Ledger", "Journal", "Schema", "TestSupport"]),
    tests("ReportsTests", ["Reports", "Journal", "Processes", "Schema", "TestSupport"]),
    tests(
      "CommandsTests",
      ["Age", "Backups", "Commands", "runbook", "Journal", "Lab", "Processes", "Schema", "TestSupport", "Vault"]),
  ],
  cxxLanguageStandard: .cxx17
)
