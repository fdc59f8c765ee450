import Addresses
import NIOCore
import STUN
import Synchronization
import Testing

@testable import Probe

/// A TURN server of which a test scripts single answers; everything else it grants, signed.
///
/// User `u`, password `p`, realm `r.example`.
final class ScriptedTURN: Sendable {
  /// nil lets the server answer as usual; an empty list keeps silent. Gets the request, where it comes from, and how many
  /// requests of its method with credentials came before it.
  typealias Override = @Sendable (Message, TransportAddress, Int) -> [ByteBuffer]?

  static let key = IntegrityKey(username: "u", realm: "r.example", password: "p")

  private let override: Override
  private let counts = Mutex<[Method: Int]>([:])
  /// Who has a relayed address, the first one at port 49152.
  private let clients = Mutex<[TransportAddress]>([])
  let requests = Recorder<Message>()
  let sources = Recorder<TransportAddress>()

  init(_ override: @escaping Override) { self.override = override }

  static func with<Value>(
    over transport: Transport = .udp, _ override: @escaping Override,
    _ body: (ProbedServer, ScriptedTURN) async throws -> Value
  ) async throws -> Value {
    let turn = ScriptedTURN(override)
    return try await ScriptedSTUNServer.with(over: transport) {
      turn.answer($0, from: $1).map { ScriptedSTUNServer.Answer($0) }
    } _: {
      try await body($0.server, turn)
    }
  }

  /// What it answers to a datagram or frame.
  func answer(_ bytes: ByteBuffer, from source: TransportAddress) -> [ByteBuffer] {
    guard let request = try? Message(decoding: bytes), request.type.messageClass == .request else { return [] }
    requests.append(request)
    guard request.type.method == .binding || request.span(of: .messageIntegrity) != nil else {
      return [ScriptedReply.challenge(to: request)]
    }
    sources.append(source)
    let count = counts.withLock { counts in
      counts[request.type.method, default: 0] += 1
      return counts[request.type.method, default: 1] - 1
    }
    if let answers = override(request, source, count) { return answers }
    let asksIPv6 = (try? request.attribute(RequestedAddressFamily.self))?.family == .ipv6
    let relayed = TransportAddress(
      ip: asksIPv6 ? .v6(high: 0, low: 1) : source.ip, port: 49_152 + UInt16(number(of: source)))
    let attributes: [any Attribute] =
      switch request.type.method {
      case .allocate: [XORRelayedAddress(relayed), XORMappedAddress(source), Lifetime(seconds: 600)]
      case .refresh: [Lifetime(seconds: 0)]
      case .binding: [XORMappedAddress(source)]
      default: []
      }
    return [ScriptedReply.success(to: request, attributes, key: Self.key)]
  }

  private func number(of source: TransportAddress) -> Int {
    clients.withLock { clients in
      if let known = clients.firstIndex(of: source) { return known }
      clients.append(source)
      return clients.count - 1
    }
  }

  /// How many requests of a method came with credentials.
  func signedRequests(_ method: Method) -> [Message] {
    requests.all.filter { $0.type.method == method && $0.span(of: .messageIntegrity) != nil }
  }

  /// Waits until this holds; fails after five seconds.
  func waitUntil(_ condition: (ScriptedTURN) -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(5)
    while !condition(self) {
      try #require(ContinuousClock.now < end)
      await Task.yield()
    }
  }
}
