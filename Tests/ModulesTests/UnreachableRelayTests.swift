import Addresses
import Journal
import Lab
import STUN
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules
@testable import Probe

/// Servers that work for those who probe them, and for no client elsewhere.
@Suite(.serialized) struct UnreachableRelayTests {
  private func target(_ coturn: Coturn) -> Value.Member {
    .init(
      "server",
      TURNServer.record.encode(
        TURNServer(
          name: "lab", uri: "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1", username: Coturn.username,
          credential: Secret(Coturn.credential))))
  }

  @Test("A private relayed address is warned of where the server was asked at another, with the line that mends it")
  func privateAddress() async throws {
    let coturn = try await Coturn.start { $0.directives = ["external-ip=10.9.8.7/127.0.0.1"] }
    let allocated = try await run("turn.allocate", [target(coturn)])
    #expect(allocated.objection?.severity == .warn)
    #expect(allocated.objection?.finding.code == "turn.relayedAddressUnreachable")
    #expect(allocated.objection?.finding.message.contains("relays from 10.9.8.7, a private address") == true)
    #expect(allocated.objection?.finding.advice?.contains("external-ip=PUBLIC-ADDRESS/10.9.8.7") == true)
    let relayed = try await run("turn.relay", [target(coturn), .init("packets", .int(2))])
    #expect(relayed.objection?.finding == allocated.objection?.finding)
    #expect(relayed.output["lost"] == .int(0))
  }

  @Test("The mending line names the public address at which the server was asked")
  func line() throws {
    let uri = ServerURI(scheme: .turn, host: "turn.example.com")
    func finding(_ relayed: String, _ asked: String) throws -> Finding? {
      Finding.unreachableRelay([try #require(IPAddress(relayed))], of: uri, askedAt: try #require(IPAddress(asked)))
    }
    #expect(try finding("10.0.0.5", "8.8.4.4")?.advice?.contains("external-ip=8.8.4.4/10.0.0.5") == true)
    #expect(try finding("127.0.0.1", "10.0.0.5")?.code == "turn.relayedAddressUnreachable")
    #expect(try finding("fd00::5", "2a00:1450::5")?.advice?.contains("external-ip=2a00:1450::5/fd00::5") == true)
    #expect(try finding("10.0.0.5", "2a00:1450::5")?.advice?.contains("external-ip=PUBLIC-ADDRESS/10.0.0.5") == true)
    // A lab, a server in our own network, and a server as it should be.
    #expect(try finding("127.0.0.1", "127.0.0.1") == nil)
    #expect(try finding("10.0.0.6", "192.168.0.5") == nil)
    #expect(try finding("10.0.0.5", "::ffff:10.0.0.5") == nil)
    #expect(try finding("8.8.4.4", "10.0.0.5") == nil)
  }

  @Test("Loss is judged without being asked for, and as declared where it is")
  func loss() async throws {
    // 50 packets of 1000 bytes a second through each of two allocations; a quarter of that is let through.
    let coturn = try await Coturn.start { $0.directives = ["max-bps=12500"] }
    let packets: [Value.Member] = [.init("packets", .int(150)), .init("size", .int(1000)), .init("rate", .int(50))]
    let found = try await run("turn.relay", [target(coturn)] + packets)
    #expect(found.objection?.severity == .fail)
    #expect(found.objection?.finding.code == "turn.lossy")
    #expect(found.objection?.finding.message.contains("more than the 1 % that may be lost") == true)
    #expect(found.objection?.finding.advice?.contains("max-bps") == true)
    let tolerated = try await run("turn.relay", [target(coturn), .init("maxLoss", .double(100))] + packets)
    #expect(tolerated.objection == nil)
  }
}
