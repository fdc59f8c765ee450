import Addresses
import NIOCore
import STUN
import Testing

@testable import Probe

extension LiveServerTests {
  /// What counts for a refusal, with servers that do otherwise than coturn.
  @Suite("OpenRelayProbe: verdicts")
  struct OpenRelayVerdictTests {
    /// A server without IPv6 that answers to loopback as scripted, and to all other peers with 403.
    private func report(
      deadline: Duration = .seconds(15), _ answer: @escaping @Sendable (Message) -> [ByteBuffer]?
    ) async throws -> OpenRelayProbe.Report {
      try await ScriptedTURN.with { request, _, _ in
        Self.answer(request, to: .v4(0x7F00_0001), answer)
      } _: { server, _ in
        try await OpenRelayProbe(server: server).run(deadline: deadline)
      }
    }

    private static func answer(
      _ request: Message, to peer: IPAddress?, _ answer: (Message) -> [ByteBuffer]?
    ) -> [ByteBuffer]? {
      switch request.type.method {
      case .allocate where request.span(of: .requestedAddressFamily) != nil:
        return [ScriptedReply.error(440, to: request, key: ScriptedTURN.key)]
      case .createPermission:
        let asked = try? request.attribute(XORPeerAddress.self)?.address.ip
        guard peer == nil || asked == peer else {
          return [ScriptedReply.error(403, to: request, key: ScriptedTURN.key)]
        }
        return answer(request)
      default: return nil
      }
    }

    private func loopback(_ report: OpenRelayProbe.Report) throws -> OpenRelayProbe.Entry {
      try #require(report.entries.first { $0.kind == .loopback })
    }

    @Test("A 403 or 443 is a refusal", arguments: OpenRelayProbe.refusals)
    func refusal(number: Int) async throws {
      let report = try await report { [ScriptedReply.error(number, to: $0, key: ScriptedTURN.key)] }
      #expect(try loopback(report).verdict == .refused(number))
      #expect(report.openings.isEmpty)
      #expect(report.entries.allSatisfy { !$0.isUnknown })
    }

    @Test(
      "What was found over IPv4 is kept where the IPv6 allocation fails or is not answered", arguments: [486, 500, nil])
    func failedSecondAllocation(number: Int?) async throws {
      let start = ContinuousClock.now
      let report = try await ScriptedTURN.with { request, _, _ in
        guard request.span(of: .requestedAddressFamily) == nil else {
          return number.map { [ScriptedReply.error($0, to: request, key: ScriptedTURN.key)] } ?? []
        }
        return Self.answer(request, to: .v4(0x7F00_0001)) { [ScriptedReply.success(to: $0, [], key: ScriptedTURN.key)] }
      } _: { server, _ in
        try await OpenRelayProbe(server: server).run(deadline: .seconds(60))
      }
      #expect(try loopback(report).verdict == .permitted)
      // The server is asked, and relays, at a loopback address.
      #expect(report.openings.map(\.kind) == [.loopback, .server, .relay])
      let untested = report.entries.filter(\.isUntested)
      #expect(untested.count == 9)
      for entry in untested {
        guard case .untested(let failure) = entry.verdict else {
          Issue.record("\(entry)")
          continue
        }
        #expect(failure.evidence("errorCode") == number.map { "\($0)" })
      }
      // Far less than the deadline, of which silence would take all.
      #expect(ContinuousClock.now - start < .seconds(30))
    }

    @Test("Any other error proves nothing, and says so")
    func otherError() async throws {
      // Side by side, since each listens for a while.
      try await withThrowingTaskGroup { group in
        for number in [400, 401, 420, 437, 438, 441, 486, 500, 508, 699] {
          group.addTask {
            let report = try await report {
              [
                ScriptedReply.error(
                  number, to: $0, [Realm("r.example"), Nonce(Array("n-2".utf8))], key: ScriptedTURN.key)
              ]
            }
            let entry = try loopback(report)
            #expect(entry.isUnknown, "\(number)")
            guard case .unknown(let failure) = entry.verdict else { return }
            #expect(failure.evidence("errorCode") == "\(number)")
            #expect(report.entries.filter { $0.address != entry.address }.allSatisfy { !$0.isUnknown }, "\(number)")
          }
        }
        try await group.waitForAll()
      }
    }

    @Test("Silence proves nothing, and leaves time for all the others")
    func silence() async throws {
      let start = ContinuousClock.now
      let report = try await report(deadline: .seconds(14)) { _ in [] }
      let entry = try loopback(report)
      guard case .unknown(let failure) = entry.verdict else {
        Issue.record("\(entry.verdict)")
        return
      }
      #expect(failure.code == .turnTimeout)
      #expect(report.entries.first { $0.kind == .broadcast }?.verdict == .refused(403))
      #expect(ContinuousClock.now - start < .seconds(14))
    }

    @Test("A server that keeps silent to every peer is found out within the deadline")
    func silenceToAll() async throws {
      try await ScriptedTURN.with { request, _, _ in
        Self.answer(request, to: nil) { _ in [] }
      } _: { server, _ in
        let start = ContinuousClock.now
        let report = try await OpenRelayProbe(server: server).run(deadline: .seconds(4))
        #expect(ContinuousClock.now - start < .seconds(6))
        #expect(report.entries.count(where: \.isUnknown) == 11)
        #expect(report.openings.isEmpty)
      }
    }

    @Test("A 443 for a family that is not relayed refuses no peer: none was tested")
    func otherFamily() async throws {
      let report = try await ScriptedTURN.with { request, source, _ in
        switch request.type.method {
        case .allocate:
          let relayed = XORRelayedAddress(TransportAddress(ip: .v6(high: 0, low: 1), port: 49_152))
          let attributes: [any Attribute] = [relayed, XORMappedAddress(source), Lifetime(seconds: 600)]
          return [ScriptedReply.success(to: request, attributes, key: ScriptedTURN.key)]
        case .createPermission:
          let isIPv6 = (try? request.attribute(XORPeerAddress.self)?.address.ip.family) == .ipv6
          return [ScriptedReply.error(isIPv6 ? 403 : 443, to: request, key: ScriptedTURN.key)]
        default: return nil
        }
      } _: { server, _ in
        try await OpenRelayProbe(server: server).run(deadline: .seconds(15))
      }
      #expect(try loopback(report).verdict == .untestable)
      #expect(report.entries.first { $0.kind == .loopbackIPv6 }?.verdict == .refused(403))
    }

    @Test("What comes through is an opening, though the server says that it refuses", arguments: [403, 500])
    func refusedAndDelivered(number: Int) async throws {
      let turn = ScriptedTURN { request, _, _ in
        Self.answer(request, to: nil) { [ScriptedReply.error(number, to: $0, key: ScriptedTURN.key)] }
      }
      try await ScriptedSTUNServer.with { bytes, source in
        guard let message = try? Message(decoding: bytes), message.type.method == .send,
          let peer = try? message.attribute(XORPeerAddress.self)?.address,
          let data = try? message.attribute(PeerData.self)
        else { return turn.answer(bytes, from: source).map { .init($0) } }
        return peer.ip == .v4(0x7F00_0001) ? [.init(data.bytes, recipient: peer)] : []
      } _: { server in
        let report = try await OpenRelayProbe(server: server.server).run(deadline: .seconds(15))
        let entry = try loopback(report)
        #expect(entry.isDelivered == true)
        #expect(entry.verdict != .permitted)
        #expect(!entry.isUnknown)
        #expect(report.openings.contains(entry))
        #expect(report.entries.first { $0.kind == .thisNetwork }?.isDelivered == false)
      }
    }
  }
}
