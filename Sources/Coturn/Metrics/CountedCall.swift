/// What a server carried of one call for certain, by what the call itself saw: its counters must have grown by at least that much.
package struct CarriedTraffic: Hashable, Sendable {
  /// Between clients and server, and between relayed transport addresses and peers, each way.
  package let packets: Int
  /// The payload of these packets.
  package let bytes: Int

  /// nil if nothing was relayed.
  ///
  /// - Parameter packetSize: the payload of each packet.
  package init?(_ figures: CallDiagnosis.Figures, packetSize: Int) {
    guard let sent = figures.sent, let reached = figures.reached, let received = figures.received else { return nil }
    // What the path doubled, the server carried once.
    packets = min(reached, sent) + min(received, sent)
    guard packets > 0 else { return nil }
    bytes = packets * packetSize
  }
}

/// What an exporter counted from before a call to behind it.
///
/// Counters are the whole server's, so that they can contradict the call's own figures and never prove them: what they grew by more is
/// others' traffic.
package struct CountedCall: Hashable, Sendable {
  package enum Agreement: String, Hashable, Sendable, CaseIterable {
    /// Every counter of traffic grew by at least what the call alone had carried.
    case agrees
    /// One grew by less.
    case fewer
    /// Nothing can be compared.
    case unknown
  }

  /// A counter that grew by less than the call alone had carried.
  package struct Shortfall: Hashable, Sendable {
    package let counter: String
    package let grown: Double
    package let carried: Int
  }

  /// How much each counter grew. One that only the second scrape has was made meanwhile, and began at 0.
  package let growth: [String: Double]
  /// Counters that went back or are gone: the server was started anew meanwhile.
  package let reset: [String]
  /// Counters of traffic that are not there.
  package let absent: [String]
  package let fewest: Shortfall?
  package let agreement: Agreement

  /// - Parameter carried: nil if the call relayed nothing.
  package init(from first: MetricsScrape, to second: MetricsScrape, carried: CarriedTraffic?) {
    var growth: [String: Double] = [:]
    for (name, value) in second.values where CoturnMetric.named[name]?.isGauge == false {
      growth[name] = value - (first.values[name] ?? 0)
    }
    let gone = first.values.keys.filter { second.values[$0] == nil && CoturnMetric.named[$0]?.isGauge == false }
    reset = (growth.filter { $0.value < 0 }.map(\.key) + gone).sorted()
    let totals = ["turn_total_traffic", "turn_total_traffic_peer"].flatMap { prefix in
      [("\(prefix)_rcvp", true), ("\(prefix)_sentp", true), ("\(prefix)_rcvb", false), ("\(prefix)_sentb", false)]
    }
    absent = totals.map(\.0).filter { second.values[$0] == nil }
    fewest = carried.flatMap { carried in
      totals.lazy.compactMap { name, isOfPackets -> Shortfall? in
        let least = isOfPackets ? carried.packets : carried.bytes
        return growth[name].flatMap { $0 < Double(least) ? Shortfall(counter: name, grown: $0, carried: least) : nil }
      }.first
    }
    self.growth = growth
    if carried == nil || !reset.isEmpty || !(first.contradictions + second.contradictions).isEmpty {
      agreement = .unknown
    } else if fewest != nil {
      agreement = .fewer
    } else {
      agreement = absent.isEmpty ? .agrees : .unknown
    }
  }
}
