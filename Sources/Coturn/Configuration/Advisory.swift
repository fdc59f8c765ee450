/// What is known to be wrong with a span of coturn's versions.
///
/// A version alone misjudges distributions: they backport mends without changing the version.
package struct Advisory: Hashable, Sendable {
  /// What must be in use for it to matter.
  package enum Condition: Hashable, Sendable {
    case always
    /// TURN itself: not with `stun-only`.
    case relaying
    /// `0.0.0.0` and `::1` as peers, which ranges can deny.
    case unspecifiedPeers
    /// `::ffff:` peers, which a range can deny.
    case mappedPeers
    case commandLineInterface
    case webAdministration
    case oauth
    case redisStatistics
    case mobility
    case dtls
  }

  /// The CVE or GHSA number, or a name of ours if there is none.
  package let id: String
  /// The item of the audit that it belongs to.
  package let item: Int
  package let since: CoturnVersion
  /// The first version without it.
  package let fixedIn: CoturnVersion
  package let condition: Condition
  package let severity: AuditSeverity
  /// What an attacker gains, in a sentence.
  package let meaning: String
  /// Where it is told.
  package let source: String

  /// Whether a version has it, as far as the version tells.
  package func affects(_ version: CoturnVersion) -> Bool { version >= since && version < fixedIn }

  private init(
    _ id: String, item: Int, since: CoturnVersion = CoturnVersion(0, 0), fixedIn: CoturnVersion,
    _ condition: Condition, _ severity: AuditSeverity, _ meaning: String, source: String? = nil
  ) {
    self.id = id
    self.item = item
    self.since = since
    self.fixedIn = fixedIn
    self.condition = condition
    self.severity = severity
    self.meaning = meaning
    self.source =
      source
      ?? (id.hasPrefix("CVE")
        ? "https://nvd.nist.gov/vuln/detail/\(id)"
        : "https://github.com/coturn/coturn/security/advisories/\(id)")
  }

  /// Those that affect a version, whatever is configured.
  package static func affecting(_ version: CoturnVersion) -> [Advisory] { all.filter { $0.affects(version) } }

  package static let all: [Advisory] = [
    .init(
      "CVE-2018-4056", item: 17, fixedIn: v(4, 5, 1), .webAdministration, .critical,
      "Anybody can log in to the web administration by an SQL injection."),
    .init(
      "CVE-2018-4058", item: 7, fixedIn: v(4, 5, 1), .relaying, .high,
      "The server relays to its own loopback unless no-loopback-peers is set."),
    .init(
      "CVE-2018-4059", item: 16, fixedIn: v(4, 5, 1), .commandLineInterface, .critical,
      "The telnet CLI needs no password unless one is set."),
    .init(
      "CVE-2020-6061", item: 17, fixedIn: v(4, 5, 1, 2), .webAdministration, .critical,
      "An HTTP POST to the web administration overflows the heap."),
    .init(
      "CVE-2020-6062", item: 17, fixedIn: v(4, 5, 1, 2), .webAdministration, .high,
      "An HTTP POST to the web administration crashes the server."),
    .init(
      "CVE-2020-4067", item: 20, fixedIn: v(4, 5, 1, 3), .always, .high,
      "The padding of answers tells what other clients sent."),
    .init(
      "CVE-2020-26262", item: 10, fixedIn: v(4, 5, 2), .unspecifiedPeers, .high,
      "The peers 0.0.0.0 and ::1 reach the server's own loopback."),
    .init(
      "CVE-2025-69217", item: 20, fixedIn: v(4, 8), .always, .high,
      "Random numbers of the server, nonces among them, can be predicted."),
    .init(
      "CVE-2026-27624", item: 11, fixedIn: v(4, 9), .mappedPeers, .high,
      "IPv4-mapped peers (::ffff:10.1.2.3) pass the denied ranges of IPv4."),
    .init(
      "CVE-2026-27624 (loopback)", item: 11, since: v(4, 9), fixedIn: v(4, 13), .mappedPeers, .high,
      "IPv4-mapped peers of the loopback (::ffff:127.0.0.1) are still relayed to.",
      source: "https://nvd.nist.gov/vuln/detail/CVE-2026-27624"),
    .init(
      "CVE-2026-43994", item: 18, fixedIn: v(4, 10), .oauth, .critical,
      "An OAuth token overflows the stack while it is decoded."),
    .init(
      "CVE-2026-40613", item: 19, fixedIn: v(4, 10), .always, .high,
      "On ARM64, and only there, a client that is not logged in can crash the server by an unaligned attribute."),
    .init(
      "CVE-2026-53450", item: 34, fixedIn: v(4, 13), .mappedPeers, .high,
      "Peers that hold an IPv4 address inside an IPv6 one pass the denied ranges. Sources differ on the first version without it: 4.10 or 4.13.",
      source: jitsi),
    .init(
      "GHSA-v8hj-2xx7-xmp5", item: 17, since: v(4, 5, 1), fixedIn: v(4, 12), .webAdministration, .high,
      "Fields of the web administration reach the SQLite database unquoted (SQL injection)."),
    .init(
      "GHSA-4g7c-p5wg-j4hp", item: 21, fixedIn: v(4, 13), .redisStatistics, .high,
      "A user name with a percent sign crashes the server on its way to the Redis statistics database."),
    .init(
      "CLI psd", item: 16, fixedIn: v(4, 13), .commandLineInterface, .medium,
      "The CLI command psd overwrites any file that the server may write.",
      source: "https://github.com/coturn/coturn/commit/e72930f5"),
    .init(
      "CVE-2026-62959", item: 34, fixedIn: v(4, 15), .always, .critical,
      "A client that is not logged in is told what lies in the server's heap.", source: jitsi),
    .init(
      "CVE-2026-68552", item: 34, fixedIn: v(4, 15), .always, .high,
      "The length of a STUN message is cut to 16 bits.", source: jitsi),
    .init(
      "mobility resume flood", item: 22, fixedIn: v(4, 16), .mobility, .medium,
      "A user who resumes a session again and again leaves sessions behind that are never ended.",
      source: "https://github.com/coturn/coturn/commit/a97f1924"),
    .init(
      "mobility quota bypass", item: 22, fixedIn: v(4, 17), .mobility, .medium,
      "A user who disconnects and allocates again holds more allocations than the quotas permit.",
      source: "https://github.com/coturn/coturn/commit/3c5b2615"),
    .init(
      "CVE-2026-73214", item: 34, fixedIn: v(4, 17), .dtls, .high,
      "DTLS handshakes that are never finished exhaust the server. Sources differ on the first version without it: 4.16 or 4.17.",
      source: jitsi),
    .init(
      "GHSA-5x2p-4vqj-f6m4", item: 23, fixedIn: v(4, 17), .dtls, .high,
      "ClientHellos from forged addresses make the server keep state for each of them."),
    .init(
      "EVEN-PORT exhaustion", item: 34, fixedIn: v(4, 17), .relaying, .medium,
      "Requests for an even port each take a second port for good: a user can use up the range.",
      source: "https://github.com/coturn/coturn/commit/4adbd82e"),
    .init(
      "UDP with TTL 1", item: 34, since: v(4, 17), fixedIn: v(4, 17, 2), .relaying, .high,
      "Relayed UDP is sent with a TTL of 1: it reaches no peer behind a router. Take 4.18.0 or later.",
      source: "https://github.com/coturn/coturn/issues/2043"),
  ]

  private static let jitsi = "https://github.com/jitsi/infra-provisioning/pull/1208"

  private static func v(_ major: Int, _ minor: Int, _ patch: Int = 0, _ fourth: Int = 0) -> CoturnVersion {
    CoturnVersion(major, minor, patch, fourth)
  }
}
