import Addresses
import STUN
import Testing

@Suite("Allocation")
struct AllocationTests {
  private let start = Instant.now

  private func state(lifetime: UInt32 = 600) throws -> AllocationState {
    var writer = MessageWriter(MessageType(.allocate, .success), transactionID: .random())
    for text in ["192.0.2.1:50000", "[2001:db8::1]:50001"] {
      writer.append(XORRelayedAddress(try #require(TransportAddress(text))))
    }
    writer.append(Lifetime(seconds: lifetime))
    return try AllocationState(allocated: try Message(decoding: writer.finish()), now: start)
  }

  @Test("16. The lifetime that came back counts; the refresh is due a minute early")
  func lifetime() throws {
    var state = try state(lifetime: 777)
    #expect(state.relayedAddresses.count == 2)
    #expect(state.expiresAt == start + .seconds(777))
    #expect(state.nextMaintenance == start + .seconds(717))
    #expect(state.due(now: start + .seconds(716)).isEmpty)
    #expect(state.due(now: start + .seconds(717)) == [.refresh])
    state.refreshed(Lifetime(seconds: 100), now: start + .seconds(717))
    #expect(state.nextMaintenance == start + .seconds(767))
  }

  @Test("16. An allocation without relayed address or lifetime is malformed")
  func malformed() throws {
    let empty = try Message(
      decoding: MessageWriter(MessageType(.allocate, .success), transactionID: .random()).finish())
    #expect(throws: DecodingError.missingAttribute(.xorRelayedAddress)) {
      try AllocationState(allocated: empty, now: start)
    }
  }

  @Test("17. A permission lasts 300 s and is for an address, whatever the port")
  func permissions() throws {
    var state = try state(lifetime: 3600)
    let peer = try #require(IPAddress("192.0.2.9"))
    state.permitted([peer], now: start)
    #expect(state.hasPermission(for: peer, now: start + .seconds(299)))
    #expect(!state.hasPermission(for: peer, now: start + .seconds(300)))
    #expect(state.due(now: start + .seconds(240)) == [.permissions([peer])])
    let address = TransportAddress(ip: peer, port: 1)
    let channel = try #require(state.bindableChannel(for: address, now: start))
    state.bound(channel, to: address, now: start + .seconds(200))
    #expect(state.hasPermission(for: peer, now: start + .seconds(499)))
  }

  @Test("18. Channels last 600 s; another use of number or peer waits five minutes more")
  func channels() throws {
    var state = try state(lifetime: 36_000)
    let first = try #require(TransportAddress("192.0.2.9:1"))
    let second = try #require(TransportAddress("192.0.2.9:2"))
    let channel = try #require(state.bindableChannel(for: first, now: start))
    #expect(channel.rawValue == 0x4000)
    state.bound(channel, to: first, now: start)
    #expect(state.channel(for: first, now: start + .seconds(599)) == channel)
    #expect(state.channel(for: first, now: start + .seconds(600)) == nil)
    #expect(state.bindableChannel(for: first, now: start + .seconds(500)) == channel)
    #expect(state.bindableChannel(for: first, now: start + .seconds(700)) == nil)
    #expect(state.bindableChannel(for: second, now: start + .seconds(700))?.rawValue == 0x4001)
    #expect(state.bindableChannel(for: second, now: start + .seconds(900)) == channel)
    #expect(state.due(now: start + .seconds(540)).contains(.channel(channel, first)))
  }

  // MARK: Policy

  private func rejection(_ number: Int, alternate: TransportAddress? = nil) -> Rejection {
    Rejection(method: .allocate, error: ErrorCode(number), hadCredentials: true, alternateServer: alternate)
  }

  private func policy(_ options: AllocateOptions = AllocateOptions(), follows: Bool = false) throws -> AllocationPolicy
  {
    AllocationPolicy(
      options: options, server: try #require(TransportAddress("192.0.2.1:3478")), followsAlternate: follows)
  }

  @Test("10. A redirection is followed only if asked to, never in a circle, three times at most")
  func redirection() throws {
    let servers = (1...6).compactMap { TransportAddress("192.0.2.\($0):3478") }
    var cautious = try policy()
    #expect(cautious.decide(after: rejection(300, alternate: servers[1])) == .giveUp)
    var following = try policy(follows: true)
    #expect(following.decide(after: rejection(300, alternate: servers[1])) == .redirect(servers[1]))
    #expect(following.decide(after: rejection(300, alternate: servers[0])) == .giveUp)
    #expect(following.decide(after: rejection(300, alternate: servers[1])) == .giveUp)
    #expect(following.decide(after: rejection(300, alternate: servers[2])) == .redirect(servers[2]))
    #expect(following.decide(after: rejection(300, alternate: servers[3])) == .redirect(servers[3]))
    #expect(following.decide(after: rejection(300, alternate: servers[4])) == .giveUp)
    #expect(following.decide(after: rejection(300)) == .giveUp)
  }

  @Test(
    "10. A redirection to where no server can be is never followed",
    arguments: [
      "0.0.0.0:3478", "255.255.255.255:3478", "224.0.0.1:3478", "192.0.2.2:0", "[2001:db8::2]:3478", "[::]:1",
    ])
  func impossibleRedirection(alternate: String) throws {
    var following = try policy(follows: true)
    #expect(following.decide(after: rejection(300, alternate: TransportAddress(alternate))) == .giveUp)
    let next = try #require(TransportAddress("192.0.2.2:3478"))
    #expect(following.decide(after: rejection(300, alternate: next)) == .redirect(next))
  }

  @Test("12. A 437 takes a new source port, at most three times")
  func mismatch() throws {
    var policy = try policy()
    for _ in 0..<3 { #expect(policy.decide(after: rejection(437)) == .retryFromNewPort) }
    #expect(policy.decide(after: rejection(437)) == .giveUp)
  }

  @Test(
    "13. and 14. What repetition cannot help is never repeated",
    arguments: [400, 401, 403, 440, 441, 442, 443, 486, 508])
  func final(number: Int) throws {
    var policy = try policy()
    #expect(policy.decide(after: rejection(number)) == .giveUp)
  }

  @Test("14. A 508 is repeated once without EVEN-PORT or RESERVATION-TOKEN")
  func evenPort() throws {
    var options = AllocateOptions()
    options.evenPort = EvenPort(reservesNextPort: true)
    var policy = try policy(options)
    #expect(policy.decide(after: rejection(508)) == .retry(AllocateOptions(), without: .evenPort))
    #expect(policy.decide(after: rejection(508)) == .giveUp)
  }
}
