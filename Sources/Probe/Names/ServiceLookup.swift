import Addresses
import Glibc
import STUN

/// Asks name servers for SRV records.
enum ServiceLookup {
  /// The records of a service, in the order in which to try them; empty where there are none or nobody answers.
  ///
  /// - Parameter nameServers: nil takes those of `/etc/resolv.conf`.
  static func records(
    of name: String, nameServers: [TransportAddress]?, by deadline: Instant
  ) async -> [ServiceRecord] {
    for server in nameServers ?? configuredNameServers() {
      guard deadline > .now else { break }
      switch await NameServer(address: server).records(of: name, by: deadline) {
      case .records(let records):
        var generator = SystemRandomNumberGenerator()
        return ServiceRecord.inOrder(records, using: &generator)
      case .nothing: return []
      case .truncated, .failed, nil: continue
      }
    }
    return []
  }

  private static func configuredNameServers() -> [TransportAddress] {
    guard let file = fopen("/etc/resolv.conf", "r") else { return [] }
    defer { fclose(file) }
    var servers: [TransportAddress] = []
    var line = [CChar](repeating: 0, count: 1024)
    while unsafe fgets(&line, CInt(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      let words = text.split(whereSeparator: \.isWhitespace)
      guard words.count >= 2, words[0] == "nameserver", let address = IPAddress(String(words[1])) else { continue }
      servers.append(TransportAddress(ip: address, port: 53))
    }
    return servers
  }
}
