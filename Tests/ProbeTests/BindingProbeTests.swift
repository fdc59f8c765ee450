import Addresses
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("BindingProbe")
  struct BindingProbeTests {
    @Test("coturn tells the reflexive address, its name, and its round-trip times")
    func coturn() async throws {
      try await Coturn.with { coturn in
        let report = try await BindingProbe(server: ProbedServer(uri: coturn.uri(.stun)), requests: 7).run(
          deadline: .seconds(15))
        #expect(report.requests == 7)
        #expect(report.responses == 7)
        #expect(report.reflexiveAddress == report.localAddress)
        #expect(report.isReflexiveAddressStable)
        #expect(report.software?.contains("Coturn") == true)
        #expect(report.responseOrigin == TransportAddress("127.0.0.1:\(coturn.port)"))
        #expect(report.rtt.map { $0.min <= $0.p50 && $0.p50 <= $0.p95 && $0.p95 <= $0.max } == true)
      }
    }
  }
}
