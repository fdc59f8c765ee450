import Age
import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// Whether everything is here that the runbooks need, and what to type if not.
@Suite struct DoctorTests {
  /// A project with one runbook, `look`, of these steps.
  private func project(_ steps: String..., head: String = "") throws -> CommandLineProject {
    let project = try CommandLineProject(isEmpty: true)
    try project.write("runbook.yaml", "project: test\n")
    try project.write(
      "runbooks/look.yaml", "runbook: look\n\(head)steps:\n" + steps.map { "  - \($0)\n" }.joined())
    return project
  }

  private static let disk = "{id: disk, use: host.disk, with: {path: /}, expect: [output.used < 100.0]}"
  private static let relay =
    "{id: relay, use: stun.binding, with: {server: \"${target}\"}, expect: [output.responses > 0]}"

  private func items(_ output: CommandLineProject.Output, _ subject: String) throws -> [JSON] {
    try (output.json["items"]?.array ?? []).filter { $0["subject"] == .string(subject) }
  }

  @Test("A project whose needs are met is sound: its server answers, and its password is nowhere to be seen")
  func sound() async throws {
    let project = try project(Self.disk, Self.relay)
    let server = try await Coturn.start()
    let output = try await project.runbook(["doctor", "--format", "json"], environment: server.environment)
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    let json = try output.json
    #expect(json["schema"] == "runbook.doctor/1" && json["sound"] == true && json["offline"] == false)
    #expect(json["project"] == .string(project.root) && json["runbook"] == .null)
    let target = try #require(try items(output, "target").first)
    #expect(target["state"] == "ok" && target["name"] == "default", "\(target)")
    let secret = try #require(try items(output, "secret").first)
    #expect(secret["reason"] == "it is there, from TURN_CREDENTIAL of the environment")
    let text = try await project.runbook(["doctor"], environment: server.environment)
    #expect(text.status == 0)
    #expect(!(text.stdout + text.stderr + output.stdout).contains(Coturn.credential))
  }

  @Test("A server that answers no Binding request and serves TURN is there all the same")
  func withoutSTUN() async throws {
    let project = try project(Self.relay)
    let server = try DatagramServer { request in
      // An Allocate (RFC 8656) is answered with 401, its realm and nonce missing; a Binding request not at all.
      guard request.count >= 20, request[0] == 0, request[1] == 3 else { return nil }
      return [0x01, 0x13, 0, 8] + request[4..<20] + [0, 9, 0, 4, 0, 0, 4, 1]
    }
    let output = try await project.runbook(
      ["doctor", "--format", "json"], environment: ["TURN_SERVER": "turn:127.0.0.1:\(server.port)"])
    let target = try #require(try items(output, "target").first)
    #expect(target["state"] == "ok", "\(target)")
    #expect(target["reason"] == .string("turn:127.0.0.1:\(server.port): it answers (TURN; no STUN)"))
  }

  @Test("A target that cannot be reached is missing, with what to type; --offline asks nobody")
  func unreachable() async throws {
    let project = try project(Self.relay)
    let environment = ["TURN_SERVER": "turn:127.0.0.1:9"]
    let output = try await project.runbook(["doctor", "--format", "json"], environment: environment)
    #expect(output.status == 1)
    let target = try #require(try items(output, "target").first)
    #expect(target["state"] == "missing")
    #expect(target["reason"]?.string?.hasPrefix("turn:127.0.0.1:9: ") == true, "\(target)")
    #expect(target["fix"] == "runbook probe turn 'turn:127.0.0.1:9'")
    #expect(target["neededBy"] == ["look"])
    let offline = try await project.runbook(["doctor", "--offline", "--format", "json"], environment: environment)
    #expect(offline.status == 0, "\(offline.stdout)")
    #expect(try items(offline, "target").isEmpty)
    #expect(try offline.json["offline"] == true)
  }

