/// The options of turnserver.conf, by version: from the table of long options in coturn's `mainrelay.c`, tag by tag.
///
/// A build without a database's library, or without Prometheus, lacks the options of it.
package struct OptionTable: Sendable {
  private let options: [String: ConfigurationOption]

  /// The options of one version.
  package init(_ version: CoturnVersion) {
    let known = ConfigurationOption.all(in: version)
    options = Dictionary(known.map { ($0.name, $0) }) { first, _ in first }
  }

  package subscript(name: String) -> ConfigurationOption? { options[name] }

  package var names: [String] { options.keys.sorted() }

  /// The option of some version, with the span in which it is known.
  package static func span(of name: String) -> (since: CoturnVersion, before: CoturnVersion?)? {
    guard let rows = rows[name] else { return nil }
    guard let first = rows.map(\.since).min() else { return nil }
    let ends = rows.map(\.before)
    return (first, ends.contains(nil) ? nil : ends.compactMap(\.self).max())
  }

  private static let rows = Dictionary(grouping: ConfigurationOption.all, by: \.name)
}

extension ConfigurationOption {
  /// Those that a version knows.
  package static func all(in version: CoturnVersion) -> [ConfigurationOption] { all.filter { $0.exists(in: version) } }

  private static func rows(
    _ kind: Kind, since: CoturnVersion = .oldestKnown, before: CoturnVersion? = nil, _ names: String
  ) -> [ConfigurationOption] {
    names.split(separator: " ").map { .init(String($0), kind, since: since, before: before) }
  }

