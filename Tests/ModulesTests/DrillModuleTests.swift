import Age
import Backups
import Files
import Foundation
import Glibc
import Journal
import Processes
import STUN
import Schema
import Steps
import TestSupport
import Testing
import Vault

@testable import Isolation
@testable import Modules

/// Servers that are booted from real backups, beside a production that runs at the same time.
@Suite(.serialized, .enabled(if: geteuid() == 0)) struct DrillModuleTests {
  private let ground: DrillModuleGround

  init() throws { ground = try DrillModuleGround() }

  private var production: Value { TURNServer.record.encode(ground.server) }

  @Test(
    "Production on the same ports, with the same files, of the same user, hears nothing of a drill, and the drill nothing of it"
  )
  func beside() async throws {
    try ground.backUp()
    let account = try #require(ServiceAccount("turnserver"))
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/setpriv")
    process.arguments = [
      "--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups", "turnserver", "-c",
      "\(ground.root)/etc/turnserver.conf",
    ]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      // By force: what it does in ending is nobody's subject here.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let deadline = ContinuousClock.now + .seconds(60)
    while !stunBinding(port: ground.port), .now < deadline { try await Task.sleep(for: .milliseconds(20)) }
    func sessions() -> Int {
      ground.folder.read("run/turnserver.log").split(separator: "\n").count { $0.contains(": new, realm") }
    }
    func files() -> [String] {
      ["etc/turnserver.conf", "run/turnserver.pid"].map { ground.folder.read($0) }
        + ["etc/turndb"].map {
          (try? Data(contentsOf: ground.folder.url.appending(path: $0)))?.base64EncodedString() ?? ""
        }
    }
    func identity(_ name: String) -> UInt {
      var status = stat()
      return stat("\(ground.root)/\(name)", &status) == 0 ? UInt(status.st_ino) : 0
    }
    // What production has counted, once so many of its clients have gone.
    func usage(of clients: Int) async throws -> [String: Int] {
      var sums: [String: Int] = [:]
      while true {
        let lines = ground.folder.read("run/turnserver.log").split(separator: "\n").filter {
          $0.contains(" usage: realm=")
        }
        if lines.count >= 2 * clients || .now >= deadline {
          #expect(lines.count == 2 * clients, "\(lines.joined(separator: "\n"))")
          for line in lines {
            for figure in line.matches(of: #/[ ,](?<name>[rs][pb])=(?<count>\d+)/#) {
              let name = (line.contains(" peer usage: ") ? "peer " : "") + figure.output.name
              sums[name, default: 0] += Int(figure.output.count) ?? 0
            }
          }
          return sums
        }
        try await Task.sleep(for: .milliseconds(20))
      }
    }
    let (before, log) = (files(), identity("run/turnserver.log"))
    _ = try await ground.relay(production)
    let perRelay = sessions()
    #expect(perRelay == 2)
    let counted = try await usage(of: perRelay)
    let data = try #require(counted["peer rb"])
    #expect(data > 0 && counted["peer sb"] == data, "\(counted)")

    let booted = try await ground.boot()
    let drilled = try #require(booted.output["server"])
    // Both serve at the same time: each counts its own clients and no other.
    async let one = ground.relay(production)
    async let other = ground.relay(drilled)
    for result in try await [one, other] { #expect(result.objection == nil, "\(result)") }
    for _ in 0..<3 { _ = try await ground.relay(drilled) }
    #expect(sessions() == 2 * perRelay)
    let during = try await usage(of: 2 * perRelay)
    #expect(during["peer rb"] == 2 * data && during["peer sb"] == 2 * data, "\(during), before: \(counted)")
    for _ in 0..<2 { _ = try await ground.relay(drilled) }
    #expect(try await usage(of: 2 * perRelay) == during)
    // A port of production is asked from 20 sockets: all reach production.
    for _ in 0..<20 { #expect(stunBinding(port: ground.port)) }
    let host = try ground.host(of: booted.output)
    let command = try await host.command("grep", ["-c", ": new, realm", "\(ground.root)/run/turnserver.log"]).run()
    // Its log goes on from a copy of what production had logged when it began.
    #expect(command.standardOutput.text == "\(perRelay + 6 * perRelay)\n", "\(command.standardOutput.text)")
    try await ground.stop(booted.output)

    #expect(try await usage(of: 2 * perRelay) == during)
    _ = try await ground.relay(production)
    #expect(sessions() == 3 * perRelay)
    #expect(try await usage(of: 3 * perRelay)["peer rb"] == 3 * data)
    #expect(files() == before)
    #expect(identity("run/turnserver.log") == log)
    #expect(process.isRunning)
    // What the drill was reached by leads nowhere now, and not to production.
    let gone = try await stepError { _ = try await ground.relay(drilled) }
    #expect(gone.finding.code == "transport.broken", "\(gone)")
  }

  @Test("What is looked at below the root of a drill is the drill's file, and not this host's of the same name")
  func look() async throws {
    try ground.backUp()
    let booted = try await ground.boot()
    let host = try ground.host(of: booted.output)
    chmod("\(ground.root)/etc/turnserver.conf", 0o600)
    _ = try await host.command("ln", ["-s", "\(ground.root)/etc", "\(ground.root)/link"]).run()
    for name in ["etc", "link"] {
      let way = try FileStatus.way(to: "\(host.root)\(ground.root)/\(name)/turnserver.conf")
      #expect(way.last?.mode == S_IFREG | 0o644, "\(way.map(\.text))")
      #expect(way.last?.path == "\(host.root)\(ground.root)/etc/turnserver.conf")
    }
    try await ground.stop(booted.output)
  }

  @Test("A server that forks away is found all the same, and ends with the drill")
  func daemon() async throws {
    try ground.write(ground.configuration("daemon"))
    try ground.backUp()
    let booted = try await ground.boot()
    #expect(try await ground.relay(try #require(booted.output["server"])).objection == nil)
    let host = try ground.host(of: booted.output)
    #expect(host.processes().map(\.name).contains("turnserver"))
    try await ground.stop(booted.output)
    #expect(!host.isRunning)
    #expect(access("\(ground.root)/run/turnserver.log", F_OK) != 0)
    #expect(access("\(ground.root)/run/turnserver.pid", F_OK) != 0)
  }

  @Test(
    "A program that never listens, that ends, and that fills the disk, fails by name, and leaves nothing",
    arguments: [
      ("sleep 1000", "drill.notListening", "/udp"),
      ("echo something is wrong; exit 3", "drill.serverEnded", "something is wrong"),
      ("dd if=/dev/zero of=/var/tmp/runbook-fill bs=1M; exit 1", "drill.serverEnded", "No space left"),
      ("setsid sleep 1000 & exit 0", "drill.notListening", "/udp"),
    ])
  func poor(script: String, code: String, words: String) async throws {
    try ground.folder.write(
      "#!/bin/sh\n[ \"$1\" = --version ] && echo 4.6.1 && exit\n\(script)\n", to: "bin/server", mode: 0o755)
    try ground.backUp()
    let before = try ground.holders()
    let refusal = try await ground.refusal(
      .init("binary", .string("\(ground.root)/bin/server")), .init("patience", .duration(.milliseconds(400))),
      .init("size", .int(16 << 20)))
    // The disk is full only once it was written.
    #expect(refusal.code == code || script.hasPrefix("dd") && refusal.code == "drill.notListening", "\(refusal)")
    #expect(refusal.text.contains(words) || script.hasPrefix("dd"), "\(refusal)")
    #expect(access("/var/tmp/runbook-fill", F_OK) != 0)
    #expect(try ground.holders() == before)
  }

  @Test("A file that the configuration names and the backup lacks is named, though this host has it")
  func missingFile() async throws {
    try ground.folder.write("secret", to: "elsewhere/key")
    try ground.write(ground.configuration("secret-key-file=\(ground.root)/elsewhere/key"))
    try ground.backUp()
    let refusal = try await ground.refusal()
    #expect(refusal.code == "drill.fileNotInBackup" && refusal.kind == .failed, "\(refusal)")
    #expect(refusal.text.contains("\(ground.root)/elsewhere/key (secret-key-file)"), "\(refusal)")
  }

  @Test("A link in the backup to a file that it lacks is no file")
  func link() async throws {
    try ground.folder.write("dh", to: "elsewhere/dh.pem")
    symlink("\(ground.root)/elsewhere/dh.pem", "\(ground.root)/etc/dh.pem")
    try ground.write(ground.configuration("dh-file=\(ground.root)/etc/dh.pem"))
    let set = BackupSet(
      name: "conf", paths: ["\(ground.root)/etc"], links: .keep,
      recipients: [ground.identity.recipient, AgeIdentity().recipient])
    let time = try #require(Timestamp(seconds: Int64(time(nil)), nanoseconds: 0))
    _ = try BackupCreation(
      of: set, outputs: [], vault: "\(ground.root)/vault", key: ContentKey(file: "\(ground.root)/key"), host: "turn1",
      now: { time }
    ).make()
    let refusal = try await ground.refusal()
    #expect(refusal.code == "drill.fileNotInBackup", "\(refusal)")
    #expect(refusal.text.contains("dh.pem"), "\(refusal)")
  }

  @Test("A backup without the configuration, with a program of its own, and with users elsewhere, is told by name")
  func refused() async throws {
    try ground.folder.write("#!/bin/sh\n", to: "usr/bin/turnserver", mode: 0o755)
    try ground.backUp("etc", "usr")
    #expect(try await ground.refusal().code == "drill.programInBackup")
    try ground.backUp("etc/turndb")
    #expect(try await ground.refusal().code == "drill.configurationMissing")
    try ground.write(ground.configuration("psql-userdb=host=127.0.0.1 dbname=coturn"))
    try ground.backUp("etc")
    let users = try await ground.refusal()
    #expect(users.code == "drill.usersElsewhere" && users.kind == .broken, "\(users)")
    #expect(try await ground.refusal(.init("user", .string("no-such-user-here"))).code == "drill.userMissing")
    #expect(try await ground.refusal(.init("binary", .string("no-such-server"))).code == "drill.programMissing")
  }

  @Test("Hooks of a unit in the backup are not run, and told")
  func hooks() async throws {
    try ground.folder.write(
      "[Service]\nExecStartPre=/bin/sh -c 'touch \(ground.root)/hooked'\nExecStart=/usr/bin/turnserver\n",
      to: "etc/coturn.service")
    try ground.backUp()
    let booted = try await ground.boot()
    #expect(booted.objection?.finding.code == "drill.hooksNotRun")
    #expect(booted.output["hooks"] == .list([.string("ExecStartPre=/bin/sh -c 'touch \(ground.root)/hooked'")]))
    #expect(access("\(ground.root)/hooked", F_OK) != 0)
    try await ground.stop(booted.output)
  }

  @Test("A namespace that is this host's own is refused by probes: a drill is never asked of production")
  func ownNetwork() async throws {
    var server = ground.server
    server.namespace = "/proc/self/ns/net"
    let error = try await stepError { _ = try await ground.relay(TURNServer.record.encode(server)) }
    #expect(error.finding.message.contains("it is this host's own network"), "\(error)")
  }
}
