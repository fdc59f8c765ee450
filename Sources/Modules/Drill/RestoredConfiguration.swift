import Addresses
import Coturn

/// A restored turnserver.conf, as far as a drill has to know it.
struct RestoredConfiguration: Sendable {
  /// A socket that the server opens once it is ready.
  struct Listener: Hashable, Sendable, CustomStringConvertible {
    let transport: String
    let port: UInt16

    var description: String { "\(port)/\(transport)" }
  }

  /// A file that the configuration names.
  struct ConfiguredFile: Hashable, Sendable {
    let option: String
    let path: String
  }

  let text: TurnConfiguration

  init(_ bytes: [UInt8], _ version: CoturnVersion) { text = TurnConfiguration(bytes, version) }

  /// Options whose files the server reads. What it writes (`log-file`, `pidfile`) need not be there.
  private static let read = [
    "cert", "pkey", "dh-file", "CA-file", "userdb", "db", "secret-key-file", "prometheus-cert", "prometheus-key",
  ]

  /// Where coturn looks for users if nothing says where.
  static let usualDatabases = ["/var/lib/turn/turndb", "/usr/local/var/db/turndb", "/var/db/turndb", "/etc/turndb"]

  /// The files that it reads, by absolute paths.
  var filesRead: [ConfiguredFile] { files(of: Self.read) }
  /// The files that it writes.
  var filesWritten: [ConfiguredFile] { files(of: ["log-file", "pidfile"]) }

  private func files(of options: [String]) -> [ConfiguredFile] {
    options.compactMap { option in
      text.value(option).flatMap { $0.hasPrefix("/") ? ConfiguredFile(option: option, path: $0) : nil }
    }
  }

  var listeningAddresses: [IPAddress] { addresses("listening-ip") }

  /// Every address that it listens on, relays from, or calls its own.
  var addresses: [IPAddress] {
    var found: [IPAddress] = []
    for address in listeningAddresses + addresses("relay-ip") + addresses("external-ip") where !found.contains(address)
    {
      found.append(address)
    }
    return found
  }

  /// `PUBLIC/PRIVATE` are two.
  private func addresses(_ option: String) -> [IPAddress] {
    text.all(option).flatMap { $0.value.split(separator: "/") }.compactMap { IPAddress($0) }.filter { $0.isAssignable }
  }

  /// An address that a client can have whose relayed data may come back to it: one that the configuration denies no relaying to. On the
  /// isolated host a client has the address of the server otherwise, and a server in a private network denies itself. Nil if that is
  /// allowed. Nothing leaves the isolated host, whosever address it is.
  func client(of server: IPAddress) -> IPAddress? {
    guard case .v4 = server else { return nil }
    let denied = PeerRanges(
      text.all("denied-peer-ip").compactMap { line in
        if case .range(let first, let last) = PeerRange(line.value) { (first, last) } else { nil }
      }, text.version)
    guard denied.touches(server, server) else { return nil }
    return Self.clients.lazy.compactMap { IPAddress($0) }.first { !denied.touches($0, $0) && !addresses.contains($0) }
  }

  /// Addresses of documentation (RFC 5737), and of anybody.
  private static let clients = ["192.0.2.77", "198.51.100.77", "203.0.113.77", "11.22.33.77", "44.55.66.77"]

  /// What it listens on as it is.
  var listeners: [Listener] {
    let plain = port("listening-port", 3478)
    let secure = port("tls-listening-port", 5349)
    var found: [Listener] = []
    if !text.isOn("no-udp") { found.append(Listener(transport: "udp", port: plain)) }
    if !text.isOn("no-tcp") { found.append(Listener(transport: "tcp", port: plain)) }
    // `cert` and `pkey` say that it is meant to, whether it can or not.
    if text.value("cert") != nil || text.value("pkey") != nil {
      if text.wantsTLS { found.append(Listener(transport: "tcp", port: secure)) }
      if text.wantsDTLS { found.append(Listener(transport: "udp", port: secure)) }
    }
    var unique: [Listener] = []
    for listener in found where !unique.contains(listener) { unique.append(listener) }
    return unique
  }

  private func port(_ option: String, _ usual: UInt16) -> UInt16 {
    text.number(option).flatMap(UInt16.init(exactly:)).flatMap { $0 == 0 ? nil : $0 } ?? usual
  }
}

extension IPAddress {
  /// Whether an interface can have it besides those that every host has: no loopback, multicast or unspecified address.
  var isAssignable: Bool {
    switch self {
    case .v4(let value): value >> 24 != 0 && value >> 24 != 127 && value >> 28 < 14
    case .v6(let high, let low): (high, low) != (0, 0) && (high, low) != (0, 1) && high >> 56 != 0xFF
    }
  }
}
