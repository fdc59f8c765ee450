import Coturn
package import Journal
import Schema
package import Steps

/// Reads what coturn's Prometheus exporter says.
package struct CoturnMetrics: StepModule {
  package struct Input: Sendable {
    package var url: String
    package var ca: String?
    package var interval: Duration?
  }

  /// Packets and bytes of allocations that have been deleted.
  struct Traffic: Hashable, Sendable {
    var receivedPackets: Int?
    var receivedBytes: Int?
    var sentPackets: Int?
    var sentBytes: Int?

    static let record = Record(
      Self.init,
      Field("receivedPackets", \.receivedPackets, .optional(.int), "Packets that came in; absent: not counted yet."),
      Field("receivedBytes", \.receivedBytes, .optional(.byteSize), "Their bytes."),
      Field("sentPackets", \.sentPackets, .optional(.int), "Packets that went out."),
      Field("sentBytes", \.sentBytes, .optional(.byteSize), "Their bytes.")
    )

    init(receivedPackets: Int?, receivedBytes: Int?, sentPackets: Int?, sentBytes: Int?) {
      (self.receivedPackets, self.receivedBytes) = (receivedPackets, receivedBytes)
      (self.sentPackets, self.sentBytes) = (sentPackets, sentBytes)
    }

    init(_ values: [String: Double], _ prefix: String) {
      func value(_ figure: String) -> Int? { values["\(prefix)_\(figure)"].flatMap { Int(count: $0) } }
      self.init(
        receivedPackets: value("rcvp"), receivedBytes: value("rcvb"), sentPackets: value("sentp"),
        sentBytes: value("sentb"))
    }
  }

  struct RealmTraffic: Hashable, Sendable {
    var name: String
    var clients: Traffic
    var peers: Traffic

    static let record = Record(
      Self.init,
      Field("name", \.name, .string, "The realm."),
      Field("clients", \.clients, .record(Traffic.record), "Between its clients and the server."),
      Field("peers", \.peers, .record(Traffic.record), "Between its relayed addresses and peers.")
    )
  }

  package struct Output: Sendable {
    var version: String?
    var allocations: Int?
    var allocationsByTransport: [String: Int]
    var clients: Traffic
    var peers: Traffic
    var realms: [RealmTraffic]
    var bindingRequests: Int?
    var bindingErrors: Int?
    var packetsDropped: Int?
    var unauthorizedRequests: Int?
    var unauthorizedDropped: Int?
    var values: [String: Double]
    var rates: [String: Double]
    var restarted: Bool?
    var series: Int
    var foreignSeries: Int
    var userLabels: Bool
    var notes: [String]
  }

  package static let declaration = ModuleDeclaration(
    "coturn.metrics", "Reads the figures of coturn's Prometheus exporter, and how fast they grow.",
    discussion: """
      Traffic is added only when an allocation is deleted: a server full of calls may show none. A figure that is absent is
      unknown, not 0: each is there from the first time that it is counted, and by version: allocations from 4.6.0, by transport
      and Bindings from 4.6.2, dropped packets from 4.8, refusals of clients without credentials from 4.14. No version counts
      failed log-ins. With `interval` a second look is taken after that time, and `rates` are of what both have. Debian's build
      has no exporter. The step fails if nothing answers, if the answer is cut off, or if it holds no figure of coturn; it warns of
      figures that contradict themselves, and of a restart between both looks.
      """,
    effect: .observe, judges: true, files: ["ca"], deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("url", \.url, .url, "The exporter, http://127.0.0.1:9641/metrics if nothing else is set."),
      Field("ca", \.ca, .optional(.path), "The PEM file of certificates that are trusted in place of the system's."),
      Field(
        "interval", \.interval, .optional(.duration.within(.milliseconds(10) ... .seconds(3600))),
        "How long after the first look a second one is taken; give a `timeout` that is longer.")
    ),
    output: Record(
      Output.init,
      Field("version", \.version, .optional(.string), "The oldest version that has every figure which is there."),
      Field("allocations", \.allocations, .optional(.int), "Allocations that there are now."),
      Field(
        "allocationsByTransport", \.allocationsByTransport, .map(.int),
        "The same by what clients use: UDP, TCP, TLS/TCP, DTLS."),
      Field("clients", \.clients, .record(Traffic.record), "Between clients and the server, of deleted allocations."),
      Field("peers", \.peers, .record(Traffic.record), "Between relayed addresses and peers, of deleted allocations."),
      Field("realms", \.realms, .list(.record(RealmTraffic.record)), "The same by realm, 1000 of them at most."),
      Field("bindingRequests", \.bindingRequests, .optional(.int), "STUN Binding requests."),
      Field("bindingErrors", \.bindingErrors, .optional(.int), "Binding requests that were refused."),
      Field("packetsDropped", \.packetsDropped, .optional(.int), "Packets that the server dropped."),
      Field(
        "unauthorizedRequests", \.unauthorizedRequests, .optional(.int),
        "Requests over UDP that are to be answered with 401."),
      Field("unauthorizedDropped", \.unauthorizedDropped, .optional(.int), "Those that got no answer, against floods."),
      Field("values", \.values, .map(.double), "Every figure of coturn by its name, added over realms and users."),
      Field("rates", \.rates, .map(.double), "How much each counter grew a second; empty without `interval`."),
      Field(
        "restarted", \.restarted, .optional(.bool),
        "Whether the server was started anew between both looks; absent: one look."),
      Field("series", \.series, .int, "Series of coturn."),
      Field("foreignSeries", \.foreignSeries, .int, "Series of other programs."),
      Field("userLabels", \.userLabels, .bool, "Whether series have names of users, which grow without bound."),
      Field("notes", \.notes, .list(.string), "What is unusual about it.")
    ),
    examples: [
      .init(
        "The server has room for more calls", with: "url: http://127.0.0.1:9641/metrics",
        expect: ["has(output.allocations) && output.allocations < 900"]),
      .init(
        "Nobody tries to log in en masse", with: "url: http://127.0.0.1:9641/metrics\ninterval: 10s",
        expect: ["output.rates[?'turn_unauthenticated_401_requests'].orValue(0.0) < 100.0"]),
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard let interval = input.interval, interval >= timeout else { return nil }
    return Finding(
      "coturn.intervalTooLong", "the interval is longer than the step's timeout",
      advice: "Give the step a timeout that is a few seconds longer than the interval.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let endpoint = MetricsEndpoint(url: input.url, authorityFile: input.ca)
    let first = try await endpoint.scrape(in: context)
    var (last, rates) = (first.scrape, MetricsRates?.none)
    if let interval = input.interval {
      context.progress("waiting for the second look")
      do { try await Task.sleep(for: interval) } catch {
        throw StepError(
          .interrupted, Finding("coturn.interrupted", "The step was stopped before it had finished looking at coturn."))
      }
      let second = try await endpoint.scrape(in: context)
      let elapsed = first.time.duration(to: second.time) / .seconds(1)
      rates = MetricsRates(from: first.scrape, to: second.scrape, seconds: max(elapsed, 0.001))
      last = second.scrape
    }
    let output = Output(last, rates)
    let doubts = [
      endpoint.contradiction(in: first.scrape), endpoint.contradiction(in: last), rates.flatMap(endpoint.restart),
    ].compactMap(\.self)
    return Finding.joined(doubts).map { .warned(output, $0) } ?? .done(output)
  }
}

extension CoturnMetrics.Output {
  fileprivate init(_ scrape: MetricsScrape, _ rates: MetricsRates?) {
    func value(_ name: String) -> Int? { scrape.values[name].flatMap { Int(count: $0) } }
    var notes: [String] = []
    if scrape.values[CoturnMetric.allocations] == nil {
      notes.append("There is no figure of allocations: there has been none yet, or the server is older than 4.6.0.")
    }
    if scrape.realmsLeftOut {
      notes.append("There are more than \(MetricsScrape.mostRealms) realms; the rest is left out.")
    }
    if let rates, !rates.began.isEmpty {
      notes.append("Counted for the first time between both looks: \(rates.began.joined(separator: ", ")).")
    }
    self.init(
      version: scrape.oldestVersion?.description, allocations: value(CoturnMetric.allocations),
      allocationsByTransport: scrape.allocations.filter { !$0.key.isEmpty }.compactMapValues { Int(count: $0) },
      clients: .init(scrape.values, "turn_total_traffic"), peers: .init(scrape.values, "turn_total_traffic_peer"),
      realms: scrape.realms.sorted { $0.key < $1.key }.map { name, values in
        .init(name: name, clients: .init(values, "turn_traffic"), peers: .init(values, "turn_traffic_peer"))
      },
      bindingRequests: value("stun_binding_request"), bindingErrors: value("stun_binding_error"),
      packetsDropped: value("turn_packet_dropped"),
      unauthorizedRequests: value("turn_unauthenticated_401_requests"),
      unauthorizedDropped: value("turn_unauthenticated_401_dropped_responses"), values: scrape.values,
      rates: rates?.perSecond ?? [:], restarted: rates?.restarted, series: scrape.series,
      foreignSeries: scrape.foreignSeries, userLabels: scrape.hasUserLabels, notes: notes)
  }
}
