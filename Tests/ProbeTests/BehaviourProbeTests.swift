import Addresses
import NIOCore
import STUN
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("BehaviourProbe")
  struct BehaviourProbeTests {
    @Test(
      "Finds out the filter that is there, which what is sent for the mapping would have opened",
      arguments: BehaviourProbe.Dependence.allCases)
    func filtering(filter: BehaviourProbe.Dependence) async throws {
      try await ScriptedDiscovery.with(.init(filter: filter)) { discovery in
        let report = try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(15))
        #expect(report.filtering == filter)
        #expect(report.mapping == .endpointIndependent)
        #expect(report.objection == nil)
      }
    }

    @Test("Finds out the mapping that is there", arguments: BehaviourProbe.Dependence.allCases)
    func mapping(mapping: BehaviourProbe.Dependence) async throws {
      try await ScriptedDiscovery.with(.init(mapping: mapping)) { discovery in
        let report = try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(15))
        #expect(report.mapping == mapping)
        #expect(report.filtering == .endpointIndependent)
      }
    }

    @Test("Behind a mapping that depends on the destination the filter cannot be opened for a second look")
    func symmetric() async throws {
      let settings = ScriptedDiscovery.Settings(filter: .addressAndPortDependent, mapping: .addressAndPortDependent)
      try await ScriptedDiscovery.with(settings) { discovery in
        let report = try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(15))
        #expect(report.mapping == .addressAndPortDependent)
        #expect(report.filtering == .addressAndPortDependent)
        #expect(report.objection == nil)
      }
    }

    /// What a server does with a CHANGE-REQUEST in place of answering from where it is asked to.
    struct Disregard: Sendable, CustomStringConvertible {
      let description: String
      let script: ScriptedDiscovery.Script

      static let all = [
        Disregard(description: "answers from where it was asked") { _, place in place },
        Disregard(description: "changes the port only") { change, place in
          change == nil ? place : .init(isOtherPort: true)
        },
        Disregard(description: "changes the address only") { change, place in
          change == nil ? place : .init(isOtherAddress: true)
        },
        Disregard(description: "keeps silent") { change, place in change == nil ? place : nil },
        Disregard(description: "keeps silent when it is to change the address") { change, place in
          change?.changesAddress == true ? nil : place.changed(by: change)
        },
      ]
    }

    @Test("A server that disregards CHANGE-REQUEST proves no filter, and is named")
    func disregard() async throws {
      // Side by side, since they wait for what does not come.
      try await withThrowingTaskGroup { group in
        for disregard in Disregard.all {
          group.addTask {
            try await ScriptedDiscovery.with(.init(script: disregard.script)) { discovery in
              let report = try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(15))
              #expect(report.filtering == nil, "\(disregard)")
              #expect(report.objection?.code == .changeRequestIgnored, "\(disregard)")
              // What is proven stays.
              #expect(report.mapping == .endpointIndependent, "\(disregard)")
              #expect(report.otherAddress?.ip == IPAddress("127.0.0.2"), "\(disregard)")
            }
          }
        }
        try await group.waitForAll()
      }
    }

    @Test("A server that refuses CHANGE-REQUEST is named as one, and what is proven stays", arguments: [400, 420])
    func changeRefused(number: Int) async throws {
      try await ScriptedDiscovery.with(.init(changeRefusal: number)) { discovery in
        let report = try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(15))
        #expect(report.filtering == nil)
        #expect(report.objection?.code == .changeRequestIgnored)
        #expect(report.mapping == .endpointIndependent)
      }
    }

    @Test("A second address that cannot be read is no server without one")
    func malformedOther() async throws {
      try await ScriptedSTUNServer.with { bytes, source in
        guard let request = try? Message(decoding: bytes) else { return [] }
        var answer = ScriptedReply.success(to: request, [XORMappedAddress(source), Lifetime(seconds: 1)])
        answer.setInteger(AttributeType.otherAddress.rawValue, at: answer.writerIndex - 8)
        return [.init(answer)]
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BehaviourProbe(server: server.server).run(deadline: .seconds(5))
        }
        #expect(failure?.code == .malformedResponse)
        #expect(failure?.message.contains("OTHER-ADDRESS is not of its form") == true)
      }
    }

    @Test("An answer to a plain request from another address than was asked is none")
    func wrongSource() async throws {
      try await ScriptedDiscovery.with(.init(script: { _, _ in .other })) { discovery in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(1))
        }
        #expect(failure?.code == .wrongSource)
      }
    }

    @Test(
      "A second address that cannot be one is named and never sent to",
      arguments: [
        ("0.0.0.0:9", "unspecified"), ("224.0.0.1:9", "multicast"), ("255.255.255.255:9", "broadcast"),
        ("127.0.0.2:0", "portZero"), ("[::1]:9", "otherFamily"), ("127.0.0.1:9", "sameAddress"),
        ("127.0.0.2:primary", "samePort"),
      ])
    func impossibleOther(text: String, flaw: String) async throws {
      let settings = ScriptedDiscovery.Settings(announced: { primary in
        TransportAddress(text.replacing("primary", with: "\(primary.port)")) ?? primary
      })
      try await ScriptedDiscovery.with(settings) { discovery in
        let report = try await BehaviourProbe(server: discovery.server).run(deadline: .seconds(15))
        #expect(report.objection?.code == .otherAddressUnusable)
        #expect(report.objection?.evidence("flaw") == flaw)
        #expect(report.otherAddress == nil)
        #expect(report.mapping == nil)
        #expect(report.filtering == nil)
        #expect(discovery.requests.all == [.primary])
      }
    }

    @Test("Through NAT64 the second address is no fault of the server's, and cannot be asked")
    func translated() async throws {
      try await ScriptedSTUNServer.with(host: "::1") { bytes, source in
        guard let request = try? Message(decoding: bytes), let other = TransportAddress("198.18.0.2:3479") else {
          return []
        }
        let seen = TransportAddress(ip: .v4(0xC612_0064), port: source.port)
        return [.init(ScriptedReply.success(to: request, [XORMappedAddress(seen), OtherAddress(other)]))]
      } _: { server in
        let report = try await BehaviourProbe(server: server.server).run(deadline: .seconds(5))
        #expect(report.isTranslated && report.isBehindNAT)
        #expect(report.objection == nil)
        #expect(report.otherAddress == nil && report.mapping == nil && report.filtering == nil)
      }
    }

    @Test("A deadline that ends before a silence was long enough makes no filter of it")
    func shortDeadline() async throws {
      try await ScriptedDiscovery.with(.init(filter: .addressAndPortDependent)) { discovery in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BehaviourProbe(server: discovery.server).run(deadline: .milliseconds(500))
        }
        #expect(failure?.code == .outOfTime)
      }
    }

    @Test("An address that nobody can have is not taken for ours")
    func impossibleReflexive() async throws {
      try await ScriptedSTUNServer.with { bytes, _ in
        guard let request = try? Message(decoding: bytes) else { return [] }
        return [.init(ScriptedReply.success(to: request, [XORMappedAddress(TransportAddress(ip: .v4(0), port: 0))]))]
      } _: { server in
        let failure = await #expect(throws: ProbeFailure.self) {
          try await BehaviourProbe(server: server.server).run(deadline: .seconds(5))
        }
        #expect(failure?.code == .reflexiveAddressUnusable)
      }
    }
  }
}