  /// All of them; an option that changed its meaning has a row for each.
  package static let all: [ConfigurationOption] = [
    rows(
      .flag,
      """
      lt-cred-mech no-auth oauth verbose Verbose daemon fingerprint check-origin-consistency no-udp no-tcp no-tls no-udp-relay no-tcp-relay \
      stun-only no-stun no-stdout-log syslog simple-log udp-self-balance no-multicast-peers secure-stun mobility server-relay dh566 \
      no-tlsv1_2 no-dtls
      """),
    rows(.presence, "use-auth-secret"),
    rows(
      .port, "listening-port tls-listening-port alt-listening-port alt-tls-listening-port min-port max-port cli-port"),
    rows(
      .number,
      """
      relay-threads user-quota total-quota max-bps bps-capacity max-allocate-timeout cli-max-output-sessions stale-nonce
      """),
    rows(.address, "listening-ip relay-ip cli-ip"),
    rows(.text, "external-ip"),
    rows(.range, "allowed-peer-ip denied-peer-ip"),
    rows(.path, "cert pkey dh-file CA-file log-file pidfile userdb db"),
    rows(
      .text,
      """
      listening-device relay-device realm server-name rest-api-separator aux-server alternate-server tls-alternate-server cipher-list \
      ec-curve-name proc-user proc-group
      """),
    rows(
      .secret,
      """
      user static-auth-secret psql-userdb sql-userdb mysql-userdb mongo-userdb redis-userdb redis-statsdb cli-password pkey-pwd
      """),
    [
      .init("no-cli", .flag, before: v(4, 10)),
      .init("no-cli", .ignored, since: v(4, 10)),
      .init("cli", .flag, since: v(4, 10)),
      .init("dtls", .flag, since: v(4, 17)),
      .init("secret-ts-exp-time", .ignored, before: v(4, 7)),
      .init("no-sslv2", .ignored, before: v(4, 7)),
      .init("no-sslv3", .ignored, before: v(4, 7)),
      .init("no-tlsv1", .flag, before: v(4, 7)),
      .init("no-tlsv1_1", .flag, before: v(4, 7)),
      .init("tlsv1", .flag, since: v(4, 7)),
      .init("tlsv1_1", .flag, since: v(4, 7)),
      .init("ne", .number, before: v(4, 10)),
      .init("no-loopback-peers", .flag, before: v(4, 5, 1)),
      .init("allow-loopback-peers", .flag, since: v(4, 5, 1)),
      .init("no-http", .flag, since: v(4, 5, 0, 7), before: v(4, 5, 1)),
      .init("dh2066", .flag, before: v(4, 5, 1, 2)),
      .init("dh1066", .flag, since: v(4, 5, 1, 2)),
      .init("prod", .flag, since: v(4, 5, 0, 6), before: v(4, 7)),
      .init("no-software-attribute", .flag, since: v(4, 5, 1, 2)),
      .init("software-attribute", .flag, since: v(4, 7)),
      .init("tcp-proxy-port", .port, since: v(4, 5, 1, 2)),
      .init("secret-key-file", .path, since: v(4, 5, 0, 8)),
      .init("keep-address-family", .flag, since: v(4, 5, 0, 8)),
      .init("allocation-default-address-family", .text, since: v(4, 6)),
      .init("acme-redirect", .text, since: v(4, 5, 2)),
      .init("log-binding", .flag, since: v(4, 5, 2)),
      .init("new-log-timestamp", .presence, since: v(4, 5, 2), before: v(4, 17)),
      .init("new-log-timestamp", .flag, since: v(4, 17)),
      .init("new-log-timestamp-format", .text, since: v(4, 5, 2)),
      .init("prometheus", .presence, since: v(4, 5, 2)),
      .init("prometheus-port", .port, since: v(4, 6)),
      .init("prometheus-username-labels", .presence, since: v(4, 6)),
      .init("prometheus-address", .address, since: v(4, 6, 3)),
      .init("prometheus-path", .text, since: v(4, 7)),
      .init("prometheus-tls", .flag, since: v(4, 14)),
      .init("prometheus-cert", .path, since: v(4, 14)),
      .init("prometheus-key", .path, since: v(4, 14)),
      .init("no-rfc5780", .presence, since: v(4, 6), before: v(4, 7)),
      .init("no-rfc5780", .ignored, since: v(4, 7)),
      .init("rfc5780", .presence, since: v(4, 7)),
      .init("no-stun-backward-compatibility", .flag, since: v(4, 6), before: v(4, 7)),
      .init("stun-backward-compatibility", .flag, since: v(4, 7)),
      .init("response-origin-only-with-rfc5780", .flag, since: v(4, 6), before: v(4, 7)),
      .init("response-origin-only-with-rfc5780", .ignored, since: v(4, 7)),
      .init("syslog-facility", .text, since: v(4, 6)),
      .init("raw-public-keys", .flag, since: v(4, 6, 3)),
      .init("respond-http-unsupported", .flag, since: v(4, 6, 3)),
      .init("log-min-level", .text, since: v(4, 15)),
      .init("stateless-nonce-secret", .secret, since: v(4, 16)),
      .init("multiplex-peer", .presence, since: v(4, 12)),
    ],
    rows(.number, since: v(4, 5, 0, 5), "max-allocate-lifetime channel-lifetime permission-lifetime"),
    rows(.flag, since: v(4, 5, 1), "web-admin web-admin-listen-on-workers"),
    rows(.address, since: v(4, 5, 1), "web-admin-ip"),
    rows(.port, since: v(4, 5, 1), "web-admin-port"),
    rows(.presence, since: v(4, 5, 1, 2), "no-auth-pings no-dynamic-ip-list no-dynamic-realms"),
    rows(.number, since: v(4, 8), "cpus sock-buf-size"),
    rows(.flag, since: v(4, 8), "drop-invalid-packets drop-invalid-packets-log"),
    rows(.flag, since: v(4, 10), "include-reason-string udp-recvmmsg"),
    rows(.flag, since: v(4, 12), "udp-gso udp-recvmmsg-log"),
    rows(.number, since: v(4, 12), "multiplex-peer-port"),
    rows(.flag, since: v(4, 13), "udp-sendmmsg-log"),
    rows(.flag, since: v(4, 14), "unauthorized-ratelimit"),
    rows(.number, since: v(4, 14), "unauthorized-ratelimit-rps"),
    rows(.number, since: v(4, 15), "drain-min-allocations"),
    rows(.text, since: v(4, 15), "tcp-alternate-server udp-alternate-server"),
    rows(.flag, since: v(4, 16), "rfc3489-compatibility rfc5766-channel-numbers stateless-nonce"),
    rows(.number, since: v(4, 16), "multiplex-peer-max-peers"),
  ].flatMap(\.self)

  private static func v(_ major: Int, _ minor: Int, _ patch: Int = 0, _ fourth: Int = 0) -> CoturnVersion {
    CoturnVersion(major, minor, patch, fourth)
  }
}
