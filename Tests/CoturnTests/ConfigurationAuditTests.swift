import Coturn
import Schema
import TestSupport
import Testing

/// An audit of a text, as a version takes it.
private func audit(_ text: String, _ version: String) throws -> ConfigurationAudit {
  ConfigurationAudit(Array(text.utf8), try #require(CoturnVersion(version)))
}

private let right = SampleConfiguration.right

/// One mistake: what is added to or left out of the right file.
struct Mistake: Sendable, CustomTestStringConvertible {
  let item: String
  let version: String
  /// Lines of the right file that begin like this are left out.
  var without: [String] = []
  /// Lines that are put before the others, so that the first is line 1.
  var added: [String] = []
  /// Where the finding must be; nil: at no line.
  var line: Int?
  /// What must be written instead; nil: anything.
  var instead: String?
  var isFound = true

  var testDescription: String {
    "\(isFound ? "" : "not ")\(item) in \(version): \(added.joined(separator: " | ")) without \(without.joined(separator: ","))"
  }

  static func found(
    _ item: Any, _ version: String, _ added: String..., without: [String] = [], line: Int? = 1, instead: String? = nil
  ) -> Mistake {
    Mistake(item: "\(item)", version: version, without: without, added: added, line: line, instead: instead)
  }

  static func missing(_ item: Any, _ version: String, without: String..., instead: String? = nil) -> Mistake {
    Mistake(item: "\(item)", version: version, without: without, line: nil, instead: instead)
  }

  static func fine(_ item: Any, _ version: String, _ added: String..., without: [String] = []) -> Mistake {
    Mistake(item: "\(item)", version: version, without: without, added: added, isFound: false)
  }

  var text: String {
    let kept = right.split(separator: "\n").filter { line in !without.contains { line.hasPrefix($0) } }
    return (added + kept.map(String.init)).joined(separator: "\n") + "\n"
  }
}

@Suite("An audit of turnserver.conf")
struct ConfigurationAuditTests {
  @Test("finds nothing in a right file", arguments: ["4.6.0", "4.6.1", "4.6.3"])
  func nothing(_ version: String) throws {
    let findings = try audit(right, version).findings.filter { !$0.ifNotBackported }
    #expect(findings.map(\.message) == [])
  }

  private static let secret = ["use-auth-secret", "static-auth-secret"]

  private static let authentication: [Mistake] = [
    .missing(1, "4.6.1", without: "use-auth-secret", "static-auth-secret"),
    .missing(1, "4.17.1", without: "use-auth-secret", "static-auth-secret"),
    .found(1, "4.6.1", "lt-cred-mech=0", without: secret, line: nil),
    .found(1, "4.6.1", "userdb=/var/lib/turn/turndb", without: secret, line: nil),
    .found(1, "4.6.1", "user=nopassword", without: secret, line: nil),
    .fine(1, "4.6.1", without: ["use-auth-secret"]),
    .fine(1, "4.6.1", "use-auth-secret=0", without: secret),
    .fine(1, "4.6.1", "lt-cred-mech", without: secret),
    .fine(1, "4.6.1", "user=a:0x2c1f5d0a9e6b4b0f8d7c3e2a1b0c9d8e", without: secret),
    .fine(1, "4.6.1", "stun-only", without: secret),
    .found(2, "4.6.1", "no-auth", without: secret),
    .found(2, "4.6.1", "no-auth", instead: ""),
    .fine(2, "4.6.1", "no-auth=0"),
    .fine(2, "4.6.1", "no-auth", "stun-only", without: secret),
    .found(3, "4.6.1", "user=a:0x2c1f5d0a9e6b4b0f8d7c3e2a1b0c9d8e", instead: ""),
    .fine(3, "4.6.1", "lt-cred-mech", "user=a:0x2c1f5d0a9e6b4b0f8d7c3e2a1b0c9d8e", without: secret),
    .found(4, "4.6.1", "static-auth-secret=north", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=CHANGE_ME_PLEASE_NOW", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=a8F1c2", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=aaaaaaaaaaaaaaaaaaaaaaaaaaaa", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "user=webrtc:YOUR_STRONG_PASSWORD", without: secret),
    .found(4, "4.6.1", "static-auth-secret=$(openssl rand -hex 32)", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=$TURN_SECRET_VALUE_1", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=%%TURN_SECRET_VALUE%%", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=your-super-secret-key-goes-here", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=ThisIsYourStrongPassword123", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=turnserver-secret-2024", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=TODO: a secret of our own", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=0123456789abcdef", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "static-auth-secret=0123456789abcdef0123456789abcdef", without: ["static-auth-secret"]),
    .fine(4, "4.6.1", "static-auth-secret=NWE3YtODO8f3c2b1a0d9e8f7a6b5c4d3", without: ["static-auth-secret"]),
    .fine(4, "4.6.1", "static-auth-secret=correct-horse-todoist-9f8e7d6c5b4a", without: ["static-auth-secret"]),
    .fine(4, "4.6.1", "static-auth-secret=$kH83/hsL+29sKwP0qZx", without: ["static-auth-secret"]),
    .found(4, "4.6.1", "user=ninefingers:0xbc807ee29df3c9ffa736523fb2c4e8ee", without: secret),
    .found(4, "4.6.1", "cli-password=qwerty", without: ["no-cli"]),
    .fine(4, "4.6.1", "cli-password=qwerty"),
    .fine(4, "4.10.0", "cli-password=qwerty"),
    .found(5, "4.6.1", "user=a:kGh37skSl20sSm", without: secret),
    .fine(5, "4.6.1", "user=a:0x2c1f5d0a9e6b4b0f8d7c3e2a1b0c9d8e", without: secret),
    .found("user", "4.6.1", "user=a:0x12", without: secret),
    .missing(6, "4.6.1", without: "realm"),
    .found(6, "4.6.1", "realm=", without: ["realm"]),
    .fine(6, "4.6.1", without: ["realm"] + secret),
    .found("lt-cred-mech", "4.6.1", "lt-cred-mech", instead: ""),
  ]

  private static let peers: [Mistake] = [
    .found(7, "4.6.1", "allow-loopback-peers", instead: ""),
    .fine(7, "4.6.1", "allow-loopback-peers=no"),
    .found(7, "4.5.0.8", line: nil, instead: "no-loopback-peers"),
    .fine(7, "4.5.1.0"),
    .missing(8, "4.6.1", without: "denied-peer-ip=10.", instead: "denied-peer-ip=10.0.0.0-10.255.255.255"),
    .missing(8, "4.17.1", without: "denied-peer-ip=100.64", instead: "denied-peer-ip=100.64.0.0-100.127.255.255"),
    .found(8, "4.6.1", "denied-peer-ip=10.0.0.0-10.255.255.254", without: ["denied-peer-ip=10."], line: nil),
    .fine(8, "4.6.1", "denied-peer-ip=0.0.0.0-255.255.255.255", without: ["denied-peer-ip=1"]),
    .fine(
      8, "4.6.1", "denied-peer-ip=10.0.0.0-10.127.255.255", "denied-peer-ip 10.128.0.0 - 10.255.255.255",
      without: ["denied-peer-ip=10."]),
    .fine(8, "4.6.1", "stun-only", without: ["denied"]),
    .found(9, "4.6.1", "denied-peer-ip=10.0.0.0/8", instead: "denied-peer-ip=10.0.0.0-10.255.255.255"),
    .found(9, "4.6.1", "denied-peer-ip=192.0.2.77/24", instead: "denied-peer-ip=192.0.2.0-192.0.2.255"),
    .found(
      9, "4.11.0", "denied-peer-ip=fc00::/7", instead: "denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    .found(
      9, "4.6.1", "denied-peer-ip=10.0.0.0-10.255.255.255 # mine", instead: "denied-peer-ip=10.0.0.0-10.255.255.255"),
    .found(9, "4.6.1", "allowed-peer-ip=192.0.2.1/32", instead: "allowed-peer-ip=192.0.2.1"),
    .found(9, "4.6.1", "denied-peer-ip=10.0.0.0-10.255.255.255;", instead: "denied-peer-ip=10.0.0.0-10.255.255.255"),
    .found(9, "4.6.1", "denied-peer-ip=10.0.0.0, 10.255.255.255"),
    .found(9, "4.6.1", "denied-peer-ip=010.0.0.0-010.255.255.255"),
    .found(9, "4.6.1", "denied-peer-ip=10.0.0.0-10.255"),
    .found(9, "4.6.1", "denied-peer-ip=10.255.255.255-10.0.0.0", instead: "denied-peer-ip=10.0.0.0-10.255.255.255"),
    .found(9, "4.6.1", "denied-peer-ip=192.168.1.1-10", instead: "denied-peer-ip=192.168.1.1-192.168.1.10"),
    .found(9, "4.6.1", "denied-peer-ip=192.168.1.1-10 # mine", instead: "denied-peer-ip=192.168.1.1-192.168.1.10"),
    .found(9, "4.6.1", "allowed-peer-ip=198.51.100.1-10", instead: "allowed-peer-ip=198.51.100.1-198.51.100.10"),
    .found(9, "4.6.1", "allowed-peer-ip=255.255.255.254-0.0.0.1", instead: ""),
    .found(9, "4.6.1", "denied-peer-ip=::/128", instead: ""),
    .found(9, "4.6.1", "denied-peer-ip=::/96", instead: ""),
    .found(9, "4.11.0", "denied-peer-ip=::/0", instead: ""),
    .found(9, "4.6.1", "denied-peer-ip=::1/128", instead: "denied-peer-ip=::1"),
    .found(9, "4.6.1", "denied-peer-ip=0.0.0.0/8", instead: "denied-peer-ip=0.0.0.0-0.255.255.255"),
    .found(9, "4.6.1", "denied-peer-ip=0.0.0.0/32", instead: "denied-peer-ip=0.0.0.0-0.255.255.255"),
    .found(9, "4.6.1", "allowed-peer-ip=0.0.0.0/0", instead: ""),
    .found(9, "4.6.1", "allowed-peer-ip=0.0.0.0/32", instead: ""),
    .found(9, "4.6.1", "allowed-peer-ip=::/0", instead: ""),
    .found(9, "4.6.1", "allowed-peer-ip=128.0.0.0/1", instead: ""),
    .fine(9, "4.6.1", "denied-peer-ip=192.0.2.0 - 192.0.2.255"),
    .fine(9, "4.6.1", "denied-peer-ip\t\"192.0.2.0-192.0.2.255\"", "# denied-peer-ip=10.0.0.0/8"),
    .found(12, "4.6.1", "denied-peer-ip=2001:db8::10-2001:db8::1:5"),
    .found(
      12, "4.15.0", "denied-peer-ip=fc00::-fdff::",
      instead: "denied-peer-ip=fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    .fine(12, "4.16.0", "denied-peer-ip=2001:db8::10-2001:db8::1:5"),
    .fine(12, "4.6.1", "denied-peer-ip=2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    .fine(12, "4.6.1", "denied-peer-ip=64:ff9b::-64:ff9b::ffff:ffff"),
    .fine(12, "4.6.1", "denied-peer-ip=2001:db8::1"),
    .found(13, "4.9.0", "denied-peer-ip=::0", instead: ""),
    .found(13, "4.6.1", "denied-peer-ip=::-::ffff:ffff", instead: ""),
    .found(13, "4.6.1", "denied-peer-ip=0.0.0.0", instead: "denied-peer-ip=0.0.0.0-0.255.255.255"),
    .fine(13, "4.9.0", "denied-peer-ip=::1", "denied-peer-ip=0.0.0.0-0.255.255.255"),
    .found("allow", "4.6.1", "allowed-peer-ip=10.1.2.3"),
    .found("allow", "4.6.1", "allowed-peer-ip=::"),
    .found("allow", "4.6.1", "allowed-peer-ip=0.0.0.0-255.255.255.255", instead: ""),
    .found("allow", "4.6.1", "allowed-peer-ip=1.0.0.0-255.255.255.255", instead: ""),
    .found("allow", "4.6.1", "allowed-peer-ip=169.254.169.0-169.254.169.255"),
    .fine("allow", "4.6.1", "allowed-peer-ip=198.51.100.7"),
    .fine(
      "allow", "4.6.1", "relay-ip=10.0.0.5", "external-ip=192.0.2.10/10.0.0.5", "allowed-peer-ip=10.0.0.5",
      without: ["relay-ip"]),
    .missing(
      "link-local", "4.13.0", without: "denied-peer-ip=169", instead: "denied-peer-ip=169.254.0.0-169.254.255.255"),
    .fine("link-local", "4.13.1", without: ["denied-peer-ip=169", "denied-peer-ip=f"]),
    .missing("evidence", "4.5.1.1", without: "denied-peer-ip=127"),
    .fine("evidence", "4.5.2", without: ["denied-peer-ip=127"]),
    .missing(14, "4.6.1", without: "no-multicast-peers", instead: "no-multicast-peers"),
    .fine(
      14, "4.6.1", "denied-peer-ip=224.0.0.0-239.255.255.255",
      "denied-peer-ip=ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", without: ["no-multicast"]),
    .missing(15, "4.6.1", without: "no-tcp-relay", instead: "no-tcp-relay"),
    .found(15, "4.6.1", "no-tcp-relay=0", without: ["no-tcp-relay"], instead: "no-tcp-relay"),
    .fine(15, "4.6.1", "no-tcp", "no-tls", without: ["no-tcp-relay"]),
    .found(30, "4.6.1", "server-relay", instead: ""),
    .fine(30, "4.6.1", "server-relay=off"),
  ]

  private static let administration: [Mistake] = [
    .missing(16, "4.5.0.8", without: "no-cli", instead: "no-cli"),
    .fine(16, "4.5.1.0", without: ["no-cli"]),
    .fine(16, "4.6.1", without: ["no-cli"]),
    .found(16, "4.9.0", "cli-password=Hn38sKs02lLw", without: ["no-cli"], instead: "no-cli"),
    .fine(16, "4.9.0", "cli-password=Hn38sKs02lLw"),
    .fine(16, "4.10.0", "cli-password=Hn38sKs02lLw", without: ["no-cli"]),
    .found(16, "4.10.0", "cli", "cli-password=Hn38sKs02lLw", line: 2),
    .found(16, "4.6.1", "cli-ip=0.0.0.0", "cli-password=$5$aa$bb", without: ["no-cli"], instead: "cli-ip=127.0.0.1"),
    .fine(16, "4.13.0", "cli-ip=0.0.0.0"),
    .found(17, "4.6.1", "web-admin-ip=0.0.0.0", "web-admin", instead: "web-admin-ip=127.0.0.1"),
    .found(17, "4.6.1", "web-admin"),
    .fine(17, "4.12.0", "web-admin"),
    .fine(17, "4.5.1.3"),
    .found(18, "4.9.0", "oauth"),
    .fine(18, "4.10.0", "oauth"),
    .fine(18, "4.9.0"),
    .found(21, "4.12.0", "redis-statsdb=\"ip=127.0.0.1 dbname=2\""),
    .fine(21, "4.13.0", "redis-statsdb=\"ip=127.0.0.1 dbname=2\""),
    .fine(21, "4.12.0", "redis-userdb=\"ip=127.0.0.1 dbname=2\""),
    .found(22, "4.15.0", "mobility"),
    .fine(22, "4.17.0", "mobility"),
    .fine(22, "4.15.0", "mobility=0"),
    .found(31, "4.8.0", "prometheus", instead: "prometheus\nprometheus-address=127.0.0.1"),
    .found(31, "4.8.0", "prometheus=0"),
    .found(31, "4.6.1", "prometheus"),
    .found(31, "4.8.0", "prometheus-username-labels", "prometheus-address=127.0.0.1", "prometheus", instead: ""),
    .fine(31, "4.8.0", "prometheus-address=127.0.0.1", "prometheus"),
    .fine(31, "4.14.0", "prometheus-address=192.0.2.9", "prometheus-tls"),
    .fine(31, "4.8.0", "prometheus-port=9641"),
    .found("secret", "4.6.1", "psql-userdb=\"host=db dbname=turn user=turn password=hunter2x\""),
    .found("secret", "4.6.1", "mongo-userdb=mongodb://turn:hunter2x@db/turn"),
    .fine("secret", "4.6.1", "psql-userdb=\"host=db dbname=turn user=turn\""),
  ]

  private static let encryption: [Mistake] = [
    .missing(23, "4.16.0", without: "no-dtls"),
    .fine(23, "4.16.0"),
    .fine(23, "4.17.0", "dtls", without: ["no-dtls"]),
    .fine(23, "4.6.1", without: ["no-dtls", "cert"]),
    .missing(24, "4.6.3", without: "no-tlsv1", instead: "no-tlsv1\nno-tlsv1_1"),
    .missing(24, "4.5.2", without: "no-tlsv1_1", instead: "no-tlsv1_1"),
    .fine(24, "4.7.0", without: ["no-tlsv1"]),
    .fine(24, "4.6.1", "no-tls", without: ["no-tlsv1"]),
    .fine(24, "4.6.1", without: ["no-tlsv1", "cert"]),
    .found(24, "4.7.0", "tlsv1", instead: ""),
    .fine(24, "4.7.0", "tlsv1_1=no"),
    .found(24, "4.6.1", "no-tlsv1_2", instead: ""),
    .found(24, "4.8.0", "no-tlsv1_2", without: ["no-dtls"], instead: "no-tlsv1_2\nno-dtls"),
    .fine(24, "4.8.0", "no-tlsv1_2"),
    .found(25, "4.6.1", "dh566", instead: ""),
    .found(25, "4.6.1", "dh1066"),
    .fine(25, "4.6.1", "dh1066=0"),
    .found(25, "4.6.1", "cipher-list=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"),
    .found(25, "4.6.2", "cipher-list=TLS_AES_128_GCM_SHA256"),
    .found(25, "4.6.1", "cipher-list=\"ECDHE-RSA-AES256-GCM-SHA512:DHE-RSA-AES256-GCM-SHA512\""),
    .found(25, "4.6.1", "cipher-list='ECDHE-RSA-AES128-GCM-SHA256'"),
    .found(
      25, "4.6.1", "cipher-list=ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA",
      instead: "cipher-list=\"ECDHE-RSA-AES128-GCM-SHA256\""),
    .found(25, "4.6.1", "cipher-list=HIGH:RC4:!aNULL"),
    .found(25, "4.6.1", "cipher-list=ECDHE-RSA-AES128-GCM-SHA256:!ECDHE"),
    .found(25, "4.6.1", "cipher-list=ECDHE-RSA-AES128-GCM-SHA256:!ALL"),
    .found(25, "4.6.1", "cipher-list=ECDHE-RSA-AES128-GCM-SHA256:!AES128"),
    .found(25, "4.6.1", "cipher-list=kEECDH+AESGCM:-ALL"),
    .found(25, "4.6.1", "cipher-list=kEECDH+AESGCM:!ECDHE"),
    .found(25, "4.6.1", "cipher-list=HIGH:!kRSA:!ECDHE:!DHE"),
    .fine(25, "4.6.1", "cipher-list=-ALL:ECDHE-RSA-AES128-GCM-SHA256"),
    .fine(25, "4.6.1", "cipher-list=EECDH+AESGCM:ECDHE-RSA-AES128-GCM-SHA256:!RSA:!SHA1:!SHA256:!SHA384"),
    .fine(25, "4.6.1", "cipher-list=HIGH:!aNULL:!MD5:!3DES:!RC4"),
    .fine(25, "4.6.1", "cipher-list=\"EECDH+AESGCM:EDH+AESGCM\""),
    .fine(25, "4.6.2", "cipher-list=ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256"),
    .fine(25, "4.6.1", "cipher-list=ECDHE-ECDSA-CHACHA20-POLY1305:DHE-RSA-AES256-GCM-SHA384"),
  ]

  private static let limits: [Mistake] = [
    .missing(26, "4.6.1", without: "max-bps", instead: "max-bps=1250000"),
    .missing(26, "4.6.1", without: "user-quota", "total-quota", instead: "user-quota=12\ntotal-quota=1200"),
    .found(26, "4.6.1", "user-quota=0", without: ["user-quota"], instead: "user-quota=12"),
    .found(26, "4.6.1", "max-bps=unlimited", without: ["max-bps"]),
    .found(26, "4.6.1", "bps-capacity=0"),
    .found(26, "4.6.1", "bps-capacity=1000000", without: ["max-bps"], instead: "max-bps=1000000\nbps-capacity=1000000"),
    .fine(26, "4.6.1", "bps-capacity=100000000"),
    .fine(26, "4.6.1", "stun-only", without: ["user-quota", "total-quota", "max-bps"]),
    .missing(27, "4.6.1", without: "no-rfc5780", instead: "no-rfc5780"),
    .missing(27, "4.5.1.2", without: "no-software-attribute", instead: "no-software-attribute"),
    .missing(27, "4.5.1.0", without: "no-software-attribute", instead: "prod"),
    .fine(27, "4.7.0"),
    .found(27, "4.7.0", "rfc5780=0", instead: ""),
    .found(27, "4.8.0", "software-attribute"),
    .fine(27, "4.8.0", "software-attribute=false"),
    .missing(27, "4.14.0", without: "nothing", instead: "unauthorized-ratelimit"),
    .fine(27, "4.14.0", "unauthorized-ratelimit"),
    .fine(27, "4.6.1", "no-udp", without: ["no-rfc5780"]),
    .found(28, "4.6.1", "stale-nonce=0", instead: "stale-nonce=600"),
    .found(28, "4.6.1", "stale-nonce=never"),
    .fine(28, "4.6.1", "stale-nonce"),
    .fine(28, "4.6.1", "stale-nonce=3600 # an hour"),
    .found(29, "4.6.1", "permission-lifetime=3600", instead: "permission-lifetime=300"),
    .found(29, "4.6.1", "channel-lifetime=60"),
    .fine(29, "4.6.1", "permission-lifetime=300", "channel-lifetime", "max-allocate-lifetime=1200"),
  ]

  private static let options: [Mistake] = [
    .found(32, "4.6.1", "no-loopback-peers", instead: ""),
    .found(32, "4.6.1", "allowed-peer=0.0.0.0/0", instead: ""),
    // It works there; the next version leaves it out.
    .found(32, "4.5.0.8", "no-loopback-peers", without: ["no-software", "no-rfc", "no-stun"]),
    .found(32, "4.7.0", "no-tlsv1", without: ["no-"], instead: ""),
    .found(32, "4.6.1", "fingerprint # always", instead: "fingerprint"),
    .found(32, "4.6.1", "fingerprint=off # never", instead: "fingerprint=no"),
    .found(32, "4.6.1", "verbose=enabled", instead: "verbose"),
    .fine(32, "4.6.1", "fingerprint=yes # always", "verbose=0", "use-auth-secret # as ever"),
    // The mistake is harmless; the option that was meant would open the server.
    .found(32, "4.6.1", "allowed-peer=192.0.2.15", instead: ""),
    .found(32, "4.6.1", "allowed-peer-ips=0.0.0.0-255.255.255.255", instead: ""),
    .found(32, "4.6.1", "no_auth", instead: ""),
    .found(32, "4.6.1", "noauth", instead: ""),
    .found(32, "4.6.1", "--no-auth", instead: ""),
    .found(32, "4.6.1", "No-Auth", instead: ""),
    .found(32, "4.6.1", "\u{FEFF}no-auth", instead: ""),
    .found(32, "4.6.1", "no-auth;", instead: ""),
    .found(32, "4.6.1", "no-auth # for a while", instead: ""),
    .found(32, "4.6.1", "allow_loopback_peers", instead: ""),
    .found(32, "4.6.1", "allow-loopback-peer", instead: ""),
    .found(32, "4.6.1", "server_relay", instead: ""),
    .found(32, "4.6.1", "web_admin", instead: ""),
    .found(32, "4.6.1", "total_quota=100", instead: "total-quota=100"),
    .found(32, "4.6.1", "denied_peer_ip=192.0.2.0/24", instead: "denied-peer-ip=192.0.2.0-192.0.2.255"),
    .found(32, "4.6.1", "--fingerprint", instead: "fingerprint"),
    .found(32, "4.6.1", "static-auth-secrett=Jd83nsk29dn", instead: nil),
    .found(32, "4.6.1", "include /etc/turnserver.d/*.conf"),
    .found(32, "4.6.1", "fingerprint;"),
    .found(32, "4.6.1", "listening-port=3478;", instead: "listening-port=3478"),
    .found(32, "4.6.1", "dtls"),
    .found(32, "4.10.0", "no-cli", without: ["no-cli"], instead: ""),
    .found(32, "4.17.0", "no-dtls", without: ["no-dtls"], instead: ""),
    .found(32, "4.13.0", "listening-port=3478 # udp", instead: "listening-port=3478"),
    .fine(32, "4.12.0", "listening-port=3478 # udp", without: ["no-"]),
    .found(32, "4.6.1", "no-udp-relay", instead: ""),
    .fine(32, "4.6.1", "prod", "no-sslv2"),
    .found("comment", "4.6.1", "realm=turn.example.com # ours", without: ["realm"], instead: "realm=turn.example.com"),
    .fine("comment", "4.6.1", "realm=turn.example.com#1", without: ["realm"]),
    .found("line", "4.6.1", "log-file=/var/log/\(String(repeating: "a", count: 1100))"),
    .found(33, "4.6.1", "tls-listening-port=443"),
    .fine(33, "4.6.1", "tls-listening-port=5349"),
    .found(33, "4.6.1", "pkey=/etc/letsencrypt/live/turn.example.com/privkey.pem", without: ["pkey"]),
    .found(33, "4.6.1", "cert=/etc/coturn/a.pem", without: ["cert", "pkey"]),
    .found(33, "4.6.1", "pkey=/etc/coturn/a.pem", without: ["cert", "pkey"]),
    .found(33, "4.6.1", "cert=/etc/coturn/a.pem", "pkey=", without: ["cert", "pkey"]),
    .found(33, "4.6.1", "cert=/etc/coturn/a.pem", "no-tls", without: ["cert", "pkey", "no-dtls"]),
    .fine(33, "4.6.1", "cert=/etc/coturn/a.pem", "no-tls", without: ["cert", "pkey"]),
    .fine(33, "4.17.0", "cert=/etc/coturn/a.pem", "no-tls", without: ["cert", "pkey", "no-dtls"]),
    .fine(33, "4.6.1", without: ["cert", "pkey"]),
    .found(33, "4.6.1", "proc-user=root"),
    .fine(33, "4.6.1", "proc-user=turnserver"),
    .found(33, "4.6.1", "cert=/etc/turn_server_cert.pem", without: ["cert"]),
    .found("paths", "4.6.1", "pkey=privkey.pem", without: ["pkey"]),
    .found("ports", "4.6.1", "listening-port=5349", instead: "listening-port=3478"),
    .fine("ports", "4.6.1", "listening-port=3478", "tls-listening-port=5349"),
    .found("ports", "4.6.1", "max-port=40000"),
    .found("ports", "4.6.1", "max-port=70000"),
    .found(32, "4.17.1", "max-port=70000"), .fine("ports", "4.17.1", "max-port=70000"),
    .found("ports", "4.17.1", "max-port=40000", "min-port=50000"),
    .found("max-bps", "4.6.1", "max-bps=10000000", without: ["max-bps"]),
    .fine("max-bps", "4.6.1", "max-bps=2500000", without: ["max-bps"]),
    .fine(26, "4.6.1", "max-bps=10000000", without: ["max-bps"]),
    .found("ports", "4.6.1", "max-port=655350"),
    .found("ports", "4.6.1", "min-port=abc"),
    .found("ports", "4.6.1", "min-port=0"),
    .found("ports", "4.6.1", "listening-port=99999"),
    .found("ports", "4.6.1", "listening-port=-1"),
    .found("ports", "4.6.1", "listening-port="),
    .found("ports", "4.6.1", "cli-port=telnet"),
    .fine("ports", "4.6.1", "min-port=1", "max-port=65535", "alt-listening-port=0"),
    .fine("ports", "4.6.1", "listening-port=3478 # udp"),
    .found("db", "4.6.1", "mysql-userdb=\"host=db\""),
    .found("external-ip", "4.6.1", "external-ip=YOUR_PUBLIC_IP"),
    .found("external-ip", "4.6.1", "external-ip=192.0.2.1", "external-ip=192.0.2.2", line: 2),
    .fine("external-ip", "4.6.1", "external-ip=192.0.2.1/10.0.0.1", "external-ip=192.0.2.2/10.0.0.2"),
  ]

  private static let advisories: [Mistake] = [
    .missing(10, "4.5.1.3", without: "denied-peer-ip=::1"),
    .fine(10, "4.5.1.3"),
    .fine(10, "4.5.2", without: ["denied-peer-ip=::1"]),
    .missing(11, "4.8.0", without: "denied-peer-ip=::ffff"),
    .missing(11, "4.12.0", without: "denied-peer-ip=::ffff"),
    .fine(11, "4.8.0"),
    .fine(11, "4.13.0", without: ["denied-peer-ip=::ffff"]),
    .missing(19, "4.9.0", without: "nothing"),
    .fine(19, "4.10.0"),
    .missing(20, "4.7.0", without: "nothing"),
    .fine(20, "4.8.0"),
    .missing(34, "4.14.0", without: "nothing"),
    .missing(34, "4.17.0", without: "nothing"),
    .missing(34, "4.17.1", without: "nothing"),
  ]

  @Test(
    "finds each mistake, and raises no false alarm",
    arguments: authentication + peers + administration + encryption + limits + options + advisories)
  func mistakes(_ mistake: Mistake) throws {
    let findings = try audit(mistake.text, mistake.version).findings
    let ofItem = findings.filter { $0.item.description == mistake.item }
    guard mistake.isFound else {
      #expect(ofItem.map(\.message) == [])
      return
    }
    let found = ofItem.filter { $0.line == mistake.line }
    #expect(!found.isEmpty, "found: \(ofItem.map { "\($0.line ?? 0): \($0.message)" })")
    guard let instead = mistake.instead else { return }
    #expect(found.contains { $0.instead == instead }, "instead: \(found.map { $0.instead ?? "nil" })")
  }

  /// How many mistakes an audit found. That the next version leaves out a line which this one needs is none.
  private func mistakes(_ audit: ConfigurationAudit) -> Int {
    audit.findings.filter { !$0.ifNotBackported && !($0.code == .optionRemoved && $0.severity == .info) }.count
  }

  /// The lines to write instead, put in the place of the mistake, must not be found again, and must not bring a new mistake.
  @Test(
    "proposes only lines that are right as they stand",
    arguments: (authentication + peers + administration + encryption + limits + options).filter(\.isFound))
  func proposals(_ mistake: Mistake) throws {
    let before = try audit(mistake.text, mistake.version)
    for finding in before.findings where !finding.ifNotBackported {
      guard let instead = finding.instead else { continue }
      var lines = mistake.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let replacement = instead.isEmpty ? [] : instead.split(separator: "\n").map(String.init)
      if let line = finding.line {
        lines.replaceSubrange((line - 1)..<line, with: replacement)
      } else {
        lines = replacement + lines
      }
      let after = try audit(lines.joined(separator: "\n"), mistake.version)
      let worse = after.findings.filter { !$0.ifNotBackported && $0.severity >= finding.severity }
      let known = Set(before.findings.map { "\($0.code) \($0.item)" })
      #expect(
        worse.filter { !known.contains("\($0.code) \($0.item)") }.map(\.message) == [],
        "\(finding.message) -> \(instead)")
      #expect(mistakes(after) < mistakes(before), "\(finding.message) -> \(instead)")
    }
  }

  @Test(
    "weighs an allowed range by what it opens",
    arguments: [
      ("0.0.0.0-255.255.255.255", .critical), ("1.0.0.0-255.255.255.255", .critical),
      ("0.0.0.1-255.255.255.254", .critical), ("192.168.0.0-192.169.255.255", .critical),
      ("126.0.0.0-128.0.0.0", .critical), ("0.0.0.0-ffff::", .critical), ("2000::-ffff::", .critical),
      ("169.254.169.0-169.254.169.255", .high), ("169.254.169.254", .high), ("10.0.0.0-10.255.255.255", .medium),
      ("10.1.2.3-10.1.2.9", .medium), ("10.1.2.3", .info),
    ] as [(String, AuditSeverity)])
  func allowed(_ range: String, _ severity: AuditSeverity) throws {
    let findings = try audit("allowed-peer-ip=\(range)\n\(right)", "4.16.0").findings
    #expect(findings.filter { $0.item == .word("allow") }.map(\.severity) == [severity])
  }

  @Test(
    "proposes no range where it cannot tell which was meant",
    arguments: [
      "denied-peer-ip=192.168.1.10-1", "denied-peer-ip=192.168.1.1-1.10", "denied-peer-ip=192.168.1.1-256",
      "denied_peer_ip=::/128",
    ])
  func unclearRanges(_ line: String) throws {
    let found = try audit("\(line)\n\(right)", "4.6.1").findings.filter { $0.line == 1 }
    #expect(!found.isEmpty && found.allSatisfy { $0.instead == nil }, "\(found.map { $0.instead ?? "nil" })")
  }

  @Test("tells a certificate without its key from a path that is relative, and bits in place of bytes as a note")
  func codes() throws {
    let withoutKey = try audit("cert=/etc/coturn/a.pem\n", "4.6.1").findings
    #expect(withoutKey.contains { $0.code == .certificateWithoutKey && $0.severity == .high })
    #expect(!withoutKey.contains { $0.code == .relativePath })
    let bits = try #require(try audit("max-bps=10000000\n", "4.6.1").findings.first { $0.code == .limitInBits })
    #expect(bits.severity == .info && bits.message.contains("80 Mbit/s") && bits.message.contains("write 1250000"))
    let ports = try audit("max-port=70000\n", "4.17.1").findings.filter { $0.line == 1 }
    #expect(ports.map(\.code) == [.optionEndsServer])
  }

  @Test("shows no secret of the file")
  func secrets() throws {
    let secret = "Zx81QmPw77LkTt05"
    let text = """
      static-auth-secret=\(secret)
      static-auth-secret:\(secret)
      \(secret)
      use-auth-secret \(secret)
      static-auth-secrets=\(secret)
      user=a:\(secret)
      user=\(secret)
      usr=b:\(secret)
      cli-password=\(secret)
      cli-pasword=\(secret)
      mysql-userdb="host=x password=\(secret)"
      redis-statsdb=mongodb://u:\(secret)@h # c
      pkey-pwd=\(secret) # x
      stateless-nonce-secret=\(secret);

      """
    for version in ["4.5.0.8", "4.6.1", "4.9.0", "4.17.1"] {
      let shown = try audit(text, version).json.text()
      #expect(!shown.contains(secret), "\(version): \(shown)")
    }
  }

  @Test("judges a version that is not known by the nearest one, and says so")
  func versions() throws {
    #expect(try audit(right, "9.0.0").findings.contains { $0.item == .word("version") && $0.severity == .info })
    #expect(try audit(right, "4.2.1").findings.contains { $0.item == .word("version") })
    #expect(try !audit(right, "4.17.1").findings.contains { $0.item == .word("version") })
  }

  @Test(
    "says of a file that is none that it is none",
    arguments: ["<html>\n<body>\n", "{\"listening_port\": 3478}", "\u{7F}ELF\u{2}\u{1}", "[server]\nport: 1\n"])
  func otherFiles(_ text: String) throws {
    let findings = try audit(text, "4.6.1").findings
    #expect(findings.contains { $0.code == .notAConfiguration && $0.severity == .critical })
  }

  @Test("ends on hostile bytes and a megabyte of mistakes, with as many findings as can be read")
  func hostile() throws {
    let everything = (0..<4096).flatMap { _ in (UInt8.min...UInt8.max) }
    let version = CoturnVersion(4, 6, 1)
    _ = ConfigurationAudit(everything, version)
    let mistakes = Array(String(repeating: "denied-peer-ip=10.0.0.0/8\nno-such-option\n", count: 25_000).utf8)
    let audit = ConfigurationAudit(mistakes, version)
    #expect(audit.findings.count < 500)
    #expect(audit.findings.contains { $0.message.contains("not listed") })
  }
}
