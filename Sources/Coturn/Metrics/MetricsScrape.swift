/// What coturn's Prometheus exporter says, by version (4.5.2 to 4.17.1).
///
/// A series that is not there is unknown, not 0: the exporter makes each as it first counts something. Traffic is added only when an
/// allocation is deleted.
package struct MetricsScrape: Hashable, Sendable {
  /// The values of each metric, added over users and realms; absent: there was no series of it.
  package private(set) var values: [String: Double] = [:]
  /// The values of the metrics that have a realm, by realm.
  package private(set) var realms: [String: [String: Double]] = [:]
  /// Allocations by what their clients use: `UDP`, `TCP`, `TLS/TCP`, `DTLS`, …; "" before 4.6.2.
  package private(set) var allocations: [String: Double] = [:]
  /// Metrics of which the exporter says what they are, with or without series.
  package private(set) var announced: Set<String> = []
  /// Whether series have the name of a user.
  package private(set) var hasUserLabels = false
  /// Series of coturn.
  package private(set) var series = 0
  /// Series of other programs.
  package private(set) var foreignSeries = 0
  /// Realms that were left out: there are more than ``mostRealms``.
  package private(set) var realmsLeftOut = false
  /// Lines that are no samples.
  package private(set) var malformed = 0
  /// The first of them, at most 100 characters.
  package private(set) var firstMalformed: String?
  /// What no exporter of coturn says: a counter below 0 or without a value, a series twice, another type.
  package private(set) var contradictions: [String] = []
  /// Whether the last line has no end.
  package internal(set) var isCutOff = false

  package static let mostRealms = 1000
  private static let mostContradictions = 10

  /// Whether anything of coturn was there.
  package var isOfCoturn: Bool { series > 0 || !announced.isEmpty }

  mutating func refuse(_ line: String) {
    malformed += 1
    firstMalformed = firstMalformed ?? String(line.prefix(100))
  }

  mutating func take(type: String, of name: String) {
    guard let metric = CoturnMetric.named[name] else { return }
    announced.insert(name)
    if type != (metric.isGauge ? "gauge" : "counter") { contradict("\(name) is a \(type.prefix(20))") }
  }

  mutating func take(_ sample: MetricsSample) {
    guard let metric = CoturnMetric.named[sample.name] else {
      foreignSeries += 1
      return
    }
    series += 1
    guard sample.value.isFinite, sample.value >= 0 else {
      return contradict("\(sample.name) is \(sample.value)")
    }
    if metric.labels.isEmpty, values[sample.name] != nil { return contradict("\(sample.name) stands twice") }
    values[sample.name, default: 0] += sample.value
    if sample.labels["user"] != nil { hasUserLabels = true }
    if sample.name == CoturnMetric.allocations {
      let type = sample.labels["type"] ?? ""
      if allocations[type] != nil { return contradict("\(sample.name) stands twice for \(type.prefix(20))") }
      if allocations.count < 20 { allocations[type] = sample.value }
    }
    if let realm = sample.labels["realm"] {
      guard realms[realm] != nil || realms.count < Self.mostRealms else {
        realmsLeftOut = true
        return
      }
      realms[realm, default: [:]][sample.name, default: 0] += sample.value
    }
  }

  private mutating func contradict(_ text: String) {
    if contradictions.count < Self.mostContradictions { contradictions.append(text) }
  }

  /// The oldest version that has every metric which is there; nil if none of coturn is.
  package var oldestVersion: CoturnVersion? {
    let names = announced.union(values.keys)
    let versions = names.compactMap { CoturnMetric.named[$0]?.since }
    let typed = allocations.keys.contains { !$0.isEmpty } ? [CoturnVersion(4, 6, 2)] : []
    return (versions + typed).max()
  }
}

/// A metric of coturn.
package struct CoturnMetric: Hashable, Sendable {
  package var name: String
  /// The first version that has it.
  package var since: CoturnVersion
  package var isGauge = false
  /// Those that a series may have.
  package var labels: Set<String> = []

  package static let allocations = "turn_total_allocations"

  package static let named: [String: CoturnMetric] = {
    let figures = ["rcvp", "rcvb", "sentp", "sentb"]
    var metrics = ["turn_traffic", "turn_traffic_peer"].flatMap { prefix in
      figures.map { Self(name: "\(prefix)_\($0)", since: .init(4, 5, 2), labels: ["realm", "user"]) }
    }
    func add(_ names: [String], since version: CoturnVersion, isGauge: Bool = false) {
      metrics += names.map { Self(name: $0, since: version, isGauge: isGauge) }
    }
    for prefix in ["turn_total_traffic", "turn_total_traffic_peer"] {
      add(figures.map { "\(prefix)_\($0)" }, since: .init(4, 5, 2))
    }
    metrics.append(Self(name: allocations, since: .init(4, 6, 0), isGauge: true, labels: ["type"]))
    add(["stun_binding_request", "stun_binding_response", "stun_binding_error"], since: .init(4, 6, 2))
    add(["turn_packet_processed", "turn_packet_dropped"], since: .init(4, 8, 0))
    add(
      [
        "turn_udp_recvmmsg_calls", "turn_udp_recvmmsg_packets", "turn_udp_sendmmsg_flushes",
        "turn_udp_sendmmsg_datagrams", "turn_udp_sendmmsg_gso_datagrams",
      ], since: .init(4, 13, 0))
    add(
      [
        "turn_unauthenticated_401_requests", "turn_unauthenticated_401_responses",
        "turn_unauthenticated_401_dropped_responses", "turn_ratelimit_hash_collisions",
      ], since: .init(4, 14, 0))
    add(["turn_ratelimit_occupied_buckets", "turn_ratelimit_total_buckets"], since: .init(4, 14, 0), isGauge: true)
    return Dictionary(metrics.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }()
}

/// What two scrapes of one exporter say of the time between them.
package struct MetricsRates: Hashable, Sendable {
  /// Of each counter that both scrapes have, a second.
  package private(set) var perSecond: [String: Double] = [:]
  /// Counters that went back: the server was started anew in between, and what it counted before that is lost.
  package private(set) var reset: [String] = []
  /// Counters that the first scrape does not have: since when they count is not known.
  package private(set) var began: [String] = []
  /// Counters that only the first scrape has.
  package private(set) var ended: [String] = []

  /// - Parameter seconds: more than 0.
  package init(from first: MetricsScrape, to second: MetricsScrape, seconds: Double) {
    for (name, metric) in CoturnMetric.named.sorted(by: { $0.key < $1.key }) where !metric.isGauge {
      switch (first.values[name], second.values[name]) {
      case (let before?, let after?):
        if after < before { reset.append(name) }
        perSecond[name] = (after < before ? after : after - before) / seconds
      case (nil, _?): began.append(name)
      case (_?, nil): ended.append(name)
      case (nil, nil): break
      }
    }
  }

  /// Whether the server was started anew in between.
  package var restarted: Bool { !reset.isEmpty || !ended.isEmpty }
}
