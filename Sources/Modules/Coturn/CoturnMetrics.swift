import Coturn
import HTTP
package import Journal
import Schema
package import Steps
import Synchronization

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
      func value(_ figure: String) -> Int? { values["\(prefix)_\(figure)"].flatMap(whole) }
      self.init(
        receivedPackets: value("rcvp"), receivedBytes: value("rcvb"), sentPackets: value("sentp"),
        sentBytes: value("sentb"))
    }
  }

  struct Realm: Hashable, Sendable {
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
    var realms: [Realm]
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
    effect: .observe, judges: true, deadline: .seconds(20),
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
      Field("realms", \.realms, .list(.record(Realm.record)), "The same by realm, 1000 of them at most."),
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
    let first = try await Self.scrape(input, in: context)
    var (last, rates) = (first.scrape, MetricsRates?.none)
    if let interval = input.interval {
      context.progress("waiting for the second look")
      do { try await Task.sleep(for: interval) } catch {
        throw StepError(
          .interrupted, Finding("coturn.interrupted", "The step was stopped before it had finished looking at coturn."))
      }
      let second = try await Self.scrape(input, in: context)
      let elapsed = first.time.duration(to: second.time) / .seconds(1)
      rates = MetricsRates(from: first.scrape, to: second.scrape, seconds: max(elapsed, 0.001))
      last = second.scrape
    }
    let output = Output(last, rates)
    let doubts = [Self.contradiction(last, input.url), rates.flatMap { Self.restart($0, input.url) }].compactMap(\.self)
    return Finding.joined(doubts).map { .warned(output, $0) } ?? .done(output)
  }

  private static func contradiction(_ scrape: MetricsScrape, _ url: String) -> Finding? {
    let what = scrape.contradictions.first ?? scrape.firstMalformed.map { "a line is none of Prometheus's: \($0)" }
    guard let what else { return nil }
    return Finding(
      "coturn.metricsContradict", "\(url) serves figures that coturn's exporter cannot produce: \(what).",
      advice: "Look at what answers there, and at proxies in between.")
  }

  private static func restart(_ rates: MetricsRates, _ url: String) -> Finding? {
    guard rates.restarted else { return nil }
    let names = (rates.reset + rates.ended).prefix(3).joined(separator: ", ")
    return Finding(
      "coturn.restarted", "The server behind \(url) was started anew between both looks: \(names) went back.",
      advice: "Look at its log for why. Several servers behind one address look the same: ask each by itself.")
  }

  private static func scrape(
    _ input: Input, in context: StepContext
  ) async throws(StepError) -> (scrape: MetricsScrape, time: ContinuousClock.Instant) {
    var request = HTTPRequest(input.url)
    request.tls.authorityFile = input.ca
    request.headers = [HTTPHeader("Accept", "text/plain;version=0.0.4")]
    // A million series with long names.
    request.limits.body = 256 << 20
    let taking = Taking()
    let response: HTTPResponse
    do throws(HTTPError) {
      response = try await request.response(by: context.deadline - .milliseconds(200)) { taking.take($0) }
    } catch {
      throw Self.error(error)
    }
    let time = ContinuousClock.now
    guard response.status == 200 else {
      throw .failed(
        "coturn.metricsRefused", "\(input.url) answers \(response.status) \(response.reason).",
        advice: "The exporter's path is /metrics unless prometheus-path says otherwise.")
    }
    let scrape = taking.end()
    guard scrape.isOfCoturn else {
      throw .failed(
        "coturn.noMetrics", "\(input.url) answers, and holds no figure of coturn.",
        advice:
          "The exporter's path is /metrics; / answers \"ok\" from 4.7.0. Look whether another program listens there.")
    }
    guard !scrape.isCutOff else {
      throw .failed(
        "coturn.metricsCutOff", "\(input.url) answers with figures that are cut off in the middle of a line.",
        advice: "Look at the server's load, and at proxies in between.")
    }
    return (scrape, time)
  }

  private static func error(_ error: HTTPError) -> StepError {
    let finding = Finding("coturn.metricsUnreachable", error.message, advice: error.advice.isEmpty ? nil : error.advice)
    return switch error.code {
    case .invalidRequest: StepError(.notStarted, finding)
    case .unavailable: StepError(.broken, finding)
    case .cancelled: StepError(.interrupted, finding)
    default: StepError(.failed, finding)
    }
  }
}

/// Takes a body as it comes.
private final class Taking: Sendable {
  private let reader = Mutex(MetricsReader())

  func take(_ bytes: [UInt8]) { reader.withLock { $0.take(bytes) } }

  func end() -> MetricsScrape { reader.withLock { $0.end() } }
}

/// A figure that counts things; nil if it is larger than any count.
private func whole(_ value: Double) -> Int? { Int(exactly: value.rounded()) }

extension CoturnMetrics.Output {
  fileprivate init(_ scrape: MetricsScrape, _ rates: MetricsRates?) {
    func value(_ name: String) -> Int? { scrape.values[name].flatMap(whole) }
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
      allocationsByTransport: scrape.allocations.filter { !$0.key.isEmpty }.compactMapValues(whole),
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
