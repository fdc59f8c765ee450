import Addresses
import Journal
import STUN
import Schema
import Steps
import Testing

@testable import Modules
@testable import Probe

/// What steps make of what probes found with servers that coturn is not.
@Suite struct JudgementTests {
  private func relay(
    _ verdicts: [OpenRelayProbe.PeerKind: OpenRelayProbe.PeerVerdict], delivered: [OpenRelayProbe.PeerKind] = [],
    allowed: [OpenRelayProbe.PeerKind] = []
  ) throws -> StepResult<TURNOpenRelay.Output> {
    let address = try #require(IPAddress("192.0.2.1"))
    let entries = verdicts.sorted { $0.key.rawValue < $1.key.rawValue }.map {
      OpenRelayProbe.Entry(
        kind: $0.key, address: address, verdict: $0.value, isDelivered: delivered.contains($0.key) ? true : nil)
    }
    return TURNOpenRelay.result(
      of: OpenRelayProbe.Report(entries: entries, software: nil), allowed: allowed,
      at: ServerURI(scheme: .turn, host: "turn.example.com"))
  }

  private let silence = OpenRelayProbe.PeerVerdict.unknown(
    ProbeFailure(.turnTimeout, "192.0.2.1:3478 did not answer.", advice: "Look at it."))
  private let badRequest = OpenRelayProbe.PeerVerdict.unknown(
    ProbeFailure(.badRequest, "Refused with 400.", advice: "Look at it.", evidence: [.init("errorCode", "400")]))

  @Test("turn.relay fails where the time was over before all packets had left or any was changed, however few are lost")
  func cutShort() throws {
    let summary = try #require(LatencySummary([.milliseconds(1)]))
    func result(sent: Int, corrupted: Int = 0, deleted: Bool = true) -> StepResult<TURNRelay.Output> {
      TURNRelay.result(
        TURNRelay.Output(
          server: "192.0.2.1:3478", transport: .udp, path: .channel, relayedAddresses: [], sent: sent, received: sent,
          lost: 0, loss: 0, reached: sent, duplicates: 0, reordered: 0, corrupted: corrupted, rtt: summary,
          jitter: nil, throughput: 1, setUp: .zero, elapsed: .zero, deleted: deleted),
        asked: 100, of: ServerURI(scheme: .turn, host: "turn.example.com"), maxLoss: 1)
    }
    #expect(result(sent: 100).objection == nil)
    #expect(result(sent: 99).objection?.severity == .fail)
    #expect(result(sent: 99).objection?.finding.code == "turn.relayCutShort")
    #expect(result(sent: 100, corrupted: 1).objection?.severity == .fail)
    #expect(result(sent: 99, corrupted: 1).objection?.finding.code == "turn.relayCorrupts")
    #expect(result(sent: 100, deleted: false).objection?.severity == .warn)
    #expect(result(sent: 100, deleted: false).objection?.finding.code == "turn.allocationKept")
  }

  @Test("turn.allocate asks for whole seconds, at least one")
  func lifetime() throws {
    func asked(_ lifetime: Duration) throws -> UInt32? {
      let server = TURNServer(name: "x", uri: "turn:turn.example.com", host: "turn.example.com")
      let value = Value.members([
        .init("server", TURNServer.record.encode(server)), .init("allocations", .int(1)),
        .init("family", .string("ipv4")), .init("evenPort", .bool(false)), .init("lifetime", .duration(lifetime)),
        .init("followAlternate", .bool(false)),
      ])
      return TURNAllocate.options(try TURNAllocate.declaration.input.decode(value)).lifetimeSeconds
    }
    #expect(try asked(.seconds(1)) == 1)
    #expect(try asked(.milliseconds(1001)) == 2)
    let field = TURNAllocate.declaration.input.type.fields.first { $0.name == "lifetime" }
    #expect(field?.bounds?.minimum == .duration(.seconds(1)))
  }

