import Addresses
import STUN
import Testing

@testable import Probe

@Suite struct ICMPFailureTests {
  private static let messages =
    (UInt8(0)...15).map { ICMPError(version: .icmp, type: 3, code: $0) }
    + [(11, 0), (11, 1), (12, 0)].map { ICMPError(version: .icmp, type: $0.0, code: $0.1) }
    + (UInt8(0)...7).map { ICMPError(version: .icmpv6, type: 1, code: $0) }
    + [(2, 0), (3, 0), (3, 1), (4, 0), (4, 1)].map { ICMPError(version: .icmpv6, type: $0.0, code: $0.1) }

  @Test("Every ICMP message that can come for a datagram has a name of its own, a sentence and advice")
  func names() throws {
    let server = try #require(TransportAddress("192.0.2.7:3478"))
    var kinds: [ProbeFailure.Code: ICMPError.Kind] = [:]
    for message in Self.messages {
      let failure = ProbeFailure(TransportFailure.icmp(message), server: server, transport: .udp)
      #expect(message.kind != .unassigned)
      #expect(failure.code.isICMP && failure.code != .unassignedICMP)
      #expect(failure.message.contains("192.0.2.7:3478"))
      #expect(!failure.advice.isEmpty)
      #expect(kinds.updateValue(message.kind, forKey: failure.code) ?? message.kind == message.kind)
    }
    #expect(kinds.count == ICMPError.Kind.allCases.count - 1)
    let unassigned = ICMPError(version: .icmpv6, type: 100, code: 0)
    #expect(ProbeFailure(.icmp(unassigned), server: server, transport: .udp).code == .unassignedICMP)
  }

  @Test("Who says it and which MTU the path has are told")
  func evidence() throws {
    let server = try #require(TransportAddress("192.0.2.7:3478"))
    let message = ICMPError(version: .icmp, type: 3, code: 4, mtu: 1280, reporter: IPAddress("198.51.100.1"))
    let failure = ProbeFailure(.icmp(message), server: server, transport: .udp)
    #expect(failure.message.hasPrefix("198.51.100.1 says"))
    #expect(failure.message.contains("1280 bytes"))
    #expect(failure.evidence("reporter") == "198.51.100.1")
    #expect(failure.evidence("mtu") == "1280")
  }
}
