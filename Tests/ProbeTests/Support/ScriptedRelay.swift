import Addresses
import NIOCore
import STUN
import Synchronization

@testable import Probe

/// A TURN server over UDP that relays ChannelData between its clients, with as much padding as a test says.
final class ScriptedRelay: Sendable {
  private struct Client {
    let relayed: TransportAddress
    var peers: [ChannelNumber: TransportAddress] = [:]
  }

  /// Of the first client's relayed address.
  private static let firstPort: UInt16 = 50_000

  private let clients = Mutex<[TransportAddress: Client]>([:])
  private let padding: Int
  private let isOneWay: Bool

  private init(padding: Int, isOneWay: Bool) {
    self.padding = padding
    self.isOneWay = isOneWay
  }

  /// - Parameter isOneWay: drops what comes from any but the first client.
  static func with<Value>(
    padding: Int = 0, isOneWay: Bool = false, _ body: (Server) async throws -> Value
  ) async throws -> Value {
    let relay = ScriptedRelay(padding: padding, isOneWay: isOneWay)
    let turn = ScriptedTURN { request, source, _ in relay.note(request, from: source) }
    return try await ScriptedServer.with { bytes, source in
      guard let data = try? ChannelData(decoding: bytes) else {
        return turn.answer(bytes, from: source).map { .init($0) }
      }
      return relay.pass(data, from: source).map { [$0] } ?? []
    } _: {
      try await body($0.server)
    }
  }

  /// Grants an allocation a relayed address of its own, and remembers channels.
  private func note(_ request: Message, from source: TransportAddress) -> [ByteBuffer]? {
    clients.withLock { clients in
      switch request.type.method {
      case .allocate:
        let known =
          clients[source]
          ?? Client(relayed: TransportAddress(ip: source.ip, port: Self.firstPort + UInt16(clients.count)))
        clients[source] = known
        return [
          Reply.success(to: request, [XORRelayedAddress(known.relayed), Lifetime(seconds: 600)], key: ScriptedTURN.key)
        ]
      case .channelBind:
        if let channel = try? request.attribute(ChannelNumber.self),
          let peer = try? request.attribute(XORPeerAddress.self)
        {
          clients[source]?.peers[channel] = peer.address
        }
        return nil
      default:
        return nil
      }
    }
  }

  private func pass(_ data: ChannelData, from source: TransportAddress) -> ScriptedServer.Answer? {
    clients.withLock { clients in
      guard let sender = clients[source], !isOneWay || sender.relayed.port == Self.firstPort,
        let peer = sender.peers[data.channel],
        let (recipient, client) = clients.first(where: { $0.value.relayed == peer }),
        let channel = client.peers.first(where: { $0.value == sender.relayed })?.key
      else { return nil }
      var bytes = ByteBuffer()
      ChannelData.write(data.payload, to: channel, padded: false, into: &bytes)
      bytes.writeRepeatingByte(0xEE, count: padding)
      return ScriptedServer.Answer(bytes, recipient: recipient)
    }
  }
}
