import Foundation
import Processes
import Schema
import Testing

/// A new project, from nothing to a run that passed.
@Suite struct InitTests {
  @Test("A new project validates and passes in the lab, with all of this repository's runbooks, checks and backup sets")
  func worksAtOnce() async throws {
    let place = try CommandLineProject()
    let made = try await place.runbook("init", "new/ops")
    #expect(made.status == 0, "\(made.stderr)")
    #expect(made.stdout.contains("cd new/ops\n  runbook run daily-health --lab\n"), "\(made.stdout)")

    let validated = try await place.runbook("validate", "--strict", "--project", "new/ops")
    #expect(validated.status == 0, "\(validated.stderr)")
    let runbooks = try FileManager.default.contentsOfDirectory(atPath: "\(place.root)/runbooks").sorted()
    let checks = try FileManager.default.contentsOfDirectory(atPath: "\(place.root)/checks").sorted()
    #expect(validated.stdout == "\(runbooks.count) runbooks, \(checks.count) checks, 1 backup set: no problems\n")
    let run = try await place.runbook(
      "run", "daily-health", "--lab", "--project", "new/ops", "-p", "packets=5", "--format", "json")
    #expect(run.status == 0, "\(run.stdout)\(run.stderr)")
    #expect(place.exists("new/ops/.runbook/runs"))

    for path in runbooks.map({ "runbooks/\($0)" }) + checks.map({ "checks/\($0)" }) + ["backups/coturn-config.yaml"] {
      #expect(try place.read("new/ops/\(path)") == place.read(path), "\(path)")
    }
  }

