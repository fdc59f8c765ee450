import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// The figures of a relay probe against what was done to its packets. Every packet passes the impairing relay four
  /// times: to and from the server, on the way there and back.
  @Suite("Impairments")
  struct ImpairmentTests {
    private func measure(
      _ impairment: ImpairingRelay.Impairment, packets: Int, rate: Int
    ) async throws -> RelayProbe.Report {
      try await Coturn.with { coturn in
        try await ImpairingRelay.with(to: coturn.port, impairment) { relay in
          var server = coturn.server()
          server.uri.port = relay.address.port
          var probe = RelayProbe(server: server)
          (probe.packets, probe.rate) = (packets, rate)
          return try await probe.run(deadline: .seconds(30))
        }
      }
    }

    /// Whether a count of successes in tries of this probability lies within its 99 % bounds (normal approximation).
    private func isPlausible(_ count: Int, of tries: Int, probability: Double) -> Bool {
      let deviation = (Double(tries) * probability * (1 - probability)).squareRoot()
      return abs(Double(count) - Double(tries) * probability) <= 2.576 * deviation + 1
    }

    @Test("Loss lies within 99 % bounds of what was set", arguments: [0.02, 0.1])
    func loss(probability: Double) async throws {
      let report = try await measure(.init(loss: probability), packets: 450, rate: 150)
      let survives = 1 - probability
      #expect(report.sent == 450)
      #expect(isPlausible(report.reached, of: 450, probability: survives * survives))
      #expect(isPlausible(report.received, of: 450, probability: survives * survives * survives * survives))
      #expect(report.lost == 450 - report.received)
      #expect(report.duplicates == 0)
    }

    @Test("Duplicates lie within 99 % bounds of what was set, and are no more received than others")
    func duplicates() async throws {
      let report = try await measure(.init(duplication: 0.05), packets: 450, rate: 150)
      #expect(report.received == 450)
      // On each of the four passages a packet doubles with 0.05: 1.05⁴ arrivals a packet.
      let expected = 450 * (1.05 * 1.05 * 1.05 * 1.05 - 1)
      // The variance of a product of four such passages, to first order.
      let deviation = (450 * 4 * 0.05 * 0.95 * 1.3).squareRoot()
      #expect(abs(Double(report.duplicates) - expected) <= 2.576 * deviation)
    }

    @Test("Delay shows in the round trip, four times")
    func delay() async throws {
      let report = try await measure(.init(delay: .milliseconds(10)), packets: 100, rate: 100)
      let rtt = try #require(report.rtt)
      #expect(report.received == 100)
      #expect(rtt.min >= .milliseconds(40))
      #expect(rtt.p50 < .milliseconds(60))
      #expect(report.reordered == 0)
    }

    @Test("Packets of a slow path are waited for as long as they may take, as the set-up has shown")
    func slow() async throws {
      let report = try await measure(
        .init(delay: .milliseconds(300), coversRequests: true), packets: 3, rate: 100)
      #expect(report.received == 3)
      #expect(report.rtt.map { $0.min >= .milliseconds(1200) } == true)
    }

    @Test("Jitter and reordering follow from uneven delay, and are small without it")
    func jitter() async throws {
      let uneven = try await measure(.init(jitter: .milliseconds(20)), packets: 450, rate: 150)
      let jitter = try #require(uneven.jitter)
      // Two passages there, each even from 0 to 20 ms: the mean difference of two such sums is 2 · 20 · 7/30 ms.
      let expected = 2 * 20 * 7.0 / 30
      #expect(jitter / .milliseconds(1) > expected * 0.6)
      #expect(jitter / .milliseconds(1) < expected * 2)
      #expect(uneven.reordered > 30)
      #expect(uneven.received == 450)

      let even = try await measure(.init(), packets: 200, rate: 200)
      #expect(even.jitter.map { $0 < jitter / 2 } == true)
      #expect(even.duplicates == 0)
    }
  }
}
