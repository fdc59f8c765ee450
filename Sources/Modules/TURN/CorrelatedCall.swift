import Coturn
import Journal
import Probe
import Processes
import STUN
import Schema
import Steps

/// The look at the server's log and figures during one call.
struct CorrelatedCall: Sendable {
  /// Where the server's records come from.
  private enum Log: Sendable {
    case file(ServerLogTail)
    case journal(ServerJournalTail)
  }

  private let correlation: Correlation
  private let log: Log?
  private let metrics: ServerMetrics?
  private let token: String

  /// Begins before the call: from here on the records count.
  ///
  /// Throws if the log cannot be read or the exporter tells nothing: then no call is made.
  init(_ correlation: Correlation, in context: StepContext) async throws(StepError) {
    self.correlation = correlation
    var generator = SystemRandomNumberGenerator()
    token = (0..<2).map { _ in String(UInt64.random(in: .min ... .max, using: &generator), radix: 36) }.joined()
    if let url = correlation.metrics {
      metrics = try await ServerMetrics(
        MetricsEndpoint(url: url, authorityFile: correlation.metricsAuthority), in: context)
    } else {
      metrics = nil
    }
    if let file = correlation.log {
      log = .file(try ServerLogTail(file))
    } else if let journal = correlation.journal {
      log = .journal(try await ServerJournalTail(journal, in: context))
    } else {
      log = nil
    }
  }

  /// Makes the probe carry the token.
  func mark(_ probe: inout RelayProbe) {
    guard log != nil else { return }
    switch correlation.tie {
    case .userName:
      guard case .sharedSecret(let secret, _, let lifetime, let order) = probe.server.credentials else { return }
      probe.server.credentials = .sharedSecret(secret, user: token, lifetime: lifetime, order: order)
    case .origin, nil:
      probe.origins = (
        Origin(CallRecords.origin(of: .sender, token: token)), Origin(CallRecords.origin(of: .echo, token: token))
      )
    }
  }

  /// What the server logged and counted of the call, once that is complete or the time is over.
  func serverSide(_ figures: CallDiagnosis.Figures, packetSize: Int, in context: StepContext) async -> ServerSide {
    // A moment for the step's own end.
    let last = context.deadline - .milliseconds(300)
    let end = min(.now + correlation.wait, last)
    var side = await logSide(figures, until: end, in: context)
    side.metrics = await metrics?.figures(
      CarriedTraffic(figures, packetSize: packetSize), until: end, atLatest: last)
    return side
  }

  private func logSide(
    _ figures: CallDiagnosis.Figures, until end: ContinuousClock.Instant, in context: StepContext
  ) async -> ServerSide {
    guard let log else { return ServerSide() }
    let token = token
    let tie: CallRecords.Tie = correlation.tie == .userName ? .userName(token) : .origin(token)
    while true {
      let records: CallRecords
      let isWhole: Bool
      switch log {
      case .file(let tail):
        (records, isWhole) = await onBlockingThread {
          let (bytes, isWhole) = tail.bytes()
          return (CallRecords(bytes, tie: tie), isWhole)
        }
      case .journal(let tail):
        let read = await tail.bytes(in: context)
        records = await onBlockingThread { CallRecords(read.bytes, tie: tie) }
        isWhole = read.isWhole
      }
      // Refused sessions close after 60 seconds: only who gives that much waits for it.
      let isComplete = records.isComplete(refusedOnesToo: correlation.wait > .seconds(60))
      if isComplete || Task.isCancelled || .now >= end {
        return ServerSide(records, CallDiagnosis(records, figures), isWhole: isWhole)
      }
      let pause: Duration = if case .journal = log { .milliseconds(400) } else { .milliseconds(100) }
      try? await Task.sleep(for: min(pause, max(.zero, ContinuousClock.now.duration(to: end))))
    }
  }
}
