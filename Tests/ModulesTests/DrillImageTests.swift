import Foundation
import Glibc
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Isolation
@testable import Modules

/// Servers of an image's root file system, which are booted with restored files.
@Suite(.serialized, .enabled(if: geteuid() == 0)) struct DrillImageTests {
  private let ground: DrillModuleGround
  private let image: String

  init() throws {
    ground = try DrillModuleGround()
    // Its parent is nobody's but root's: the server must not need the folder itself.
    mkdir("\(ground.root)/private", 0o700)
    image = "\(ground.root)/private/image"
    mkdir(image, 0o755)
    try ImageRoot.make(at: image)
    try ground.backUp()
  }

  private func move(_ name: String, to other: String) throws {
    let folder = URL(filePath: "\(image)/\(other)").deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try FileManager.default.moveItem(atPath: "\(image)/\(name)", toPath: "\(image)/\(other)")
  }

  private var ofImage: Value.Member { .init("image", .string(image)) }

  @Test("It boots with its own libraries and the restored files, whatever its links say, and the folder stays as it is")
  func boots() async throws {
    // Both links lead to this host's files for whoever does not have the image for his root.
    try move("usr/bin/turnserver", to: "opt/only-here/turnserver")
    rmdir("\(image)/usr/local/bin")
    mkdir("\(image)/usr/local", 0o755)
    symlink("/opt/only-here", "\(image)/usr/local/bin")
    let top = try #require(ground.root.split(separator: "/").first)
    try FileManager.default.createDirectory(atPath: "\(image)/srv/elsewhere", withIntermediateDirectories: true)
    rmdir("\(image)/\(top)")
    symlink("/srv/elsewhere", "\(image)/\(top)")
    let before = try ImageRoot.listing(of: image)

    let booted = try await ground.boot(ofImage)
    #expect(booted.output["version"] == .string("4.6.1"))
    let relayed = try await ground.relay(try #require(booted.output["server"]))
    #expect(relayed.objection == nil, "\(relayed)")
    let host = try ground.host(of: booted.output)
    let server = try #require(host.processes().first { $0.name == "turnserver" }).pid
    let root = try await host.command("readlink", ["/proc/\(server)/root"]).run().standardOutput.text
    #expect(root == "/run/image\n")
    let maps = try await host.command("cat", ["/proc/\(server)/maps"]).run().standardOutput.text
    let files = Set(maps.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) })
      .filter { $0.hasPrefix("/") && !$0.hasPrefix("/dev/zero") }
    #expect(files.contains { $0.contains("/libc.so") } && files.contains { $0.hasSuffix("/opt/only-here/turnserver") })
    #expect(files.filter { !$0.hasPrefix("/run/image/") } == [])
    // It has no right that a server of this host has not in a drill.
    let status = try await host.command("cat", ["/proc/\(server)/status"]).run().standardOutput.text
    let account = try #require(ServiceAccount("turnserver"))
    #expect(status.contains("Uid:\t\(account.user)\t\(account.user)\t\(account.user)\t"), "\(status)")
    #expect(status.contains("CapEff:\t0000000000000000") && status.contains("NoNewPrivs:\t1"), "\(status)")
    let groups = status.split(separator: "\n").first { $0.hasPrefix("Groups:") }.map {
      Set($0.split(separator: "\t").last?.split(separator: " ").compactMap { UInt32($0) } ?? [])
    }
    #expect(groups == Set(account.groups))

    guard case .string(let configuration) = booted.output["configuration"],
      case .string(let place) = booted.output["root"]
    else {
      Issue.record("no configuration: \(booted.output)")
      return
    }
    #expect(place == "\(host.root)/run/image")
    #expect(configuration.hasPrefix("\(place)/srv/elsewhere/"), "\(configuration)")
    #expect(try String(contentsOfFile: configuration, encoding: .utf8) == ground.folder.read("etc/turnserver.conf"))
    try await ground.stop(booted.output)
    #expect(try ImageRoot.listing(of: image) == before)
    #expect(access("\(ground.root)/run/turnserver.log", F_OK) != 0)
  }

  @Test("A database of users that the image brings is not taken for that of the backup")
  func foreign() async throws {
    let database = "var/lib/turn/turndb"
    let folder = URL(filePath: "\(image)/\(database)").deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data("of the image".utf8).write(to: URL(filePath: "\(image)/\(database)"))
    let booted = try await ground.boot(ofImage)
    guard case .string(let place) = booted.output["root"] else { throw Absent() }
    #expect((try? String(contentsOfFile: "\(place)/\(database)", encoding: .utf8)) != "of the image")
    try await ground.stop(booted.output)
    #expect(try String(contentsOfFile: "\(image)/\(database)", encoding: .utf8) == "of the image")
  }

  private struct Absent: Error {}

  /// What is wrong with a folder that is given for an image.
  enum Fault: String, CaseIterable {
    case missing, file, programMissing, loaderMissing, libraryMissing, circle
  }

  @Test(
    "A folder from which nothing can be booted is told, and nothing of this host is booted in its place",
    arguments: Fault.allCases)
  func unfit(_ fault: Fault) async throws {
    var given = image
    let words: String
    switch fault {
    case .missing: (given, words) = ("\(image)/nowhere", "nowhere")
    case .file: (given, words) = ("\(image)/etc/passwd", "is not a folder")
    case .programMissing:
      unlink("\(image)/usr/bin/turnserver")
      words = "it has no program turnserver"
    case .loaderMissing:
      unlink("\(image)/lib64/ld-linux-x86-64.so.2")
      unlink("\(image)/lib/ld-linux-aarch64.so.1")
      words = "the loader or interpreter that it names is missing"
    case .libraryMissing:
      let found = FileManager.default.enumerator(atPath: image)?.compactMap { $0 as? String } ?? []
      let library = try #require(found.first { $0.contains("/libevent_core") })
      unlink("\(image)/\(library)")
      words = "error while loading shared libraries: libevent_core"
    case .circle:
      unlink("\(image)/usr/bin/turnserver")
      symlink("/usr/bin/turnserver", "\(image)/usr/bin/turnserver")
      words = "it has no program turnserver"
    }
    let refusal = try await ground.refusal(.init("image", .string(given)))
    #expect(refusal.code == "drill.imageUnfit" && refusal.kind == .notStarted, "\(refusal)")
    #expect(refusal.text.contains(words), "\(refusal)")
    #expect(try ground.holders() == [])
  }

  @Test("A restored file that the service's user cannot reach in the image is named")
  func hidden() async throws {
    let top = try #require(ground.root.split(separator: "/").first)
    chmod("\(image)/\(top)", 0o700)
    let refusal = try await ground.refusal(ofImage)
    #expect(refusal.code == "drill.fileUnreadable" && refusal.text.contains("in the image"), "\(refusal)")
  }
}
