import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// `tls.files` on files as they lie about.
@Suite(.serialized) struct CertificateFileTests {
  private let chains: CertificateChains
  private static let shared = Result { try makeChains() }

  init() throws { chains = try Self.shared.get() }

  private static func makeChains() throws -> CertificateChains {
    let chains = try CertificateChains()
    try chains.make("root", .authority, days: 3650)
    try chains.make("intermediate", .authority, by: "root", days: 1000)
    try chains.make("leaf", .server("DNS:turn.example.com"), by: "intermediate", days: 51)
    try chains.make("other", .server("DNS:turn.example.com"), by: "intermediate", days: 51)
    try chains.join("fullchain.pem", ["leaf.pem", "intermediate.pem"])
    return chains
  }

  private func look(
    _ certificate: String, key: String? = nil, ca: String? = "root.pem", _ members: Value.Member...
  ) async throws -> StepResult<Value> {
    var all: [Value.Member] = [.init("certificate", .string(chains.file(certificate)))] + members
    if let key { all.append(.init("key", .string(chains.file(key)))) }
    if let ca { all.append(.init("ca", .string(chains.file(ca)))) }
    return try await run("tls.files", all)
  }

  private func code(_ result: StepResult<Value>) -> String? { result.objection?.finding.code }
  private func message(_ result: StepResult<Value>) -> String { result.objection?.finding.message ?? "" }

  @Test("A whole chain and its key pass, with days left over the path; the key everybody can read is a warning")
  func good() async throws {
    try chains.write(chains.read("leaf.key"), to: "private.key", mode: 0o600)
    let result = try await look(
      "fullchain.pem", key: "private.key", .init("names", text("turn.example.com")))
    #expect(result.objection == nil, "\(message(result))")
    #expect(result.output["daysLeft"] == .int(50))
    #expect(result.output["endsFirst"] == .string("CN=leaf"))
    #expect(result.output["trusted"] == .bool(true))
    #expect(result.output["keyMatches"] == .bool(true))
    guard case .list(let held)? = result.output["certificates"] else {
      Issue.record("no certificates")
      return
    }
    #expect(held.map { $0["subject"] } == [.string("CN=leaf"), .string("CN=intermediate")])

    try chains.write(chains.read("leaf.key"), to: "open.key", mode: 0o644)
    let open = try await look("fullchain.pem", key: "open.key")
    #expect(open.objection?.severity == .warn)
    #expect(code(open) == "tls.keyReadableByAll")
  }

  @Test("Names, dates and trust are judged as if the file were served")
  func judged() async throws {
    let named = try await look("fullchain.pem", .init("names", text("turn.example.com", "stun.example.com")))
    #expect(code(named) == "tls.nameMismatch")
    #expect(message(named).contains("is not for stun.example.com; it is for turn.example.com"), "\(message(named))")
    let alone = try await look("leaf.pem")
    #expect(code(alone) == "tls.untrusted")
    #expect(alone.output["daysLeft"] == .null)
    try chains.make("ended", .server("DNS:turn.example.com"), by: "root", start: "-50h", days: 1)
    let ended = try await look("ended.pem")
    #expect(code(ended) == "tls.expired")
    #expect(ended.output["daysLeft"] == .int(-2))
  }

