import Foundation
import Testing

/// The manifest against the table of docs/architecture.md.
@Suite struct ArchitectureTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private struct Description: Decodable {
    struct Target: Decodable {
      let name: String
      let path: String
      let targets: [String]?
      let products: [String]?

      enum CodingKeys: String, CodingKey {
        case name
        case path
        case targets = "target_dependencies"
        case products = "product_dependencies"
      }
    }

    let targets: [Target]
  }

  /// What each target of Sources/ imports, as the package manager sees it.
  private func described() throws -> [String: Set<String>] {
    let scratch = FileManager.default.temporaryDirectory.appending(path: "runbook-describe-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: scratch) }
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "swift", "package", "--package-path", Self.root.path, "--scratch-path", scratch.path, "describe", "--type",
      "json",
    ]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    let targets = try JSONDecoder().decode(Description.self, from: data).targets
    return Dictionary(
      uniqueKeysWithValues: targets.filter { $0.path.hasPrefix("Sources/") }.map { target in
        (target.name, Set((target.targets ?? []) + (target.products ?? [])))
      })
  }

  /// The table's rows: name and imports.
  private func documented() throws -> [String: String] {
    let text = try String(contentsOf: Self.root.appending(path: "docs/architecture.md"), encoding: .utf8)
    let section = try #require(text.split(separator: "\n## ").first { $0.hasPrefix("Targets\n") })
    var rows: [String: String] = [:]
    for line in section.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      rows[cells[0].trimmingCharacters(in: ["`"])] = cells[2]
    }
    return rows
  }

  @Test("Every target is in the table with what it imports, and the table names no other")
  func table() throws {
    let described = try described()
    let documented = try documented()
    #expect(Set(described.keys) == Set(documented.keys))
    for (name, imports) in described {
      guard let cell = documented[name], cell != "all of them" else { continue }
      let listed = cell == "–" ? [] : Set(cell.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) })
      #expect(imports == listed, "\(name)")
    }
  }

  /// What produces events, what consumes them, what puts both together, and what both stand on.
  private static let sides: [(name: String, targets: Set<String>)] = [
    (
      "before the journal",
      [
        "Language", "Engine", "Steps", "Modules", "Probe", "STUN", "Processes", "Isolation", "Names", "Connections",
        "Docker", "HTTP", "Lab",
        "Logs", "Coturn", "Notify", "Vault",
      ]
    ),
    ("behind the journal", ["Ledger", "Reports"]),
    ("above both", ["Runs", "Commands", "runbook"]),
    (
      "the ground",
      [
        "Addresses", "Age", "Archive", "Backups", "CAres", "CCurl", "CDatabases", "CDatagrams", "CEL", "CIsolation",
        "CLibarchive", "CLibgit2",
        "CLinux", "COpenSSL", "CRE2", "Files", "Git", "Journal", "LibRE2", "Notices", "Schedules", "Schema", "SQLite",
        "TerminalText",
      ]
    ),
  ]

  /// Calls that make, change or remove files and folders.
  private static let writingCalls = [
    "O_CREAT", "mkdir(", "mkdirat(", "unlink(", "rmdir(", "renameat(", "ftruncate(", "fsync(", "fdatasync(", "fchown(",
    ".createDirectory(", ".createFile(", ".createSymbolicLink(", ".removeItem(", ".moveItem(", ".copyItem(",
    ".write(to:",
  ]

  @Test("What is on the disk is written by Files, and by nobody else")
  func writes() throws {
    // The output of a process that outlives us goes to a file that it is given open.
    let allowed = ["Files/", "Processes/CommandExecution.swift"]
    let sources = Self.root.appending(path: "Sources")
    let paths = try #require(FileManager.default.enumerator(atPath: sources.path)).compactMap { $0 as? String }
      .filter { path in path.hasSuffix(".swift") && !allowed.contains { path.hasPrefix($0) } }
    #expect(paths.count > 400)
    var others: [String] = []
    for path in paths {
      let text = try String(contentsOf: sources.appending(path: path), encoding: .utf8)
      guard Self.writingCalls.contains(where: text.contains) else { continue }
      for line in text.split(separator: "\n") where !line.drop(while: { $0 == " " }).hasPrefix("//") {
        if Self.writingCalls.contains(where: line.contains) { others.append("\(path): \(line)") }
      }
    }
    #expect(others == [])
  }

  @Test("Every target stands on one side of the journal, and neither side imports the other, nor the ground a side")
  func wall() throws {
    let described = try described()
    let (before, behind, above, ground) = (
      Self.sides[0].targets, Self.sides[1].targets, Self.sides[2].targets, Self.sides[3].targets
    )
    #expect(Self.sides.flatMap(\.targets).sorted() == described.keys.sorted())
    for (name, imports) in described {
      if !above.contains(name) { #expect(imports.isDisjoint(with: above), "\(name)") }
      if before.contains(name) { #expect(imports.isDisjoint(with: behind), "\(name)") }
      if behind.contains(name) { #expect(imports.isDisjoint(with: before), "\(name)") }
      if ground.contains(name) { #expect(imports.isDisjoint(with: before.union(behind)), "\(name)") }
    }
    #expect(described["Engine"]?.contains("Modules") == false)
    #expect(described["Modules"]?.isDisjoint(with: ["Engine", "Language"]) == true)
    #expect(described["Reports"]?.contains("Ledger") == false)
  }
}
