import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// `tls.certificate` against openssl's own server, with chains as they are met.
@Suite(.serialized) struct CertificateModuleTests {
  private let chains: CertificateChains
  private static let shared = Result { try makeChains() }

  init() throws { chains = try Self.shared.get() }

  private static let names = "DNS:localhost,IP:127.0.0.1,IP:::1"

  private static func makeChains() throws -> CertificateChains {
    let chains = try CertificateChains()
    try chains.make("root", .authority, days: 3650)
    try chains.make("intermediate", .authority, by: "root", days: 1000)
    try chains.make("leaf", .server(names), by: "intermediate", days: 51)
    return chains
  }

  /// Runs the module against a server with these certificates.
  private func look(
    _ leaf: String, chain: [String] = [], host: String = "127.0.0.1", ca: String? = "root.pem", options: [String] = [],
    _ members: Value.Member...
  ) async throws -> StepResult<Value> {
    var arguments = ["-cert", "\(leaf).pem", "-key", "\(leaf).key"] + options
    if !chain.isEmpty {
      let name = "\(UUID().uuidString).pem"
      try chains.join(name, chain.map { "\($0).pem" })
      arguments += ["-cert_chain", name]
    }
    let server = try OpenSSLServer(arguments, in: chains.path, host: host.contains(":") ? "[::1]" : "127.0.0.1")
    return try await run("tls.certificate", [target(host, server.port, ca: ca)] + members)
  }

  private func target(_ host: String, _ port: UInt16, ca: String? = "root.pem") -> Value.Member {
    .init(
      "server",
      TURNServer.record.encode(
        TURNServer(
          name: "test", uri: "turns:\(host):\(port)", host: host.filter { $0 != "[" && $0 != "]" },
          ca: ca.map(chains.file))))
  }

  private func code(_ result: StepResult<Value>) -> String? { result.objection?.finding.code }
  private func message(_ result: StepResult<Value>) -> String { result.objection?.finding.message ?? "" }
  private func notes(_ result: StepResult<Value>) -> [String] {
    guard case .list(let notes)? = result.output["notes"] else { return [] }
    return notes.compactMap(\.string)
  }

  // MARK: The path

  @Test("Days left are the least over the path that verifies, and the output names the certificate that ends first")
  func leastOfPath() async throws {
    try chains.make("short", .authority, by: "root", days: 21)
    try chains.make("under-short", .server(Self.names), by: "short", days: 51)
    let result = try await look("under-short", chain: ["short"])
    #expect(result.objection == nil, "\(message(result))")
    // From an hour ago on: whole days, rounded down.
    #expect(result.output["daysLeft"] == .int(20))
    #expect(result.output["endsFirst"] == .string("CN=short"))
    #expect(result.output["trusted"] == .bool(true))
    #expect(result.output["keyType"] == .string("EC"))
    #expect(result.output["keyBits"] == .int(256))
    #expect(result.output["signatureAlgorithm"] == .string("ecdsa-with-SHA256"))
    #expect(result.output["issuer"] == .string("CN=short"))
    #expect(notes(result) == [])
    guard case .list(let sent)? = result.output["sent"] else {
      Issue.record("nothing is sent")
      return
    }
    #expect(sent.map { $0["daysLeft"] } == [.int(50), .int(20)])
  }

  @Test("A good certificate behind an intermediate that has ended fails, and names that one and its place")
  func endedIntermediate() async throws {
    try chains.make("ended", .authority, by: "root", start: "-49h", days: 1)
    try chains.make("under-ended", .server(Self.names), by: "ended", days: 20)
    let result = try await look("under-ended", chain: ["ended"])
    #expect(code(result) == "tls.expired")
    #expect(message(result).contains("certificate 2 of 2 in its chain, CN=ended, ended on "), "\(message(result))")
    #expect(message(result).contains("25 hours ago"), "\(message(result))")
    #expect(result.output["daysLeft"] == .int(-2))
    #expect(result.output["endsFirst"] == .string("CN=ended"))
    #expect(result.output["trusted"] == .bool(false))
  }

  @Test("An expired cross-signed root that is sent along is a note: the path to the new root decides")
  func expiredCrossSign() async throws {
    // Two roots with one key: the new one signs itself, the old one has signed it.
    try chains.make("old-root", .authority, start: "-800d", days: 790)
    try chains.make("new-root", .authority, days: 3650)
    try chains.make(
      "cross", .authority, by: "old-root", subject: "new-root", key: "new-root", start: "-790d", days: 780)
    try chains.make("crossed", .server(Self.names), by: "new-root", days: 60)
    let result = try await look("crossed", chain: ["cross"], ca: "new-root.pem")
    #expect(result.objection == nil, "\(message(result))")
    #expect(result.output["daysLeft"] == .int(59))
    #expect(notes(result).count == 1)
    #expect(notes(result).first?.hasPrefix("Certificate 2 of 2, CN=new-root, ended on ") == true, "\(notes(result))")
    // Also if the old root is trusted beside the new one.
    try chains.join("both-roots.pem", ["old-root.pem", "new-root.pem"])
    let both = try await look("crossed", chain: ["cross"], ca: "both-roots.pem")
    #expect(both.objection == nil, "\(message(both))")
    #expect(both.output["daysLeft"] == .int(59))
    // Who knows the old root alone has no good path.
    let old = try await look("crossed", chain: ["cross"], ca: "old-root.pem")
    #expect(code(old) == "tls.expired")
  }

