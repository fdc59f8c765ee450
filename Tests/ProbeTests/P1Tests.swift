import Addresses
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// A server written by others than coturn's, which ejabberd and eturnal have: what is said of it is true of it.
  @Suite("p1_stun")
  struct P1Tests {
    private func server(_ p1: P1Server) -> ProbedServer {
      ProbedServer(
        uri: ServerURI(scheme: .turn, host: "127.0.0.1", port: p1.port),
        credentials: .longTerm(LongTermCredentials(username: P1Server.username, password: P1Server.password)))
    }

    @Test("It relays every packet and is recognised; a nonce of another socket is all that it takes wrongly")
    func works() async throws {
      try await P1Server.with { p1 in
        var relay = RelayProbe(server: server(p1))
        (relay.packets, relay.rate) = (50, 500)
        #expect(try await relay.run(deadline: .seconds(10)).received == 50)
        let credentials = try await CredentialsProbe(server: server(p1)).run(deadline: .seconds(10))
        #expect(credentials.violations == [.reusedNonce])
        #expect(ServerProgram(software: credentials.software) == .p1stun)
        #expect(try await !DrainProbe(server: server(p1)).run(deadline: .seconds(10)).isDraining)
      }
    }

    @Test("A client on its blacklist meets no draining server, and no option of coturn's is named")
    func blacklistedClient() async throws {
      try await P1Server.with(blacklisting: ["127.0.0.0/8"]) { p1 in
        let failure = try await explanation(of: server(p1), allocate)
        #expect(failure.code == .forbidden)
        #expect(failure.advice.contains("turn_blacklist"))
        #expect(!failure.description.contains("drain") && !failure.description.contains("coturn"))
        let drain = await #expect(throws: ProbeFailure.self) {
          try await DrainProbe(server: server(p1)).run(deadline: .seconds(10))
        }
        #expect(drain?.code == .forbidden)
      }
    }

    @Test("A peer on its blacklist is refused by the blacklist, not by denied-peer-ip")
    func blacklistedPeer() async throws {
      try await P1Server.with(blacklisting: ["10.0.0.0/8"]) { p1 in
        let report = try await OpenRelayProbe(server: server(p1)).run(deadline: .seconds(20))
        #expect(report.entries.first { $0.kind == .private10 }?.verdict == .refused(403))
        #expect(report.entries.first { $0.kind == .loopback }?.isDelivered == true)
        #expect(ServerProgram(software: report.software) == .p1stun)
        let peer = TransportAddress(ip: .v4(0x0A00_0001), port: 9)
        let failure = await #expect(throws: ProbeFailure.self) {
          try await Allocation.withAllocation(AllocationRequest(server: server(p1)), by: .now + .seconds(10)) {
            allocation throws(ProbeFailure) in
            do throws(ProbeFailure) { _ = try await allocation.bindChannel(to: peer, by: .now + .seconds(5)) } catch {
              throw error.namingRelayedAddress(peer.ip, of: allocation)
            }
          }
        }
        #expect(failure?.code == .forbidden)
        #expect(failure?.advice.contains("turn_blacklist") == true)
        #expect(failure?.advice.contains("coturn") == false)
      }
    }

    @Test("Its limit of allocations is named by its own option")
    func quota() throws {
      let server = try #require(TransportAddress("192.0.2.1:3478"))
      let rejection = Rejection(
        method: .allocate, error: ErrorCode(486), hadCredentials: true, software: "P1 STUN library")
      let failure = ProbeFailure(.rejected(rejection), of: .allocate, server: server, transport: .udp)
      #expect(failure.code == .quotaReached)
      #expect(failure.advice.contains("turn_max_allocations") && !failure.advice.contains("coturn"))
    }

    @Test(
      "Programs are told by the names that they give themselves",
      arguments: [
        ("Coturn-4.6.1 'Gorst'", ServerProgram.coturn), ("P1 STUN library", .p1stun), ("ejabberd", .p1stun),
        ("eturnal 1.12.0", .p1stun), ("restund v0.4", .other("restund v0.4")), ("None", .unnamed), ("", .unnamed),
      ])
    func programs(software: String, program: ServerProgram) {
      #expect(ServerProgram(software: software) == program)
      #expect(ServerProgram(software: nil) == .unnamed)
    }

    @Test(
      "Of a 403 of a program that is neither, its own name is said", arguments: [Method.allocate, .createPermission])
    func other(method: STUN.Method) async throws {
      let server = try #require(TransportAddress("192.0.2.1:3478"))
      let peers = method == .allocate ? [] : [TransportAddress(ip: .v4(0x7F00_0001), port: 0)]
      let rejection = Rejection(method: method, error: ErrorCode(403), hadCredentials: true, software: "restund v0.4")
      let failure = ProbeFailure(
        .rejected(rejection), of: method, peers: peers, server: server, transport: .udp)
      #expect(failure.code == .forbidden)
      #expect(failure.advice.contains("restund v0.4"))
      #expect(!failure.advice.contains("coturn") && !failure.advice.contains("drain"))
    }
  }
}
