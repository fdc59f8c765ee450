import Coturn
import Journal
import Schema
import Steps

/// A server's exporter, looked at before a call and behind it.
struct ServerMetrics: Sendable {
  /// For one look.
  private static let patience = Duration.seconds(5)

  private let endpoint: MetricsEndpoint
  private let before: MetricsEndpoint.Reading

  /// Looks at it before the call.
  ///
  /// Throws if it tells nothing: with what is behind it nothing could be compared.
  init(_ endpoint: MetricsEndpoint, in context: StepContext) async throws(StepError) {
    self.endpoint = endpoint
    do throws(StepError) {
      before = try await endpoint.scrape(by: min(.now + Self.patience, context.deadline - .milliseconds(300)))
    } catch {
      throw StepError(error.kind == .interrupted ? .interrupted : .notStarted, error.finding)
    }
  }

  /// Looks at it behind the call, until its counters hold what the call carried, or the time is over: traffic is added only when an
  /// allocation is deleted.
  ///
  /// - Parameter last: when the last look has to be over; there is always one.
  func figures(
    _ carried: CarriedTraffic?, until end: ContinuousClock.Instant, atLatest last: ContinuousClock.Instant
  ) async -> ServerFigures {
    while true {
      let begun = ContinuousClock.now
      let after: MetricsEndpoint.Reading
      do throws(StepError) { after = try await endpoint.scrape(by: min(begun + Self.patience, last)) } catch {
        return ServerFigures(before, carried, failure: error.finding)
      }
      let figures = ServerFigures(before, after, carried, endpoint)
      if carried == nil || figures.agreement == .agrees || Task.isCancelled || .now >= end { return figures }
      // A look at a million series is work for the server, too.
      let pause = max(.milliseconds(300), begun.duration(to: .now) * 2)
      try? await Task.sleep(for: min(pause, max(.zero, ContinuousClock.now.duration(to: end))))
    }
  }
}

