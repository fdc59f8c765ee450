import Foundation
import Testing

/// What CONTRIBUTING.md names, and the change log's script.
@Suite struct ContributingTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
  }

  private func exists(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: Self.root.appending(path: path).path)
  }

  /// What stands between backticks.
  private func code(in text: String) -> [String] {
    text.split(separator: "\n").filter { !$0.hasPrefix("```") }.flatMap { line in
      line.split(separator: "`", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
        .map { String($0.element) }
    }
  }

  @Test("Every file, folder and test that it names is there")
  func names() throws {
    let names = code(in: try text("CONTRIBUTING.md"))
    let paths = names.filter {
      $0.contains("/") && !$0.contains(" ") && !$0.contains("NAME") && !$0.contains("SUBJECT")
    }
    #expect(paths.count > 10)
    for path in paths where path != "changes/backup-restore.md" { #expect(exists(path), "\(path)") }

    let folder = Self.root.appending(path: "Tests")
    let files = try #require(FileManager.default.enumerator(atPath: folder.path)).compactMap { $0 as? String }
    let suites = Set(files.map { URL(filePath: $0).deletingPathExtension().lastPathComponent })
    let tests = names.filter { $0.hasSuffix("Tests") && !$0.contains(" ") }
    #expect(tests.count > 5)
    for test in tests { #expect(suites.contains(test), "\(test)") }
  }

  @Test("Every decision is in the list of decisions")
  func decisions() throws {
    let list = try text("docs/decisions/README.md")
    let folder = Self.root.appending(path: "docs/decisions")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0 != "README.md" }
    #expect(files.count >= 5)
    for file in files { #expect(list.contains("(\(file))"), "\(file)") }
  }

  // MARK: The change log

  /// Runs the script in a repository of its own with these files of changes/.
  private func changelog(_ arguments: String, _ changes: [String: String]) throws -> (status: Int32, text: String) {
    let folder = FileManager.default.temporaryDirectory.appending(path: "runbook-changes-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    for name in ["changes", "scripts"] {
      try FileManager.default.createDirectory(
        at: folder.appending(path: name), withIntermediateDirectories: true)
    }
    try FileManager.default.copyItem(
      at: Self.root.appending(path: "scripts/changelog"), to: folder.appending(path: "scripts/changelog"))
    let log = "# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-01-02)\n\n- The first.\n"
    try log.write(to: folder.appending(path: "CHANGELOG.md"), atomically: true, encoding: .utf8)
    for (name, text) in changes {
      try text.write(to: folder.appending(path: "changes/\(name)"), atomically: true, encoding: .utf8)
    }
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = [
      "-c", "git init -q . && git add . && scripts/changelog \(arguments) && cat CHANGELOG.md && ls changes",
    ]
    process.currentDirectoryURL = folder
    (process.standardOutput, process.standardError) = (output, output)
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test("A release moves the lines below its version, by kind")
  func release() throws {
    let (status, text) = try changelog(
      "release 0.2.0",
      [
        "backup.md": "Fixed: A link is kept.\nAdded: `backup restore`.\n", "people.md": "Added: `approve`.\n",
        "README.md": "How.\n",
      ])
    #expect(status == 0, "\(text)")
    let day = text.split(separator: "## 0.2.0 (").last?.prefix(10) ?? ""
    #expect(
      text == """
        # Changelog

        ## Unreleased

        ## 0.2.0 (\(day))

        ### Added

        - `backup restore`.
        - `approve`.

        ### Fixed

        - A link is kept.

        ## 0.1.0 (2026-01-02)

        - The first.
        README.md

        """)
  }

  @Test(
    "A line of another form, an empty file and a name that is no subject are told",
    arguments: [
      ("backup.md", "added: a thing.\n", "changes/backup.md:1: a line reads"),
      ("backup.md", "Added: a thing\n", "changes/backup.md:1: a line reads"),
      ("backup.md", "", "changes/backup.md: it is empty"),
      ("Backup.txt", "Added: A thing.\n", "changes/Backup.txt: a file here is named for its subject"),
    ])
  func form(name: String, text: String, message: String) throws {
    let (status, output) = try changelog("check", [name: text])
    #expect(status != 0)
    #expect(output.contains(message), "\(output)")
  }
}
