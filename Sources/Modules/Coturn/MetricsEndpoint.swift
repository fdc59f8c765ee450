import Coturn
import HTTP
import Journal
import Schema
import Steps
import Synchronization

/// A Prometheus exporter of coturn.
struct MetricsEndpoint: Hashable, Sendable {
  let url: String
  /// The PEM file of certificates that are trusted in place of the system's.
  let authorityFile: String?

  /// Its figures, and when they were there.
  struct Reading: Sendable {
    let scrape: MetricsScrape
    let time: ContinuousClock.Instant
  }

  /// Looks at its figures once, with a moment left for the step's own end.
  func scrape(in context: StepContext) async throws(StepError) -> Reading {
    try await scrape(by: context.deadline - .milliseconds(200))
  }

  /// Throws `failed` if nothing answers, and if the answer is cut off or holds no figure of coturn.
  func scrape(by deadline: ContinuousClock.Instant) async throws(StepError) -> Reading {
    var request = HTTPRequest(url)
    request.tls.authorityFile = authorityFile
    request.headers = [HTTPHeader("Accept", "text/plain;version=0.0.4")]
    // A million series with long names.
    request.limits.body = 256 << 20
    let taking = Taking()
    let response: HTTPResponse
    do throws(HTTPError) {
      response = try await request.response(by: deadline) { taking.take($0) }
    } catch {
      throw Self.error(error)
    }
    let time = ContinuousClock.now
    guard response.status == 200 else {
      throw .failed(
        "coturn.metricsRefused", "\(url) answers \(response.status) \(response.reason).",
        advice: "The exporter's path is /metrics unless prometheus-path says otherwise.")
    }
    let scrape = taking.end()
    guard scrape.isOfCoturn else {
      throw .failed(
        "coturn.noMetrics", "\(url) answers, and holds no figure of coturn.",
        advice:
          "The exporter's path is /metrics; / answers \"ok\" from 4.7.0. Look whether another program listens there.")
    }
    guard !scrape.isCutOff else {
      throw .failed(
        "coturn.metricsCutOff", "\(url) answers with figures that are cut off in the middle of a line.",
        advice: "Look at the server's load, and at proxies in between.")
    }
    return Reading(scrape: scrape, time: time)
  }

  /// What warns of figures that contradict themselves.
  func contradiction(in scrape: MetricsScrape) -> Finding? {
    let what = scrape.contradictions.first ?? scrape.firstMalformed.map { "a line is none of Prometheus's: \($0)" }
    guard let what else { return nil }
    return Finding(
      "coturn.metricsContradict", "\(url) serves figures that coturn's exporter cannot produce: \(what).",
      advice: "Look at what answers there, and at proxies in between.")
  }

  /// What warns of counters that went back.
  func restart(_ rates: MetricsRates) -> Finding? {
    guard rates.restarted else { return nil }
    let names = (rates.reset + rates.ended).prefix(3).joined(separator: ", ")
    return Finding(
      "coturn.restarted", "The server behind \(url) was started anew between both looks: \(names) went back.",
      advice: "Look at its log for why. Several servers behind one address look the same: ask each by itself.")
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

extension Int {
  /// A figure that counts things; nil if it is larger than any count.
  init?(count value: Double) { self.init(exactly: value.rounded()) }
}