  @Test("A minimal project is one runbook, that of the README, and it passes in the lab")
  func minimal() async throws {
    let place = try CommandLineProject(isEmpty: true)
    let made = try await place.runbook("init", "--template", "minimal", "new")
    #expect(made.status == 0, "\(made.stderr)")
    #expect(
      try FileManager.default.subpathsOfDirectory(atPath: "\(place.root)/new").sorted() == [
        ".env", ".gitignore", "runbook.yaml", "runbooks", "runbooks/relay-works.yaml",
      ])
    #expect(try place.read("new/runbook.yaml") == "project: new\n")
    let validated = try await place.runbook("validate", "--strict", "--project", "new")
    #expect(validated.status == 0 && validated.stdout == "1 runbook, 0 checks: no problems\n", "\(validated.stderr)")
    let run = try await place.runbook("run", "relay-works", "--lab", "--project", "new")
    #expect(run.status == 0, "\(run.stdout)\(run.stderr)")
    let readme = try String(
      contentsOf: CommandLineProject.repositoryURL.appending(path: "README.md"), encoding: .utf8)
    #expect(readme.contains("```yaml\n\(try place.read("new/runbooks/relay-works.yaml"))```\n"))
  }

  @Test("A fleet has the same runbooks, targets with labels, and one with its password in .env")
  func fleet() async throws {
    let place = try CommandLineProject()
    let made = try await place.runbook("init", "--template", "fleet", "new")
    #expect(made.status == 0, "\(made.stderr)")
    #expect(made.stdout.hasSuffix("runbook run daily-health --target all\n"), "\(made.stdout)")
    let validated = try await place.runbook("validate", "--strict", "--project", "new")
    #expect(validated.status == 0, "\(validated.stdout)\(validated.stderr)")
    for path in try documents(of: place) {
      #expect(try place.read("new/\(path)") == place.read(path), "\(path)")
    }
    #expect(try place.read("new/.gitignore") == ".env\n.runbook\nbackups/vault\n*.key\nsecrets\n")
    // Which secrets are missing depends on which targets are chosen.
    let chosen = try await place.runbook("run", "daily-health", "--target", "region=eu", "--project", "new")
    #expect(chosen.status == 2)
    #expect(chosen.stderr.contains("TURN_FRANKFURT_CREDENTIAL is not set"), "\(chosen.stderr)")
    #expect(chosen.stderr.contains("TURN_STAGING_CREDENTIAL is not set") && !chosen.stderr.contains("singapore"))
    try place.write("new/.env", "TURN_FRANKFURT_CREDENTIAL=a-long-password\n")
    let doctor = try await place.runbook("doctor", "--offline", "--format", "json", "--project", "new")
    let secrets = try #require(try doctor.json["items"]?.array).filter {
      $0["subject"] == "secret" && !$0.text().contains("BACKUP_IDENTITY")
    }
    #expect(secrets.map { $0["state"] } == ["ok", "missing", "missing"], "\(doctor.stdout)")
  }

  /// This repository's own runbooks, checks and backup sets.
  private func documents(of place: CommandLineProject) throws -> [String] {
    try ["runbooks", "checks", "backups"].flatMap { folder in
      try FileManager.default.contentsOfDirectory(atPath: "\(place.root)/\(folder)").map { "\(folder)/\($0)" }
    }
  }

  @Test("Credentials are the owner's alone, git leaves them and the runs out, and no server is made up")
  func environmentFile() async throws {
    let place = try CommandLineProject()
    var command = place.command(["init"])
    let folder = "\(place.root)/no: “plain” name"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    command.directory = folder
    let made = place.output(of: try await command.run())
    #expect(made.status == 0, "\(made.stderr)")
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(folder)/.env")
    #expect(attributes[.posixPermissions] as? Int == 0o600)
    #expect(
      try String(contentsOfFile: "\(folder)/.gitignore", encoding: .utf8) == ".env\n.runbook\nbackups/vault\n*.key\n")
    let run = try await place.runbook("run", "daily-health", "--project", folder)
    #expect(run.status == 2)
    #expect(run.stderr.contains("the project has no target"), "\(run.stderr)")
    #expect(run.stderr.contains("TURN_SERVER"))
  }

  @Test("What is there already is named, and nothing at all is written")
  func refusesToOverwrite() async throws {
    let place = try CommandLineProject()
    try place.write("ops/.env", "TURN_SERVER=turn:192.0.2.1\n")
    try place.write("ops/checks/disk-space.yaml", "mine\n")
    let output = try await place.runbook("init", "ops")
    #expect(output.status == 2)
    #expect(output.stderr.contains("there is already checks/disk-space.yaml, .env in ops"), "\(output.stderr)")
    #expect(try place.read("ops/.env") == "TURN_SERVER=turn:192.0.2.1\n")
    #expect(!place.exists("ops/runbook.yaml"))
  }

  @Test("Nothing is written through a folder that is a link")
  func linkedFolder() async throws {
    let place = try CommandLineProject()
    try place.write("elsewhere/here", "")
    try place.write("ops/here", "")
    try FileManager.default.createSymbolicLink(
      atPath: "\(place.root)/ops/checks", withDestinationPath: "\(place.root)/elsewhere")
    let linked = try await place.runbook("init", "ops")
    #expect(linked.status == 2)
    #expect(linked.stderr.contains("there is already checks in ops"), "\(linked.stderr)")
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place.root)/elsewhere") == ["here"])
  }

  @Test("Names of folders are shown, and not obeyed by a terminal")
  func escapes() async throws {
    let place = try CommandLineProject()
    try place.write("a\u{1B}[31mb/runbook.yaml", "")
    #expect(
      try await place.runbook("init", "a\u{1B}[31mb").stderr.contains("there is already runbook.yaml in a\\u{1B}[31mb"))
  }

  @Test("A folder that cannot be made is named")
  func noFolder() async throws {
    let place = try CommandLineProject()
    try place.write("file", "")
    let output = try await place.runbook("init", "file/ops")
    #expect(output.status == 2)
    #expect(output.stderr.contains("cannot make the folder file/ops: Not a directory"), "\(output.stderr)")
  }
}