  @Test("A server that leaves out the intermediate fails, with the missing issuer's name")
  func incomplete() async throws {
    let result = try await look("leaf")
    #expect(code(result) == "tls.untrusted")
    #expect(message(result).contains("the chain is incomplete"))
    #expect(message(result).contains("CN=intermediate, is neither sent nor trusted here"), "\(message(result))")
    #expect(result.output["daysLeft"] == .null)
    #expect(result.output["endsFirst"] == .null)
  }

  @Test("An odd order and a root that is sent along are notes")
  func oddOrder() async throws {
    let result = try await look("leaf", chain: ["root", "intermediate"])
    #expect(result.objection == nil, "\(message(result))")
    #expect(result.output["daysLeft"] == .int(50))
    #expect(notes(result).contains { $0.contains("not in order") })
    #expect(notes(result).contains { $0.contains("The root CN=root is sent along") })
  }

  @Test("A certificate that is signed by itself has no days left, and never a figure in their place")
  func selfSigned() async throws {
    try chains.make("alone", .server(Self.names), days: 30)
    let result = try await look("alone", ca: nil)
    #expect(code(result) == "tls.untrusted")
    #expect(message(result).contains("CN=alone is signed by itself alone"), "\(message(result))")
    #expect(result.output["daysLeft"] == .null)
    let trusted = try await look("alone", ca: "alone.pem")
    #expect(trusted.objection == nil, "\(message(trusted))")
    #expect(trusted.output["daysLeft"] == .int(29))
  }

