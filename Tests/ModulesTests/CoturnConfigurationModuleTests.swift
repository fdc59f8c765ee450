import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// `coturn.config` and `coturn.advisories`.
@Suite struct CoturnConfigurationModuleTests {
  private static let right = SampleConfiguration.withoutTLS

  private func audit(_ folder: TemporaryFolder, _ members: Value.Member...) async throws -> StepResult<Value> {
    try await run("coturn.config", [.init("file", .string("\(folder.path)/turnserver.conf"))] + members)
  }

  private func findings(_ result: StepResult<Value>) -> [Value] {
    guard case .list(let values)? = result.output["findings"] else { return [] }
    return values
  }

  @Test("A right file that only its owner reads passes, with the version that the installed program tells")
  func right() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.right, to: "turnserver.conf", mode: 0o640)
    let result = try await audit(folder)
    #expect(result.objection == nil, "\(result.objection?.finding.message ?? "")")
    #expect(result.output["version"] == .string("4.6.1"))
    #expect(result.output["starts"] == .bool(true))
    #expect(findings(result) == [])
    guard case .list(let advisories)? = result.output["advisories"] else {
      Issue.record("no advisories")
      return
    }
    #expect(advisories.contains { $0["item"] == .string("19") })
  }

  @Test("A mistake fails the step and names line and remedy; one that ends the server says so")
  func mistakes() async throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.right + "denied-peer-ip=203.0.113.0/24\n", to: "turnserver.conf", mode: 0o640)
    let dropped = try await audit(folder, .init("version", .string("4.6.1")))
    #expect(dropped.objection?.severity == .fail)
    #expect(dropped.objection?.finding.code == "coturn.configurationRisky")
    #expect(dropped.objection?.finding.message.contains("turnserver.conf:26: ") == true)
    #expect(dropped.objection?.finding.advice?.contains("denied-peer-ip=203.0.113.0-203.0.113.255") == true)
    #expect(dropped.objection?.finding.advice?.contains("turnserver.conf --coturn-version 4.6.1.") == true)
    #expect(dropped.output["starts"] == .bool(true))
    let ended = try await audit(folder, .init("version", .string("4.11.0")))
    #expect(ended.output["starts"] == .bool(false))

    try folder.write(Self.right + "stale-nonce=0\n", to: "turnserver.conf", mode: 0o640)
    let weak = try await audit(folder, .init("version", .string("4.6.1")))
    #expect(weak.objection?.severity == .warn)
    #expect(weak.objection?.finding.code == "coturn.configurationWeak")
  }

  @Test(
    "Files that everybody reads, or the service cannot read, are found by their modes",
    .enabled(if: geteuid() == 0, "needs root"))
  func modes() async throws {
    let folder = try TemporaryFolder()
    try folder.write("cert", to: "cert.pem")
    try folder.write("key", to: "key.pem", mode: 0o600)
    let text =
      Self.right + "cert=\(folder.path)/cert.pem\npkey=\(folder.path)/key.pem\nno-tlsv1\nno-tlsv1_1\nno-dtls\n"
    try folder.write(text, to: "turnserver.conf", mode: 0o644)
    chmod(folder.path, 0o755)
    let open = try await audit(folder, .init("version", .string("4.6.1")), .init("user", .string("nobody")))
    let found = findings(open)
    #expect(
      found.contains { $0["code"] == .string("coturn.configurationReadable") && $0["severity"] == .string("high") })
    let unreadable = found.first { $0["code"] == .string("coturn.keyUnreadable") }
    #expect(unreadable?["line"] == .int(27))
    #expect(unreadable?["severity"] == .string("critical"))

    try folder.write(text, to: "turnserver.conf", mode: 0o640)
    try folder.write("key", to: "key.pem", mode: 0o644)
    let key = try await audit(folder, .init("version", .string("4.6.1")), .init("user", .string("nobody")))
    #expect(findings(key).contains { $0["code"] == .string("coturn.keyReadable") })
    #expect(findings(key).contains { $0["code"] == .string("coturn.configurationUnreadable") })

    try folder.write("key", to: "key.pem", mode: 0o600)
    let owner = try await audit(folder, .init("version", .string("4.6.1")), .init("user", .string("root")))
    #expect(findings(owner) == [])
  }

  @Test("What lies below a root is named by its path in there")
  func belowRoot() async throws {
    let folder = try TemporaryFolder()
    try folder.write("lt-cred-mech\nno-auth\n", to: "etc/turnserver.conf", mode: 0o640)
    let result = try await run(
      "coturn.config",
      [
        .init("file", .string("\(folder.path)/etc/turnserver.conf")), .init("root", .string(folder.path)),
        .init("version", .string("4.6.1")),
      ])
    let finding = try #require(result.objection?.finding)
    #expect(finding.message.hasPrefix("/etc/turnserver.conf:"), "\(finding)")
    #expect(!"\(finding.message) \(finding.advice ?? "")".contains(folder.path), "\(finding)")
    #expect(finding.advice?.contains("runbook report last --format json") == true, "\(finding)")
  }

  @Test("A connection string of a database is a secret, and the message names every grave finding up to six")
  func grave() async throws {
    let folder = try TemporaryFolder()
    for option in ["mongo-userdb", "sql-userdb", "redis-statsdb"] {
      let text = Self.right.replacing("static-auth-secret=8f1c2a97e4b05d36c1f7a2e980b4d653\n", with: "")
      try folder.write(text + "\(option)=\"host=127.0.0.1 password=hush\"\n", to: "turnserver.conf", mode: 0o644)
      chmod(folder.path, 0o755)
      let found = findings(try await audit(folder, .init("version", .string("4.6.1"))))
      let readable = found.first { $0["code"] == .string("coturn.configurationReadable") }
      #expect(readable?["severity"] == .string("high"), "\(option)")
    }
    let ranges = (1...8).map { "denied-peer-ip=203.0.113.\($0)/32\n" }.joined()
    try folder.write(Self.right + ranges, to: "turnserver.conf", mode: 0o640)
    let message = try await audit(folder, .init("version", .string("4.6.1"))).objection?.finding.message ?? ""
    #expect(message.contains("turnserver.conf:26: ") && message.contains(" Line 31: "), "\(message)")
    #expect(!message.contains("Line 32: ") && message.contains(" And 2 more in the JSON report. In all: 8 critical"))
  }

  @Test("A file that cannot be read, and a version that nothing tells, are errors")
  func errors() async throws {
    let folder = try TemporaryFolder()
    let missing = try await stepError { _ = try await audit(folder, .init("version", .string("4.6.1"))) }
    #expect(missing.finding.code == "coturn.configUnreadable")
    try folder.write(Self.right, to: "turnserver.conf", mode: 0o640)
    let silent = try await stepError { _ = try await audit(folder, .init("binary", .string("/bin/true"))) }
    #expect(silent.finding.code == "coturn.versionUnknown")
    let absent = try await stepError { _ = try await audit(folder, .init("binary", .string("\(folder.path)/none"))) }
    #expect(absent.finding.code == "coturn.versionUnknown")
  }

  @Test("Known vulnerabilities of a version warn, and never fail: a distribution may have mended them")
  func advisories() async throws {
    let old = try await run("coturn.advisories", [.init("version", .string("4.6.1-1"))])
    #expect(old.objection?.severity == .warn)
    // Not all of them matter to everybody.
    #expect(old.objection?.finding.message.contains("in use: ") == true)
    #expect(old.objection?.finding.message.contains("the telnet CLI (") == true, "\(String(describing: old.objection))")
    #expect(old.output["version"] == .string("4.6.1"))
    guard case .list(let entries)? = old.output["advisories"] else {
      Issue.record("no advisories")
      return
    }
    #expect(entries.contains { $0["id"] == .string("CVE-2026-27624") && $0["fixedIn"] == .string("4.9.0") })
    #expect(!entries.contains { $0["id"] == .string("CVE-2020-26262") })
    let new = try await run("coturn.advisories", [.init("version", .string("4.18.0"))])
    #expect(new.objection?.finding.code == "coturn.versionNotKnown")
    #expect(new.output["known"] == .bool(false))
  }
}