  @Test(
    "A set with too few recipients, one that is not there, and a key that others may read are missing before a backup is made"
  )
  func vault() async throws {
    let create = "{id: a, use: backup.create, with: {set: conf}}"
    let project = try project(create, "{id: b, use: backup.create, with: {set: other}}")
    try project.write("backups/conf.yaml", "backup: conf\npaths: [/etc/hostname]\n")
    try project.write(".runbook/backup.key", String(repeating: "a", count: 64))
    #expect(chmod("\(project.root)/.runbook/backup.key", 0o644) == 0)
    let output = try await project.runbook("doctor", "--format", "json")
    #expect(output.status == 1, "\(output.stdout)\(output.stderr)")
    let found = try items(output, "vault")
    #expect(
      found.map { $0["name"]?.string } == [
        "set conf", "set other", "\(project.root)/backups/vault", "\(project.root)/.runbook/backup.key",
      ])
    #expect(found.map { $0["state"]?.string } == ["missing", "missing", "ok", "missing"], "\(found)")
    #expect(found.first?["reason"] == "it is encrypted to 0 recipients, and needs 2")
    #expect(found.first?["neededBy"] == ["runbooks/look.yaml:3"])
    try project.write(
      "runbook.yaml",
      "project: test\nvault:\n  recipients:\n    - \(AgeIdentity().recipient)\n    - \(AgeIdentity().recipient)\n")
    let set = try #require(try items(try await project.runbook("doctor", "--format", "json"), "vault").first)
    #expect(set["state"] == "ok" && set["reason"] == "2 recipients can open its backups", "\(set)")
  }

  @Test("A name that does not resolve is said to be one")
  func unresolved() async throws {
    let project = try project(Self.relay)
    let output = try await project.runbook(
      ["doctor", "--format", "json"], environment: ["TURN_SERVER": "turn:nowhere.invalid"])
    let target = try #require(try items(output, "target").first)
    #expect(target["state"] == "missing" && target["fix"] == "getent ahosts nowhere.invalid", "\(target)")
  }

  @Test("A runbook that needs a target in a project without one is told so")
  func noTarget() async throws {
    let output = try await project(Self.relay).runbook("doctor", "--format", "json")
    #expect(output.status == 1)
    let target = try #require(try items(output, "target").first)
    #expect(target["reason"] == "the project has no target" && target["fix"]?.string?.contains("TURN_SERVER") == true)
    // Where nothing needs one, none is asked for.
    let without = try await project(Self.disk).runbook("doctor", "--format", "json")
    #expect(without.status == 0, "\(without.stdout)")
    #expect(try items(without, "target").isEmpty && items(without, "sockets").isEmpty)
  }

  @Test("A program that a step starts and that is not here is missing; where runs may pass without, it is a warning")
  func programs() async throws {
    let missing = try project(
      "{id: a, use: command.run, effect: observe, with: {command: [no-such-tool]}}",
      "{id: b, use: command.run, effect: observe, with: {command: [\"true\"]}}")
    let output = try await missing.runbook("doctor", "--format", "json")
    #expect(output.status == 1)
    let items = try items(output, "program")
    #expect(items.map { $0["name"] } == ["no-such-tool", "true"])
    try #require(items.map { $0["state"] } == ["missing", "ok"])
    #expect(items[0]["neededBy"] == ["runbooks/look.yaml:3"])
    #expect(items[0]["fix"] == "apt-file search --regexp '/s?bin/no-such-tool$'")
    let text = try await missing.runbook("doctor")
    #expect(text.stdout.hasPrefix("MISSING  program no-such-tool\n"), "\(text.stdout)")
    #expect(text.stdout.contains("  fix        apt-file search"), "\(text.stdout)")

    let optional = try project(
      "{id: a, use: command.run, effect: observe, with: {command: [no-such-tool]}, if: run.id == ''}", Self.disk)
    let warned = try await optional.runbook("doctor", "--format", "json")
    #expect(warned.status == 0, "\(warned.stdout)")
    #expect(try self.items(warned, "program").map { $0["state"] } == ["warning"])
  }

  @Test("A program that a module starts by itself is looked for only where a step has it started")
  func programsOfModules() async throws {
    let patterns = "patterns: {errors: {match: ERROR}}"
    let journal = try project("{id: a, use: log.review, with: {journal: {units: [coturn]}, \(patterns)}}")
    let output = try await journal.runbook("doctor", "--format", "json")
    let item = try #require(try items(output, "program").first)
    #expect(item["name"] == "journalctl" && item["neededBy"] == ["runbooks/look.yaml:3"])
    let files = try project("{id: a, use: log.review, with: {files: [/var/log/x.log], \(patterns)}}")
    #expect(try items(try await files.runbook("doctor", "--format", "json"), "program").isEmpty)
  }

  @Test("A unix socket that a step connects to is there, or missing, or no socket")
  func unixSockets() async throws {
    func sockets(_ path: String) async throws -> [JSON] {
      let step = "{id: a, use: http.request, with: {url: \"http://localhost/_ping\", unixSocket: \(path)}}"
      let project = try project(step)
      return try items(try await project.runbook("doctor", "--format", "json"), "sockets")
    }
    let folder = try TemporaryFolder()
    try folder.write("", to: "file")
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(folder.path)/there".utf8) }
    let bound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    try #require(bound == 0)
    for (name, state) in [("there", "ok"), ("file", "missing"), ("absent", "missing")] {
      let items = try await sockets("\(folder.path)/\(name)")
      #expect(items.map { $0["name"] } == ["network", .string("\(folder.path)/\(name)")], "\(items)")
      #expect(items.last?["state"] == .string(state), "\(items)")
      #expect(items.last?["neededBy"] == ["runbooks/look.yaml:3"])
    }
  }

  @Test("Programs that modules start by themselves are named, and missing only beside the process that they ask")
  func programsBesideProcesses() async throws {
    let project = try project(
      "{id: log, use: coturn.log, with: {journal: {units: [coturn.service]}}}",
      "{id: version, use: coturn.version}", "{id: clock, use: host.clock, expect: [output.synchronised]}",
      "{id: call, use: turn.relay, with: {server: \"${target}\", correlate: {journal: {units: [coturn]}, tie: origin}}}"
    )
    let output = try await project.runbook("doctor", "--offline", "--format", "json")
    let items = try items(output, "program")
    #expect(items.map { $0["name"] } == ["journalctl", "dpkg-query", "chronyc"], "\(output.stdout)")
    #expect(items[0]["neededBy"] == ["runbooks/look.yaml:3", "runbooks/look.yaml:6"])
    #expect(items[1]["state"] == "ok" && items[2]["state"] == "ok")
    let file = try self.project(
      "{id: call, use: turn.relay, with: {server: \"${target}\", correlate: {log: /var/log/x.log, tie: origin}}}")
    #expect(try self.items(try await file.runbook("doctor", "--offline", "--format", "json"), "program").isEmpty)
  }

  @Test(
    "A runbook that validates and cannot be started with any target is missing, with what to give; with some, it is a warning"
  )
  func start() async throws {
    let certificate = "{id: certificate, use: tls.certificate, if: params.tls, with: {server: \"${target}\"}}"
    let project = try project(certificate, Self.disk, head: "params: {tls: {type: bool, default: true}}\n")
    let plain = ["TURN_SERVER": "turn:127.0.0.1:9"]
    let output = try await project.runbook(["doctor", "look", "--offline", "--format", "json"], environment: plain)
    #expect(output.status == 1, "\(output.stdout)")
    let item = try #require(try items(output, "runbook").first)
    #expect(item["state"] == "missing" && item["neededBy"] == ["runbooks/look.yaml:4"], "\(item)")
    #expect(
      item["reason"] == "a run cannot start: the step \"certificate\": turn:127.0.0.1:9 is not encrypted", "\(item)")
    let fix = try #require(item["fix"]?.string)
    #expect(fix.contains("TURN_TLS_SERVER") && fix.hasSuffix("or leave the step out with -p tls=false"), "\(fix)")
    // What it advises is so, and a run says the same.
    let refused = try await project.runbook(["run", "look"], environment: plain)
    #expect(refused.status == 2 && refused.stderr.contains("-p tls=false"), "\(refused.stderr)")
    #expect(try await project.runbook(["run", "look", "-p", "tls=false"], environment: plain).status == 0)
    let secure = try await project.runbook(
      ["doctor", "look", "--offline", "--format", "json"],
      environment: plain.merging(["TURN_TLS_SERVER": "turns:127.0.0.1:9"]) { $1 })
    #expect(try items(secure, "runbook").map { $0["reason"] } == ["it validates"], "\(secure.stdout)")
    try project.write(
      "runbook.yaml",
      "project: test\ntargets:\n  a: {server: \"turn:127.0.0.1:9\"}\n  b: {server: \"turns:127.0.0.1:9\"}\n")
    let some = try await project.runbook("doctor", "look", "--offline", "--format", "json")
    let warning = try #require(try items(some, "runbook").first)
    #expect(warning["state"] == "warning" && warning["reason"]?.string?.contains("on a: ") == true, "\(warning)")
    try project.write(
      "runbooks/look.yaml",
      "runbook: look\nparams: {path: {type: path}}\nsteps:\n  - {id: a, use: file.exists, with: {path: \"${params.path}\"}}\n"
    )
    let more = try await project.runbook("doctor", "look", "--offline", "--format", "json")
    #expect(
      try items(more, "runbook").map { $0["reason"] } == ["it validates; a run needs more: give it with -p path=…"])
  }

  @Test("A unix socket that a param names is looked for at the param's default")
  func socketOfParam() async throws {
    let step = "{id: a, use: http.request, with: {url: \"http://docker/_ping\", unixSocket: \"${params.socket}\"}}"
    let project = try project(step, head: "params: {socket: {type: path, default: /nonexistent/docker.sock}}\n")
    let items = try items(try await project.runbook("doctor", "--format", "json"), "sockets")
    #expect(items.map { $0["name"] } == ["network", "/nonexistent/docker.sock"], "\(items)")
    #expect(items.last?["state"] == "missing")
  }

  @Test("Secrets are missing, there, or readable by everybody; never shown")
  func secrets() async throws {
    let project = try project(
      "{id: a, use: command.run, effect: observe, with: {command: [\"true\"], secretEnv: {T: \"${secrets.token}\", F: \"${secrets.file}\"}}}",
      head: "secrets:\n  token: {env: TOKEN}\n  file: {file: token.txt}\n  more: {env: MORE, optional: true}\n")
    let absent = try await project.runbook("doctor", "--format", "json")
    #expect(absent.status == 1)
    let missing = try items(absent, "secret")
    try #require(missing.map { $0["state"] } == ["missing", "missing", "ok"], "\(absent.stdout)")
    #expect(missing[0]["fix"] == "set TOKEN in the environment or in .env")
    #expect(missing[0]["neededBy"] == ["runbooks/look.yaml:3"])
    // Another runbook that needs it makes no second item of it.
    try project.write(
      "runbooks/second.yaml",
      "runbook: second\nallow: [observe]\nsecrets:\n  token: {env: TOKEN}\nsteps:\n  - {id: a, use: command.run, effect: observe, with: {command: [\"true\"], secretEnv: {T: \"${secrets.token}\"}}}\n"
    )
    let twice = try items(try await project.runbook("doctor", "--format", "json"), "secret")
    #expect(twice.count == 3, "\(twice)")
    #expect(twice.first?["neededBy"] == ["runbooks/look.yaml:3", "runbooks/second.yaml:4"], "\(twice)")
    #expect(
      missing[1]["fix"]
        == .string("write it into the file, for this user alone: (umask 077; cat >\(project.root)/token.txt)"),
      "\(missing[1])")
    try project.write("token.txt", "in-the-file-4711\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: "\(project.root)/token.txt")
    let there = try await project.runbook(
      ["doctor", "--format", "json"], environment: ["TOKEN": "in-the-environment-4712"])
    #expect(there.status == 0, "\(there.stdout)")
    let found = try items(there, "secret")
    try #require(found.map { $0["state"] } == ["ok", "warning", "ok"])
    #expect(found[1]["fix"] == .string("chmod o= \(project.root)/token.txt"))
    #expect(!there.stdout.contains("4711") && !there.stdout.contains("4712"))
    #expect(found[0]["reason"] == "it is there, from TOKEN of the environment")
    try project.write(".env", "TOKEN=in-the-environment-4713\n")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(project.root)/.env")
    let inFile = try items(try await project.runbook("doctor", "--format", "json"), "secret")
    #expect(inFile.first?["reason"] == "it is there, from TOKEN of .env", "\(inFile)")
  }

  @Test("Runs that cannot be recorded, and a state folder that is none, are missing")
  func state() async throws {
    let project = try project(Self.disk)
    try project.write("file", "")
    for path in ["file", "file/state"] {
      let output = try await project.runbook(
        ["doctor", "--format", "json"], environment: ["RUNBOOK_STATE": "\(project.root)/\(path)"])
      #expect(output.status == 1)
      #expect(try items(output, "state").map { $0["state"] } == ["missing"], "\(output.stdout)")
    }
    let fresh = try await project.runbook("doctor", "--format", "json")
    #expect(try items(fresh, "state").map { $0["reason"] } == ["the first run makes it"])
    #expect(!project.exists(".runbook"))
    try await project.runbook("run", "look")
    let used = try await project.runbook("doctor", "--format", "json")
    #expect(try items(used, "state").first?["reason"]?.string?.hasPrefix("this user can record runs; ") == true)
  }

  @Test("A runbook with problems leaves its needs unknown, and names how to see them; others are looked at")
  func brokenRunbook() async throws {
    let project = try project(Self.disk)
    try project.write("runbooks/broken.yaml", "runbook: broken\nsteps: []\n")
    let output = try await project.runbook("doctor", "--format", "json")
    #expect(output.status == 1)
    let runbooks = try items(output, "runbook")
    #expect(runbooks.map { $0["name"] } == ["broken", "look"])
    try #require(runbooks.map { $0["state"] } == ["unknown", "ok"])
    #expect(runbooks[0]["fix"] == "runbook validate runbooks/broken.yaml")
    let one = try await project.runbook("doctor", "look", "--format", "json")
    #expect(one.status == 0, "\(one.stdout)")
    #expect(try one.json["runbook"] == "look")
    let unknown = try await project.runbook("doctor", "lok")
    #expect(unknown.status == 2 && unknown.stderr.contains("did you mean \"look\"?"), "\(unknown.stderr)")
  }

  @Test("Outside of a project, and in one that cannot be read, it still says what it sees")
  func noProject() async throws {
    let empty = try CommandLineProject(isEmpty: true)
    let output = try await empty.runbook("doctor", "--format", "json")
    #expect(output.status == 1)
    #expect(try items(output, "project").map { $0["fix"] } == ["runbook init"])
    #expect(try items(output, "clock").count == 1)
    try empty.write("runbook.yaml", "project: test\nno-such-key: 1\n")
    let unreadable = try await empty.runbook("doctor", "--format", "json")
    #expect(unreadable.status == 1)
    let item = try #require(try items(unreadable, "project").first)
    #expect(item["state"] == "missing" && item["reason"]?.string?.contains("no-such-key") == true, "\(item)")
    let wrong = try await empty.runbook("doctor", "--project", "nowhere")
    #expect(wrong.status == 2)
  }

  @Test("A clock that the kernel does not tell of is unknown, and that is no pass")
  func clock() async throws {
    let project = try project(Self.disk)
    let tracing = ["-f", "-qq", "-o", "\(project.root)/trace", "-e", "trace=adjtimex,clock_adjtime"]
    let refusal = ["-e", "inject=adjtimex,clock_adjtime:error=EPERM", CommandLineProject.executable]
    let output = project.output(
      of: try await project.command(tracing + refusal + ["doctor", "--format", "json"], program: "strace").run())
    #expect(output.status == 1, "\(output.stderr)")
    let item = try #require(try items(output, "clock").first)
    #expect(
      item["state"] == "unknown" && item["reason"]?.string?.contains("Operation not permitted") == true, "\(item)")
  }

  @Test("docs/doctor.md names every subject and state, and every member")
  func document() async throws {
    let url = CommandLineProject.repositoryURL.appending(path: "docs/doctor.md")
    let document = try String(contentsOf: url, encoding: .utf8)
    let output = try await project(Self.relay).runbook("doctor", "--format", "json")
    guard case .object(let members) = try output.json else { return #expect(Bool(false), "no object") }
    for member in members { #expect(document.contains("`\(member.name)`"), "\(member.name)") }
    guard case .object(let item)? = try output.json["items"]?.array?.first else {
      return #expect(Bool(false), "no item")
    }
    for member in item { #expect(document.contains("`\(member.name)`"), "\(member.name)") }
    let sources = CommandLineProject.repositoryURL.appending(path: "Sources/Commands/Doctor/Diagnosis.swift")
    let cases = try String(contentsOf: sources, encoding: .utf8).matches(of: /(?m)^    case ([a-z]+)$/)
    #expect(cases.count >= 14)
    for name in cases.map(\.1) { #expect(document.contains("| `\(name)` |"), "\(name)") }
  }
}