  @Test("A key of another certificate, or of a later one in the file, fails")
  func keys() async throws {
    let other = try await look("fullchain.pem", key: "other.key")
    #expect(code(other) == "tls.keyMismatch")
    #expect(message(other).contains("is the key of no certificate in"))
    #expect(other.output["keyMatches"] == .bool(false))
    try chains.join("reversed.pem", ["intermediate.pem", "leaf.pem"])
    let reversed = try await look("reversed.pem", key: "leaf.key")
    #expect(code(reversed) == "tls.keyMismatch")
    #expect(message(reversed).contains("is the key of certificate 2 in"), "\(message(reversed))")
    let withoutKey = try await look("reversed.pem")
    #expect(code(withoutKey) == "tls.keyMismatch")
    #expect(
      message(withoutKey).contains("CN=intermediate, is the issuer of another one in it"), "\(message(withoutKey))")
  }

  @Test("An odd order behind the server's own certificate is a note, and so is the root")
  func order() async throws {
    try chains.join("odd.pem", ["leaf.pem", "root.pem", "intermediate.pem"])
    let odd = try await look("odd.pem", key: nil)
    #expect(odd.objection == nil, "\(message(odd))")
    guard case .list(let notes)? = odd.output["notes"] else {
      Issue.record("no notes")
      return
    }
    #expect(notes.count == 2)
  }

  @Test("CRLF, a byte order mark, text between the blocks, and certificate and key in one file are read")
  func forms() async throws {
    try chains.write(chains.read("fullchain.pem").replacing("\n", with: "\r\n"), to: "crlf.pem")
    try chains.write("\u{FEFF}" + chains.read("fullchain.pem"), to: "marked.pem")
    for name in ["crlf.pem", "marked.pem"] {
      let result = try await look(name)
      #expect(result.objection == nil, "\(name): \(message(result))")
      #expect(result.output["subject"] == .string("CN=leaf"), "\(name)")
    }
    try chains.write(
      "Bag Attributes\n  friendlyName: turn\n" + chains.read("leaf.key") + "\nissuer=x\n"
        + chains.read("fullchain.pem"),
      to: "combined.pem", mode: 0o600)
    let combined = try await look("combined.pem", key: "combined.pem")
    #expect(combined.objection == nil, "\(message(combined))")
    #expect(combined.output["keyMatches"] == .bool(true))
    try chains.openssl(["ecparam", "-name", "prime256v1", "-genkey", "-out", "parameters.key"])
    try chains.make("with-parameters", .server("DNS:turn.example.com"), by: "root", key: "parameters")
    let parameters = try await look("with-parameters.pem", key: "parameters.key")
    #expect(parameters.output["keyMatches"] == .bool(true), "\(message(parameters))")
  }

  /// A file that cannot be used, and what is said of it.
  struct Bad: Sendable, CustomTestStringConvertible {
    let certificate: String
    var key: String?
    let says: String
    var testDescription: String { "\(certificate) \(key ?? "")" }

    static let all: [Bad] = [
      .init(certificate: "none.pem", says: "No such file or directory"),
      .init(certificate: "empty.pem", says: "holds nothing, and no certificate"),
      .init(certificate: "leaf.key", says: "holds a PRIVATE KEY, and no certificate in PEM"),
      .init(certificate: "leaf.der", says: "holds a certificate in DER"),
      .init(certificate: "leaf.p12", says: "holds binary data"),
      .init(certificate: "words.txt", says: "holds something else"),
      .init(certificate: "cut.pem", says: "certificate 2 of "),
      .init(certificate: "garbled.pem", says: "certificate 1 of "),
      .init(certificate: "folder", says: "is no regular file"),
      .init(certificate: "pipe", says: "is no regular file"),
      .init(certificate: "huge.pem", says: "no file of certificates"),
      .init(certificate: "fullchain.pem", key: "leaf.pem", says: "holds a CERTIFICATE, and no private key"),
      .init(certificate: "fullchain.pem", key: "none.key", says: "No such file or directory"),
      .init(certificate: "fullchain.pem", key: "public.key", says: "holds a PUBLIC KEY, and no private key"),
      .init(certificate: "fullchain.pem", key: "empty.pem", says: "holds nothing, and no private key"),
    ]
  }

  private func makeBadFiles() throws {
    let whole = chains.read("fullchain.pem")
    for (name, text) in [
      "empty.pem": "", "words.txt": "certificate\n",
      "cut.pem": String(whole.dropLast(100)), "huge.pem": whole + String(repeating: " ", count: 2 << 20),
      "garbled.pem": chains.read("leaf.pem").replacing("MII", with: "!!!"), "folder/x": "",
    ] { try chains.write(text, to: name) }
    try chains.openssl(["x509", "-in", "leaf.pem", "-outform", "der", "-out", "leaf.der"])
    try chains.openssl(
      ["pkcs12", "-export", "-in", "leaf.pem", "-inkey", "leaf.key", "-passout", "pass:x", "-out", "leaf.p12"])
    try chains.openssl(["pkey", "-in", "leaf.key", "-pubout", "-out", "public.key"])
    try #require(mkfifo(chains.file("pipe"), 0o600) == 0)
  }

  @Test("A file that is missing, damaged or something else fails, and says what it is")
  func badFiles() async throws {
    try makeBadFiles()
    for bad in Bad.all {
      let error = try await stepError { _ = try await look(bad.certificate, key: bad.key) }
      #expect(error.kind == .failed, "\(bad.testDescription)")
      #expect(error.finding.code == "tls.fileUnusable", "\(bad.testDescription)")
      #expect(error.finding.message.contains(bad.says), "\(bad.testDescription): \(error.finding.message)")
    }
  }

  @Test("A key under a passphrase is an error: nobody can tell whose it is")
  func lockedKey() async throws {
    try chains.openssl(["pkcs8", "-topk8", "-in", "leaf.key", "-out", "locked.key", "-passout", "pass:lost"])
    try chains.openssl(["ec", "-aes128", "-in", "leaf.key", "-out", "traditional.key", "-passout", "pass:lost"])
    for key in ["locked.key", "traditional.key"] {
      let error = try await stepError { _ = try await look("fullchain.pem", key: key) }
      #expect(error.kind == .broken)
      #expect(error.finding.code == "tls.fileUnreadable")
      #expect(error.finding.message.contains("under a passphrase"), "\(error.finding.message)")
    }
  }

  @Test("A CA file that holds none, and a user that is not there, are errors")
  func wrongInputs() async throws {
    let ca = try await stepError { _ = try await look("fullchain.pem", ca: "leaf.key") }
    #expect(ca.kind == .broken)
    #expect(ca.finding.code == "tls.configuration")
    for user in ["no-such-user", "", "1:2:3", "1:x"] {
      let error = try await stepError { _ = try await look("fullchain.pem", .init("user", .string(user))) }
      #expect(error.kind == .broken)
      #expect(error.finding.code == "host.userUnknown")
    }
  }

  // MARK: Who can read

  /// Whether the kernel lets a user read a file.
  private func kernelLets(user: uid_t, groups: [gid_t], read path: String) throws -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/setpriv")
    let list = groups.isEmpty ? ["--clear-groups"] : ["--groups", groups.map(String.init).joined(separator: ",")]
    process.arguments = ["--reuid", "\(user)", "--regid", "\(groups.first ?? user)"] + list + ["cat", path]
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  /// Owner, group and mode of the folder and of the file in it, and the user who wants to read.
  struct Place: Sendable, CustomTestStringConvertible {
    let folder: (owner: uid_t, group: gid_t, mode: mode_t)
    let file: (owner: uid_t, group: gid_t, mode: mode_t)
    let user: (id: uid_t, group: gid_t)
    var list: [String] = []
    var testDescription: String { "\(folder) \(file) \(user) \(list)" }

    static let all: [Place] = [
      .init(folder: (0, 0, 0o755), file: (0, 0, 0o600), user: (4711, 4711)),
      .init(folder: (0, 0, 0o755), file: (0, 0, 0o644), user: (4711, 4711)),
      .init(folder: (0, 0, 0o700), file: (0, 0, 0o644), user: (4711, 4711)),
      .init(folder: (0, 4711, 0o710), file: (0, 4711, 0o640), user: (4711, 4711)),
      .init(folder: (0, 4711, 0o710), file: (0, 4711, 0o640), user: (4711, 4712)),
      .init(folder: (4711, 0, 0o500), file: (4711, 0, 0o400), user: (4711, 4711)),
      // The class that fits decides alone: an owner whom the mode leaves out, though all others may.
      .init(folder: (0, 0, 0o755), file: (4711, 0, 0o044), user: (4711, 4711)),
      .init(folder: (0, 0, 0o755), file: (0, 4711, 0o604), user: (4712, 4711)),
      // Entering needs x, not r.
      .init(folder: (0, 0, 0o744), file: (0, 0, 0o644), user: (4711, 4711)),
      .init(folder: (0, 0, 0o711), file: (0, 0, 0o644), user: (4711, 4711)),
      // `daemon` of this host is in group 1; a process that is started as 1:4711 is not.
      .init(folder: (0, 0, 0o755), file: (0, 1, 0o640), user: (1, 4711)),
    ]
  }

  /// A folder and a file below one that all may enter; the path of the file.
  private func make(_ place: Place, _ name: String) throws -> String {
    try chains.write(chains.read("leaf.key"), to: "\(name)/key.pem")
    let (folder, file) = (chains.file(name), chains.file("\(name)/key.pem"))
    for (path, wanted) in [(file, place.file), (folder, place.folder)] {
      try #require(chown(path, wanted.owner, wanted.group) == 0 && chmod(path, wanted.mode) == 0)
    }
    return file
  }

  @Test(
    "Whether a user can read a file is told as the kernel decides it", .enabled(if: getuid() == 0, "needs root"),
    arguments: Place.all.indices)
  func access(index: Int) async throws {
    let place = Place.all[index]
    let file = try make(place, "place-\(index)")
    let lets = try kernelLets(user: place.user.id, groups: [place.user.group], read: file)
    let account = try FileUser("\(place.user.id):\(place.user.group)")
    let obstacle = try account.obstacle(toReading: file)
    #expect((obstacle == nil) == lets, "\(place): \(obstacle ?? "no obstacle")")
  }

  @Test(
    "The folder that keeps the service's user out is named, through links", .enabled(if: getuid() == 0, "needs root"))
  func namedObstacle() async throws {
    _ = try make(.init(folder: (0, 0, 0o700), file: (0, 0, 0o644), user: (4711, 4711)), "closed")
    try? FileManager.default.removeItem(atPath: chains.file("live.pem"))
    try FileManager.default.createSymbolicLink(atPath: chains.file("live.pem"), withDestinationPath: "closed/key.pem")
    let result = try await look("fullchain.pem", key: "live.pem", .init("user", .string("nobody")))
    #expect(code(result) == "tls.fileUnreadableByService")
    #expect(message(result).contains("nobody cannot read \(chains.file("live.pem"))"), "\(message(result))")
    #expect(message(result).contains("it may not enter the folder \(chains.file("closed")) (mode 0700, owner root"))
    guard case .list(let access)? = result.output["access"] else {
      Issue.record("no access")
      return
    }
    #expect(access.map { $0["readable"] } == [.bool(true), .bool(false)])
    let root = try await look("fullchain.pem", key: "live.pem", .init("user", .string("root")))
    #expect(root.objection == nil, "\(message(root))")
  }

  /// Puts an access control list on a file, `(kind, permissions, id)` for each entry, as the kernel takes it.
  private func setList(_ path: String, _ entries: [(UInt16, UInt16, UInt32)]) throws {
    let script = """
      import os, struct, sys
      entries = [tuple(map(int, entry.split(":"))) for entry in sys.argv[2:]]
      value = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
      os.setxattr(sys.argv[1], "system.posix_acl_access", value)
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script, path] + entries.map { "\($0):\($1):\($2)" }
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "the file system of \(path) takes no access control lists")
  }

  @Test("Access control lists are read as the kernel reads them", .enabled(if: getuid() == 0, "needs root"))
  func accessLists() async throws {
    let none = UInt32.max
    let lists: [[(UInt16, UInt16, UInt32)]] = [
      [(1, 6, none), (2, 4, 4711), (4, 0, none), (0x10, 4, none), (0x20, 0, none)],
      [(1, 6, none), (2, 4, 4711), (4, 0, none), (0x10, 0, none), (0x20, 0, none)],
      [(1, 6, none), (2, 0, 4711), (4, 4, none), (0x10, 4, none), (0x20, 4, none)],
      [(1, 6, none), (4, 0, none), (8, 4, 4711), (0x10, 4, none), (0x20, 0, none)],
      [(1, 6, none), (4, 0, none), (8, 0, 4711), (0x10, 4, none), (0x20, 4, none)],
      [(1, 6, none), (4, 0, none), (8, 4, 4799), (0x10, 4, none), (0x20, 0, none)],
    ]
    for (index, list) in lists.enumerated() {
      let file = try make(.init(folder: (0, 0, 0o755), file: (0, 0, 0o640), user: (4711, 4711)), "list-\(index)")
      try setList(file, list)
      let lets = try kernelLets(user: 4711, groups: [4711], read: file)
      let obstacle = try FileUser("4711:4711").obstacle(toReading: file)
      #expect((obstacle == nil) == lets, "\(index): \(obstacle ?? "no obstacle")")
    }
  }
}