  @Test("A root that is sent and not trusted is named")
  func foreignRoot() async throws {
    let result = try await look("leaf", chain: ["intermediate", "root"], ca: nil)
    #expect(code(result) == "tls.untrusted")
    #expect(
      message(result).contains("its chain ends at the root CN=root, which is not trusted here"), "\(message(result))")
  }

  // MARK: Dates, keys, purpose

  @Test("A certificate that ended two hours ago fails, and has -1 days left")
  func endedHoursAgo() async throws {
    try chains.make("late", .server(Self.names), by: "root", start: "-26h", days: 1)
    let result = try await look("late")
    #expect(code(result) == "tls.expired")
    #expect(
      message(result).contains("2 hours ago") || message(result).contains("119 minutes ago"), "\(message(result))")
    #expect(message(result).contains(" UTC"))
    #expect(result.output["daysLeft"] == .int(-1))
  }

  @Test("A certificate that begins tomorrow fails; if it begins within minutes the clock is suspected")
  func notYetValid() async throws {
    try chains.make("tomorrow", .server(Self.names), by: "root", start: "+1d", days: 90)
    let tomorrow = try await look("tomorrow")
    #expect(code(tomorrow) == "tls.notYetValid")
    #expect(!message(tomorrow).contains("clock"), "\(message(tomorrow))")
    #expect(tomorrow.output["trusted"] == .bool(false))
    try chains.make("soon", .server(Self.names), by: "root", start: "+600s", days: 90)
    let soon = try await look("soon")
    #expect(code(soon) == "tls.notYetValid")
    #expect(message(soon).contains("a wrong clock"), "\(message(soon))")
  }

  @Test("A key that is too short, a signature that is out of date, and a certificate for clients fail")
  func weak() async throws {
    let lax = ["-cipher", "ALL:@SECLEVEL=0"]
    try chains.makeKey("weak", rsaBits: 1024)
    try chains.make("weak", .server(Self.names), by: "root")
    let weak = try await look("weak", options: lax)
    #expect(code(weak) == "tls.certificateInvalid", "\(message(weak))")
    #expect(message(weak).contains("key too weak"))
    try chains.make("sha1", .server(Self.names), by: "root", digest: "sha1")
    let sha1 = try await look("sha1", options: lax)
    #expect(code(sha1) == "tls.certificateInvalid", "\(message(sha1))")
    #expect(sha1.output["signatureAlgorithm"] == .string("ecdsa-with-SHA1"))
    try chains.make("client", .client(Self.names), by: "root")
    let client = try await look("client")
    #expect(code(client) == "tls.certificateInvalid", "\(message(client))")
    #expect(message(client).contains("purpose"))
  }

  // MARK: Names

  @Test("Every expected name is looked for by itself; those that are missing are listed")
  func expectedNames() async throws {
    try chains.make("named", .server("DNS:turn.example.com,DNS:*.example.org,IP:127.0.0.1"), by: "root")
    let names = [
      "turn.example.com": true, "TURN.Example.COM.": true, "stun.example.com": false, "a.example.org": true,
      "example.org": false, "a.b.example.org": false, "named": false, "127.0.0.1": true, "127.0.0.2": false,
      "xample.com": false,
    ]
    let result = try await look("named", .init("names", .list(names.keys.map(Value.string))))
    #expect(code(result) == "tls.nameMismatch")
    guard case .list(let found)? = result.output["expectedNames"] else {
      Issue.record("no names")
      return
    }
    #expect(found.count == names.count)
    for one in found {
      let name = try #require(one["name"]?.string)
      let isCovered = try #require(names[name] as Bool?)
      #expect(one["covered"] == .bool(isCovered), "\(name)")
      if !isCovered { #expect(message(result).contains(name)) }
    }
    #expect(result.output["trusted"] == .bool(false))
  }

  @Test("A common name counts for nothing")
  func commonName() async throws {
    try chains.make("127.0.0.1", .server(""), by: "root")
    let result = try await look("127.0.0.1")
    #expect(code(result) == "tls.nameMismatch")
    #expect(message(result).contains("it is for no name at all"), "\(message(result))")
  }

  @Test("An IPv6 address is compared as an address, however it is written", arguments: ["[::1]", "[0:0:0:0:0:0:0:1]"])
  func literal(host: String) async throws {
    let result = try await look("leaf", chain: ["intermediate"], host: host)
    #expect(result.objection == nil, "\(message(result))")
    let short = try await look(
      "leaf", chain: ["intermediate"], host: host, .init("names", text("::1", "[::1]", "0:0:0:0:0:0:0:1", "0::0:1")))
    #expect(short.objection == nil, "\(message(short))")
  }

  @Test("The host's name is sent (SNI), so that a server with several certificates shows the right one")
  func serverName() async throws {
    try chains.make("fallback", .server("DNS:other.example"), by: "root")
    let options = ["-servername", "localhost", "-cert2", "leaf.pem", "-key2", "leaf.key"]
    try chains.join("leaf-ca.pem", ["root.pem", "intermediate.pem"])
    let named = try await look(
      "fallback", host: "localhost", ca: "leaf-ca.pem", options: options, .init("addresses", .string("one")))
    #expect(named.output["subject"] == .string("CN=leaf"), "\(message(named))")
    let byAddress = try await look("fallback", ca: "leaf-ca.pem", options: options)
    #expect(byAddress.output["subject"] == .string("CN=fallback"))
  }

  // MARK: Addresses

  @Test("A name without an address, and a server that nobody answers for, are failures")
  func nobody() async throws {
    let nowhere = try await stepError { _ = try await run("tls.certificate", [target("no-such-host.invalid", 5349)]) }
    #expect(nowhere.finding.code == "dns.nameNotFound")
    let closed = try await stepError { _ = try await run("tls.certificate", [target("127.0.0.1", 9)]) }
    #expect(closed.kind == .failed)
    #expect(closed.finding.code == "tcp.connectionRefused")
  }

  @Test("STARTTLS needs a port in the URI; without one nothing is begun")
  func startTLSWithoutPort() async throws {
    let server = TURNServer(name: "mail", uri: "turns:localhost", host: "localhost")
    let error = try await stepError {
      _ = try await run(
        "tls.certificate", [.init("server", TURNServer.record.encode(server)), .init("startTLS", .string("smtp"))])
    }
    #expect(error.kind == .notStarted)
    #expect(error.finding.code == "probe.invalidInput")
  }

  // MARK: The file

  @Test(
    "A file that holds what is served passes; one that was renewed and is not served fails, and so does an older one")
  func servedFile() async throws {
    try chains.join("fullchain.pem", ["leaf.pem", "intermediate.pem"])
    let same = try await look(
      "leaf", chain: ["intermediate"], .init("file", .string(chains.file("fullchain.pem"))))
    #expect(same.objection == nil, "\(message(same))")
    #expect(same.output["fileServed"] == .bool(true))

    try chains.make("renewed", .server(Self.names), by: "intermediate", days: 90)
    let twelveDays = Date(timeIntervalSinceNow: -12 * 86_400 - 60)
    try FileManager.default.setAttributes([.modificationDate: twelveDays], ofItemAtPath: chains.file("renewed.pem"))
    let renewed = try await look(
      "leaf", chain: ["intermediate"], .init("file", .string(chains.file("renewed.pem"))))
    #expect(code(renewed) == "tls.fileNotServed")
    #expect(message(renewed).contains("renewed 12 days ago"), "\(message(renewed))")
    #expect(renewed.output["fileServed"] == .bool(false))
    #expect(renewed.output["trusted"] == .bool(true))

    let older = try await look(
      "renewed", chain: ["intermediate"], .init("file", .string(chains.file("fullchain.pem"))))
    #expect(code(older) == "tls.fileNotServed")
    #expect(message(older).contains("is older than the one that it serves"), "\(message(older))")
  }

  @Test("A file to compare with that is not there is an error")
  func missingFile() async throws {
    let error = try await stepError {
      _ = try await look("leaf", chain: ["intermediate"], .init("file", .string(chains.file("none.pem"))))
    }
    #expect(error.kind == .broken)
    #expect(error.finding.code == "tls.fileUnreadable")
    #expect(error.finding.message.contains("No such file"), "\(error.finding.message)")
  }
}

extension Value {
  fileprivate var string: String? { if case .string(let text) = self { text } else { nil } }
}
