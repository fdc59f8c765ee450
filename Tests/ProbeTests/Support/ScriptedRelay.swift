import Addresses
import NIOCore
import STUN
import Synchronization

@testable import Probe

/// A TURN server over UDP that relays ChannelData between its clients, with as much padding as a test says, and does with
/// the payloads what a test says.
final class ScriptedRelay: Sendable {
  /// What is sent for a payload.
  enum Passage {
    case on(ByteBuffer)
    /// To who sent it.
    case back(ByteBuffer)
  }

  /// Gets a payload, and whether it comes from the first client.
  typealias Treatment = @Sendable (ByteBuffer, Bool) -> [Passage]

  private struct Client {
    let relayed: TransportAddress
    var peers: [ChannelNumber: TransportAddress] = [:]
  }

  /// Of the first client's relayed address.
  private static let firstPort: UInt16 = 50_000

  private let clients = Mutex<[TransportAddress: Client]>([:])
  private let padding: Int
  private let treatment: Treatment

  private init(padding: Int, treatment: @escaping Treatment) {
    self.padding = padding
    self.treatment = treatment
  }

  static func with<Value>(
    padding: Int = 0, treatment: @escaping Treatment = { payload, _ in [.on(payload)] },
    _ body: (ProbedServer) async throws -> Value
  ) async throws -> Value {
    let relay = ScriptedRelay(padding: padding, treatment: treatment)
    let turn = ScriptedTURN { request, source, _ in relay.note(request, from: source) }
    return try await ScriptedSTUNServer.with { bytes, source in
      guard let data = try? ChannelData(decoding: bytes) else {
        return turn.answer(bytes, from: source).map { .init($0) }
      }
      return relay.pass(data, from: source)
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
          ScriptedReply.success(
            to: request, [XORRelayedAddress(known.relayed), Lifetime(seconds: 600)], key: ScriptedTURN.key)
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

  private func pass(_ data: ChannelData, from source: TransportAddress) -> [ScriptedSTUNServer.Answer] {
    clients.withLock { clients in
      guard let sender = clients[source], let peer = sender.peers[data.channel],
        let (recipient, client) = clients.first(where: { $0.value.relayed == peer }),
        let channel = client.peers.first(where: { $0.value == sender.relayed })?.key
      else { return [] }
      return treatment(data.payload, sender.relayed.port == Self.firstPort).map { passage in
        switch passage {
        case .on(let payload): ScriptedSTUNServer.Answer(frame(payload, channel), recipient: recipient)
        case .back(let payload): ScriptedSTUNServer.Answer(frame(payload, data.channel), recipient: source)
        }
      }
    }
  }

  private func frame(_ payload: ByteBuffer, _ channel: ChannelNumber) -> ByteBuffer {
    var bytes = ByteBuffer()
    ChannelData.write(payload, to: channel, padded: false, into: &bytes)
    bytes.writeRepeatingByte(0xEE, count: padding)
    return bytes
  }
}
