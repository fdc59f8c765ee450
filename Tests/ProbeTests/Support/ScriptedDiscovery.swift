import Addresses
import NIOCore
import NIOPosix
import STUN
import Synchronization
import TestSupport

@testable import Probe

/// A STUN server of two addresses and two ports on loopback (RFC 5780), with a NAT's filter before its answers, of which
/// a test says from where it answers.
final class ScriptedDiscovery: Sendable {
  /// One of the four sockets, as seen from the first.
  struct Place: Sendable, Hashable {
    var isOtherAddress = false
    var isOtherPort = false

    static let primary = Place()
    static let other = Place(isOtherAddress: true, isOtherPort: true)

    /// Where an answer must come from.
    func changed(by change: ChangeRequest?) -> Place {
      Place(
        isOtherAddress: isOtherAddress != (change?.changesAddress ?? false),
        isOtherPort: isOtherPort != (change?.changesPort ?? false))
    }
  }

  /// Where a request that came to a place is answered from; nil keeps silent.
  typealias Script = @Sendable (ChangeRequest?, Place) -> Place?

  struct Settings: Sendable {
    /// The filter of the NAT that the client is thought to be behind.
    var filter = BehaviourProbe.Dependence.endpointIndependent
    /// How the port that the client is shown depends on where it asks.
    var mapping = BehaviourProbe.Dependence.endpointIndependent
    /// What is announced in place of the second address; gets the first.
    var announced: (@Sendable (TransportAddress) -> TransportAddress)?
    /// The error that a request with CHANGE-REQUEST is answered with.
    var changeRefusal: Int?
    var script: Script = { change, place in place.changed(by: change) }
  }

  private let settings: Settings
  private let channels = Mutex<[Place: any Channel]>([:])
  private let opened = Mutex<Set<Place>>([])
  /// Where requests came to, in order.
  let requests = Recorder<Place>()

  private init(_ settings: Settings) { self.settings = settings }

  var server: ProbedServer {
    ProbedServer(uri: ServerURI(scheme: .stun, host: "127.0.0.1", port: address(of: .primary)?.port))
  }

  static func with<Value>(
    _ settings: Settings, _ body: (ScriptedDiscovery) async throws -> Value
  ) async throws -> Value {
    let discovery = ScriptedDiscovery(settings)
    let result: Result<Value, any Error>
    do {
      for isOtherPort in [false, true] {
        let port = try freePort()
        for isOtherAddress in [false, true] {
          try await discovery.open(Place(isOtherAddress: isOtherAddress, isOtherPort: isOtherPort), port: port)
        }
      }
      result = .success(try await body(discovery))
    } catch {
      result = .failure(error)
    }
    for channel in discovery.channels.withLock({ $0.values }) { try? await channel.close() }
    return try result.get()
  }

  private func open(_ place: Place, port: UInt16) async throws {
    let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Responder(discovery: self, place: place))
        }
      }
      .bind(host: place.isOtherAddress ? "127.0.0.2" : "127.0.0.1", port: Int(port)).get()
    channels.withLock { $0[place] = channel }
  }

  private func address(of place: Place) -> TransportAddress? {
    channels.withLock { $0[place]?.localAddress }.flatMap(TransportAddress.init)
  }

  fileprivate func answer(_ bytes: ByteBuffer, at place: Place, from client: SocketAddress) {
    guard let request = try? Message(decoding: bytes), let source = TransportAddress(client),
      let primary = address(of: .primary), let other = address(of: .other)
    else { return }
    requests.append(place)
    opened.withLock { _ = $0.insert(place) }
    let change = try? request.attribute(ChangeRequest.self)
    if change != nil, let number = settings.changeRefusal {
      channels.withLock { $0[place] }?.writeAndFlush(
        AddressedEnvelope(remoteAddress: client, data: ScriptedReply.error(number, to: request)), promise: nil)
      return
    }
    guard let sender = settings.script(change, place), passes(sender) else { return }
    let attributes: [any Attribute] = [
      XORMappedAddress(shown(source, at: place)), OtherAddress(settings.announced?(primary) ?? other),
    ]
    channels.withLock { $0[sender] }?.writeAndFlush(
      AddressedEnvelope(remoteAddress: client, data: ScriptedReply.success(to: request, attributes)), promise: nil)
  }

  /// Whether the filter lets an answer through to the client.
  private func passes(_ sender: Place) -> Bool {
    opened.withLock { opened in
      switch settings.filter {
      case .endpointIndependent: true
      case .addressDependent: opened.contains { $0.isOtherAddress == sender.isOtherAddress }
      case .addressAndPortDependent: opened.contains(sender)
      }
    }
  }

  private func shown(_ source: TransportAddress, at place: Place) -> TransportAddress {
    let steps: UInt16 =
      switch settings.mapping {
      case .endpointIndependent: 0
      case .addressDependent: place.isOtherAddress ? 1 : 0
      case .addressAndPortDependent: (place.isOtherAddress ? 1 : 0) + (place.isOtherPort ? 2 : 0)
      }
    return TransportAddress(ip: source.ip, port: source.port ^ steps)
  }
}

private final class Responder: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  private let discovery: ScriptedDiscovery
  private let place: ScriptedDiscovery.Place

  init(discovery: ScriptedDiscovery, place: ScriptedDiscovery.Place) {
    self.discovery = discovery
    self.place = place
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    discovery.answer(envelope.data, at: place, from: envelope.remoteAddress)
  }
}
