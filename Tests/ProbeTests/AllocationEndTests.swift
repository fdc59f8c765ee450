import Addresses
import STUN
import Synchronization
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("Ends of allocations")
  struct AllocationEndTests {
    @Test("Both allocations are deleted at the same time: neither waits for the other's answer")
    func deletions() async throws {
      let asked = Mutex<Set<TransportAddress>>([])
      try await ScriptedTURN.with { request, source, _ in
        guard request.type.method == .refresh else { return nil }
        return asked.withLock { asked in
          asked.insert(source)
          return asked.count < 2 ? [] : nil
        }
      } _: { server, _ in
        var probe = RelayProbe(server: server)
        (probe.packets, probe.rate) = (1, 10)
        let failure = await #expect(throws: ProbeFailure.self) { try await probe.run(deadline: .seconds(5)) }
        #expect(failure?.code == .nothingRelayed)
        #expect(failure?.evidence("allocationDeleted") == "yes")
      }
    }

    @Test("Once an allocation is being deleted, nothing renews it any more")
    func renewal() async throws {
      let deletions = Mutex(0)
      try await ScriptedTURN.with { request, source, _ in
        switch request.type.method {
        case .allocate:
          return [
            ScriptedReply.success(
              to: request,
              [XORRelayedAddress(TransportAddress(ip: source.ip, port: 49_152)), Lifetime(seconds: 2)],
              key: ScriptedTURN.key)
          ]
        case .refresh:
          guard (try? request.attribute(Lifetime.self))?.seconds == 0 else { return [] }
          // So that both are under way when requests are repeated.
          return deletions.withLock { count in
            count += 1
            return count == 1 ? [] : nil
          }
        default: return nil
        }
      } _: { server, turn in
        let (_, deletion) = try await Allocation.withAllocation(
          AllocationRequest(server: server), by: .now + .seconds(10)
        ) { _ throws(ProbeFailure) in
          try? await turn.waitUntil { !$0.signedRequests(.refresh).isEmpty }
        }
        #expect(deletion.isConfirmed)
        let lifetimes = turn.signedRequests(.refresh).map { (try? $0.attribute(Lifetime.self))?.seconds }
        let first = try #require(lifetimes.firstIndex(of: 0))
        #expect(first > 0)
        #expect(lifetimes[first...].allSatisfy { $0 == 0 }, "\(lifetimes)")
      }
    }
  }
}
