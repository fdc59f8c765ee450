import Addresses

/// What the version alone says: known vulnerabilities, as far as the configuration does not keep them out.
extension AuditNotes {
  mutating func auditAdvisories() {
    for advisory in Advisory.affecting(version) {
      guard let line = place(of: advisory.condition, denied) else { continue }
      add(
        .advisory, advisory.item, advisory.severity, line.number,
        "\(advisory.id): \(advisory.meaning) Mended in \(advisory.fixedIn), unless your distribution mended it before. See \(advisory.source).",
        ifNotBackported: true)
    }
  }

  /// Where a finding belongs; its number is nil for the file as a whole.
  private struct Place {
    let number: Int?

    init(_ line: ConfigurationLine?) { number = line?.number }
  }

  /// nil if what an advisory needs is not in use.
  private func place(of condition: Advisory.Condition, _ denied: PeerRanges) -> Place? {
    switch condition {
    case .always: return Place(nil)
    case .relaying: return configuration.relays ? Place(nil) : nil
    case .mappedPeers: return configuration.relays && !deniesMapped(denied) ? Place(nil) : nil
    case .unspecifiedPeers: return configuration.relays && !deniesUnspecified(denied) ? Place(nil) : nil
    case .commandLineInterface:
      guard configuration.hasCommandLineInterface else { return nil }
      return Place(configuration.line(turningOn: "cli") ?? configuration.last("cli-password"))
    case .webAdministration:
      return configuration.hasWebAdministration ? Place(configuration.last("web-admin")) : nil
    case .oauth: return configuration.line(turningOn: "oauth").map(Place.init)
    case .redisStatistics: return configuration.last("redis-statsdb").map(Place.init)
    case .mobility: return configuration.relays ? configuration.line(turningOn: "mobility").map(Place.init) : nil
    case .dtls: return configuration.listensOnDTLS ? Place(configuration.line(turningOn: "dtls")) : nil
    }
  }

  private func deniesMapped(_ denied: PeerRanges) -> Bool {
    guard let first = IPAddress("::ffff:0:0"), let last = IPAddress("::ffff:ffff:ffff") else { return false }
    return denied.covers(first, last)
  }

  private func deniesUnspecified(_ denied: PeerRanges) -> Bool {
    guard let loopback = IPAddress("::1") else { return false }
    return denied.covers(.v4(0), .v4(0x00FF_FFFF)) && denied.covers(.v4(0x7F00_0000), .v4(0x7FFF_FFFF))
      && denied.covers(loopback, loopback)
  }
}
