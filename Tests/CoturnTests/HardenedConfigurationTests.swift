import Addresses
import Coturn
import FoundationEssentials
import Processes
import Testing

@Suite("A hardened turnserver.conf")
struct HardenedConfigurationTests {
  private static let versions = [
    "4.5.0.8", "4.5.1.0", "4.5.1.2", "4.5.2", "4.6.0", "4.6.1", "4.6.3", "4.7.0", "4.9.0", "4.10.0", "4.13.1", "4.14.0",
    "4.16.0", "4.17.1",
  ]

  private static func configuration(
    _ purpose: HardenedConfiguration.Purpose, _ version: String, users: Bool = false, isPlain: Bool = false
  ) throws -> HardenedConfiguration {
    let access: HardenedConfiguration.Access
    if users {
      let key = try #require(UserKey(name: "alice", realm: "turn.example.com", password: "correct:horse battery"))
      access = .users([("alice", key)])
    } else {
      access = .sharedSecret("8f1c2a97e4b05d36c1f7a2e980b4d653")
    }
    var configuration = HardenedConfiguration(
      purpose, for: try #require(CoturnVersion(version)), realm: "turn.example.com",
      publicAddress: try #require(IPAddress("198.51.100.7")), privateAddress: IPAddress("10.0.0.5"), access: access)
    if !isPlain { configuration.certificate = ("/etc/coturn/fullchain.pem", "/etc/coturn/privkey.pem") }
    return configuration
  }

  @Test("passes its own audit in every version", arguments: HardenedConfiguration.Purpose.allCases, versions)
  func passes(_ purpose: HardenedConfiguration.Purpose, _ version: String) throws {
    // Up to 4.5.0.8 no-loopback-peers is needed; that the next version leaves it out is told all the same.
    let told: [AuditCode] = version == "4.5.0.8" ? [.optionRemoved] : []
    for users in [false, true] {
      let (text, remaining) = try Self.configuration(purpose, version, users: users).generate()
      #expect(remaining.map(\.code) == told, "\(text)")
    }
    if purpose == .minimal {
      #expect(try Self.configuration(purpose, version, isPlain: true).generate().remaining.map(\.code) == told)
    }
  }

  @Test("is not written if coturn would misread a value, or the audit would find it")
  func refusals() throws {
    func message(_ change: (inout HardenedConfiguration) -> Void) throws -> String {
      var configuration = try Self.configuration(.recommended, "4.6.1")
      change(&configuration)
      do throws(HardenedConfiguration.Refusal) { _ = try configuration.generate() } catch { return error.message }
      return ""
    }
    #expect(try message { $0.certificate = nil }.contains("needs a certificate"))
    #expect(try message { $0.certificate = nil }.contains("--cert FILE --pkey FILE, or --purpose minimal"))
    #expect(try message { $0.realm = "a b" }.contains("realm"))
    #expect(try message { $0.realm = "a\nno-auth" }.contains("realm"))
    #expect(try message { $0.access = .sharedSecret("north") }.contains("shared secret is a word"))
    #expect(try message { $0.access = .sharedSecret("8f1c2a97e4b05d36#c1f7a2e980b4d653") }.contains("shared secret"))
    #expect(try message { $0.access = .users([]) }.contains("no user"))
    #expect(try message { $0.version = CoturnVersion(4, 18) }.contains("4.17.1"))
    #expect(try message { $0.certificate = ("fullchain.pem", "/k") }.contains("does not begin with /"))
    #expect(
      try message { $0.certificate = ("/c", "/etc/letsencrypt/live/a/privkey.pem") }.contains("open to root only"))
    #expect(try message { $0.tlsListeningPort = 3478 }.contains("the same"))
    #expect(try message { $0.access = .sharedSecret("=8f1c2a97e4b05d36c1f7a2e980b4d653") }.contains("begins with ="))
    let key = try #require(UserKey(name: "=alice", realm: "turn.example.com", password: "correct:horse battery"))
    #expect(try message { $0.access = .users([("=alice", key)]) }.contains("begins with ="))
    #expect(try message { $0.realm = String(repeating: "a", count: 128) }.contains("the realm has 128 bytes"))
    #expect(try message { $0.realm = String(repeating: "a", count: 127) } == "")
    #expect(try message { $0.relayPorts = 0...65_535 }.contains("a port is 0"))
    #expect(try message { $0.listeningPort = 50_000 }.contains("the plain port 50000 is one of the relay ports"))
    #expect(try message { $0.tlsListeningPort = 50_000 }.contains("the TLS port 50000 is one of the relay ports"))
    for address in [
      "224.0.0.1", "255.255.255.255", "127.0.0.1", "0.0.0.0", "169.254.3.4", "::", "::1", "fe80::1", "ff02::1",
      "::ffff:127.0.0.1",
    ] {
      let publicAddress = try #require(IPAddress(address))
      let told = try message {
        $0.publicAddress = publicAddress
        $0.privateAddress = nil
      }
      #expect(told.contains("the public address \(publicAddress) is "), "\(address): \(told)")
    }
    #expect(try message { $0.privateAddress = IPAddress("127.0.0.1") }.contains("the private address 127.0.0.1 is"))
  }

  @Test("holds the key that turnadmin makes of a password, and never shows it")
  func keys() async throws {
    let key = try #require(UserKey(name: "alice", realm: "r.example", password: "correct horse:battery"))
    let result = try await Command(
      "turnadmin", ["-k", "-u", "alice", "-r", "r.example", "-p", "correct horse:battery"]
    ).run()
    let made = result.standardOutput.text.split(separator: "\n").first { $0.hasPrefix("0x") }.map(String.init) ?? ""
    try #require(made.hasPrefix("0x"))
    #expect(!"\(key) \(String(reflecting: key))".contains(made))
    var configuration = try Self.configuration(.minimal, "4.6.1")
    configuration.realm = "r.example"
    configuration.access = .users([("alice", key)])
    #expect(try configuration.generate().text.contains("user=alice:\(made)\n"))
    #expect(UserKey(name: "jürgen", realm: "r", password: "x") == nil)
  }
}

@Suite("docs/coturn-audit.md")
struct AuditDocumentTests {
  @Test("says what every code means")
  func codes() throws {
    let url = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
      .appending(path: "docs/coturn-audit.md")
    let document = try String(contentsOf: url, encoding: .utf8)
    #expect(AuditCode.allCases.map(\.name).filter { !document.contains("| `\($0)` |") } == [])
  }

  @Test("every advisory has a source, a span and a meaning of its own")
  func advisories() {
    for advisory in Advisory.all {
      #expect(advisory.source.hasPrefix("https://"), "\(advisory.id)")
      #expect(advisory.since < advisory.fixedIn && advisory.meaning.hasSuffix("."), "\(advisory.id)")
    }
    #expect(Set(Advisory.all.map(\.id)).count == Advisory.all.count)
    #expect(Advisory.affecting(CoturnVersion(4, 17, 1)).map(\.id) == ["UDP with TTL 1"])
  }
}