  @Test("tls.handshake warns of versions and ciphers that are out of date, and of nothing else")
  func legacy() {
    func result(
      _ versions: [String], _ ciphers: [String]?, alpn: TLSHandshakeProbe.ALPNAnswer = .ignored
    ) -> StepResult<TLSHandshakeModule.Output> {
      TLSHandshakeModule.result(
        TLSHandshakeModule.Output(
          version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", alpn: .ignored, versions: [],
          ciphers: ciphers.map { _ in [] }, legacyVersions: versions, legacyCiphers: ciphers),
        alpn: alpn, of: ServerURI(scheme: .turns, host: "turn.example.com"))
    }
    #expect(result([], nil).objection == nil)
    #expect(result([], []).objection == nil)
    let both = result(["TLSv1"], ["AES128-SHA", "AES256-SHA"]).objection
    #expect(both?.severity == .warn)
    #expect(both?.finding.code == "tls.legacyAccepted")
    #expect(
      both?.finding.message
        == "turns:turn.example.com: It accepts what is out of date: TLSv1, 2 ciphers, such as AES128-SHA.")
    #expect(result([], ["AES128-SHA"]).objection?.finding.message.hasSuffix(": AES128-SHA.") == true)
    for alpn in [TLSHandshakeProbe.ALPNAnswer.selected, .unanswered] {
      #expect(result([], nil, alpn: alpn).objection == nil)
    }
    let refused = result(["TLSv1"], nil, alpn: .refused("closed")).objection
    #expect(refused?.severity == .warn)
    #expect(refused?.finding.code == "tls.applicationProtocolRefused")
    #expect(
      refused?.finding.message
        == "turns:turn.example.com: It refuses a client that offers ALPN stun.turn (closed). It accepts what is out of "
        + "date: TLSv1.")
  }

  @Test("turn.openRelay passes only what is refused, untestable or allowed")
  func refused() throws {
    let result = try relay(
      [
        .loopback: .refused(403), .linkLocal: .refused(443), .loopbackIPv6: .untestable, .server: .permitted,
        .relay: silence,
      ], allowed: [.server, .relay])
    #expect(result.objection == nil)
    #expect(result.output.openings == [])
    #expect(result.output.unknown == [])
    #expect(result.output.peers.filter { $0.permitted == false }.map(\.kind) == [.linkLocal, .loopback])
    #expect(result.output.peers.filter { $0.permitted == nil }.map(\.kind) == [.loopbackIPv6, .relay])
  }

  @Test("turn.openRelay fails what is neither permitted nor refused, and says with what")
  func unknown() throws {
    let result = try relay([.loopback: silence, .linkLocal: badRequest, .private10: .refused(403)])
    #expect(result.objection?.severity == .fail)
    #expect(result.objection?.finding.code == "turn.refusalUnproven")
    #expect(result.output.unknown == [.linkLocal, .loopback])
    #expect(result.output.openings == [])
    let peers = result.output.peers
    #expect(peers.map(\.permitted) == [nil, nil, false])
    #expect(peers.map(\.errorCode) == [400, nil, 403])
    #expect(peers.map(\.reason) == ["turn.badRequest", "turn.timeout", nil])
  }

  @Test("turn.openRelay calls an opening what comes through, whatever the server said")
  func delivered() throws {
    let result = try relay(
      [.loopback: silence, .thisNetwork: .refused(403)], delivered: [.loopback, .thisNetwork])
    #expect(result.objection?.finding.code == "turn.relaysToForbiddenPeer")
    #expect(result.output.openings == [.loopback, .thisNetwork])
    #expect(result.output.unknown == [])
  }

  @Test("stun.behaviour fails with what the server leaves unproven, and keeps what is proven")
  func behaviour() throws {
    let address = try #require(TransportAddress("192.0.2.1:3478"))
    let objection = ProbeFailure(.changeRequestIgnored, "It does not.", advice: "Look at it.")
    func result(_ objection: ProbeFailure?) -> StepResult<STUNBehaviour.Output> {
      STUNBehaviour.result(
        of: BehaviourProbe.Report(
          reflexiveAddress: address, isBehindNAT: true, otherAddress: address, mapping: .endpointIndependent,
          filtering: nil, isTranslated: false, objection: objection))
    }
    let failed = result(objection)
    #expect(failed.objection?.severity == .fail)
    #expect(failed.objection?.finding.code == "stun.changeRequestIgnored")
    #expect(failed.output.mapping == .endpointIndependent)
    #expect(failed.output.filtering == nil)
    #expect(result(nil).objection == nil)
  }
}
