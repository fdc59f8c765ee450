package import Addresses
import Connections
import Processes

/// Asks name servers, through c-ares: over UDP, and again over TCP if an answer was cut off.
package struct DNSClient: Sendable {
  private let servers: [TransportAddress]?

  /// - Parameter servers: asked one after the other until one can answer; nil takes those of /etc/resolv.conf.
  package init(servers: [TransportAddress]? = nil) { self.servers = servers }

  /// How long one server is waited for if there are others.
  private static let patience: Duration = .seconds(5)

  /// The answers to some questions, in their order; nil if the task is cancelled.
  ///
  /// A server that cannot answer (``DNSOutcome/isOfName`` is false) leaves a question to the next one. The last such answer stays if
  /// none can.
  package func answers(
    to questions: [DNSQuestion], by deadline: ContinuousClock.Instant
  ) async -> [DNSAnswer]? {
    let interruption = StopSignal()
    return await withTaskCancellationHandler {
      await onBlockingThread { ask(questions, by: deadline, interruption) }
    } onCancel: {
      interruption.announce()
    }
  }

  private func ask(
    _ questions: [DNSQuestion], by deadline: ContinuousClock.Instant, _ interruption: StopSignal
  ) -> [DNSAnswer]? {
    let servers = servers ?? NameServerExchange.configuredServers()
    var answers = questions.map { DNSAnswer($0, .unreachable, server: nil, elapsed: .zero) }
    for (index, server) in servers.enumerated() {
      let open = questions.indices.filter { !answers[$0].outcome.isOfName }
      let left = ContinuousClock.now.duration(to: deadline)
      guard !open.isEmpty, index == 0 || left > .zero else { break }
      let isLast = index == servers.count - 1
      let share = isLast ? left : min(Self.patience, left / (servers.count - index))
      let exchange = NameServerExchange(server: server, patience: max(share, .milliseconds(1)))
      guard let found = exchange.answers(to: open.map { questions[$0] }, interruption: interruption) else {
        return nil
      }
      for (place, answer) in zip(open, found) { answers[place] = answer }
    }
    return answers
  }
}