/// What a server's exporter counted from before a call to behind it, beside what the call carried.
package struct ServerFigures: Hashable, Sendable {
  var agreement: CountedCall.Agreement
  var carriedPackets: Int?
  var carriedBytes: Int?
  var clients: CoturnMetrics.Traffic
  var peers: CoturnMetrics.Traffic
  var allocationsBefore: Int?
  var allocationsAfter: Int?
  var unauthorizedRequests: Int?
  var unauthorizedDropped: Int?
  var packetsDropped: Int?
  var elapsed: Duration?
  var notes: [String]
  /// Why they do not say that all is well; nil if they do, and for a call that relayed nothing.
  private(set) var doubt: Finding?

  static let record = Record(
    Self.init,
    Field(
      "agreement", \.agreement, .enumeration(CountedCall.Agreement.self),
      "What follows. `agrees`: every counter of traffic grew by at least what the call carried; `fewer`: one did not; `unknown`: nothing can "
        + "be compared."),
    Field(
      "carriedPackets", \.carriedPackets, .optional(.int),
      "Packets of this call that the server carried for certain: each counter of packets must have grown by that much; absent: "
        + "none."),
    Field("carriedBytes", \.carriedBytes, .optional(.byteSize), "The payload of these packets."),
    Field(
      "clients", \.clients, .record(CoturnMetrics.Traffic.record),
      "What the counters of traffic between clients and the server grew by, everybody's."),
    Field(
      "peers", \.peers, .record(CoturnMetrics.Traffic.record),
      "What those between relayed addresses and peers grew by."),
    Field("allocationsBefore", \.allocationsBefore, .optional(.int), "Allocations that there were before the call."),
    Field("allocationsAfter", \.allocationsAfter, .optional(.int), "Allocations that there were behind it."),
    Field(
      "unauthorizedRequests", \.unauthorizedRequests, .optional(.int),
      "Requests over UDP that were to be answered with 401 meanwhile, from 4.14 on; the call itself makes two of them."),
    Field(
      "unauthorizedDropped", \.unauthorizedDropped, .optional(.int), "Those that got no answer, against floods."),
    Field(
      "packetsDropped", \.packetsDropped, .optional(.int), "Packets that the server dropped meanwhile, from 4.8 on."),
    Field("elapsed", \.elapsed, .optional(.duration), "The time between both looks; absent: the second one failed."),
    Field("notes", \.notes, .list(.string), "Why nothing can be compared.")
  )

  private init(
    agreement: CountedCall.Agreement, carriedPackets: Int?, carriedBytes: Int?, clients: CoturnMetrics.Traffic,
    peers: CoturnMetrics.Traffic, allocationsBefore: Int?, allocationsAfter: Int?, unauthorizedRequests: Int?,
    unauthorizedDropped: Int?, packetsDropped: Int?, elapsed: Duration?, notes: [String]
  ) {
    self.agreement = agreement
    (self.carriedPackets, self.carriedBytes) = (carriedPackets, carriedBytes)
    (self.clients, self.peers) = (clients, peers)
    (self.allocationsBefore, self.allocationsAfter) = (allocationsBefore, allocationsAfter)
    (self.unauthorizedRequests, self.unauthorizedDropped) = (unauthorizedRequests, unauthorizedDropped)
    (self.packetsDropped, self.elapsed, self.notes) = (packetsDropped, elapsed, notes)
  }

  /// Where the second look failed.
  init(_ before: MetricsEndpoint.Reading, _ carried: CarriedTraffic?, failure: Finding) {
    self.init(before.scrape, nil, CountedCall(from: before.scrape, to: before.scrape, carried: nil), carried)
    notes = ["The look behind the call failed: \(failure.message)"]
    doubt = Finding(
      failure.code, "The exporter was there before the call, and failed behind it: \(failure.sentence)",
      advice: failure.advisory)
  }

  init(
    _ before: MetricsEndpoint.Reading, _ after: MetricsEndpoint.Reading, _ carried: CarriedTraffic?,
    _ endpoint: MetricsEndpoint
  ) {
    let call = CountedCall(from: before.scrape, to: after.scrape, carried: carried)
    self.init(before.scrape, after.scrape, call, carried)
    elapsed = before.time.duration(to: after.time)
    doubt =
      endpoint.contradiction(in: before.scrape) ?? endpoint.contradiction(in: after.scrape)
      ?? endpoint.restart(MetricsRates(from: before.scrape, to: after.scrape, seconds: 1))
      ?? carried.flatMap { Self.shortfall(call, $0, endpoint.url) }
    if call.agreement == .unknown, let doubt { notes = [doubt.message] }
  }

  private init(
    _ before: MetricsScrape, _ after: MetricsScrape?, _ call: CountedCall, _ carried: CarriedTraffic?
  ) {
    let growth = after == nil ? [:] : call.growth
    func value(_ name: String) -> Int? { growth[name].flatMap { Int(count: $0) } }
    func allocations(_ scrape: MetricsScrape?) -> Int? {
      scrape?.values[CoturnMetric.allocations].flatMap { Int(count: $0) }
    }
    self.init(
      agreement: call.agreement, carriedPackets: carried?.packets, carriedBytes: carried?.bytes,
      clients: .init(growth, "turn_total_traffic"), peers: .init(growth, "turn_total_traffic_peer"),
      allocationsBefore: allocations(before), allocationsAfter: allocations(after),
      unauthorizedRequests: value("turn_unauthenticated_401_requests"),
      unauthorizedDropped: value("turn_unauthenticated_401_dropped_responses"),
      packetsDropped: value("turn_packet_dropped"), elapsed: nil, notes: [])
  }

  private static func shortfall(_ call: CountedCall, _ carried: CarriedTraffic, _ url: String) -> Finding? {
    let advice: Sentence =
      "Traffic is added when an allocation is deleted: give `correlate` a longer `wait`. If that does not help, look with "
      + "`ss -lntup` whether another server answers on this port, and whose exporter this is."
    switch call.agreement {
    case .agrees: return nil
    case .fewer:
      guard let fewest = call.fewest, let grown = Int(count: fewest.grown) else { return nil }
      return Finding(
        "turn.callNotCounted",
        "\(fewest.counter) of \(url) grew by \(grown) meanwhile, and the server carried \(fewest.carried) of this call alone.",
        advice: advice)
    case .unknown:
      return Finding(
        "turn.callNotCounted",
        "\(url) has no figure of what the server carried, such as \(call.absent.first ?? "turn_total_traffic_rcvp"): "
          + "\(carried.packets) packets of this call are not counted there.",
        advice: advice)
    }
  }
}
