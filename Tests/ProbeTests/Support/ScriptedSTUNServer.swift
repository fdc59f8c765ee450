import Addresses
import Lab
import NIOCore
import NIOPosix
import STUN
import Synchronization
import TestSupport

@testable import Probe

/// A server on loopback that answers as a test says, lies included, over any transport.
final class ScriptedSTUNServer: Sendable {
  /// What it does with one datagram, or with what one read of a stream brought: the answers to send, in order.
  typealias Script = @Sendable (ByteBuffer, TransportAddress) -> [Answer]

  struct Answer: Sendable {
    let bytes: ByteBuffer
    /// Sends it from a second socket, so that it comes from another address; over UDP and DTLS only.
    var fromElsewhere = false
    /// Sends it past TLS or DTLS, as somebody does who has no part in the session.
    var isUnprotected = false
    /// Another client than the one that is answered; over UDP and TCP only.
    var recipient: TransportAddress?
    /// Reads nothing more of the connection that is answered; over TCP and TLS only.
    var stopsReading = false

    init(
      _ bytes: ByteBuffer, fromElsewhere: Bool = false, isUnprotected: Bool = false,
      recipient: TransportAddress? = nil, stopsReading: Bool = false
    ) {
      self.bytes = bytes
      self.fromElsewhere = fromElsewhere
      self.isUnprotected = isUnprotected
      self.recipient = recipient
      self.stopsReading = stopsReading
    }
  }

  let address: TransportAddress
  let transport: Transport
  private let identity: SecureServerIdentity?
  private let channels: [any Channel]

  private init(
    address: TransportAddress, transport: Transport, identity: SecureServerIdentity?, channels: [any Channel]
  ) {
    self.address = address
    self.transport = transport
    self.identity = identity
    self.channels = channels
  }

  var uri: ServerURI {
    ServerURI(
      scheme: transport.isSecure ? .turns : .turn, host: "\(address.ip)", port: address.port,
      transport: transport.isReliable ? .tcp : .udp)
  }

  /// With the one user that `ScriptedTURN` knows, and trust in the certificate.
  var server: ProbedServer {
    var server = ProbedServer(uri: uri, credentials: .longTerm(LongTermCredentials(username: "u", password: "p")))
    server.tls.trustFile = identity?.authority
    return server
  }

  /// Starts it, uses it, and ends it.
  ///
  /// - Parameters:
  ///   - host: 127.0.0.1 or ::1.
  ///   - port: over TCP and TLS, to stand beside another server; any free one where nil.
  ///   - clientAuthority: a PEM file; clients must show a certificate by this authority, over TLS and DTLS.
  ///   - version: of TLS or DTLS, the only one that it speaks.
  static func with<Value>(
    over transport: Transport = .udp, host: String = "127.0.0.1", port: UInt16? = nil,
    clientAuthority: String? = nil, version: TLSVersion? = nil, _ script: @escaping Script,
    _ body: (ScriptedSTUNServer) async throws -> Value
  ) async throws -> Value {
    let identity =
      transport.isSecure
      ? try SecureServerIdentity(
        isDatagram: !transport.isReliable, clientAuthority: clientAuthority, version: version)
      : nil
    let channels =
      transport.isReliable
      ? [try await listen(host, port ?? 0, identity, script)] : try await open(host, identity, script)
    guard let address = channels[0].localAddress.flatMap(TransportAddress.init) else {
      throw ChannelError.unknownLocalAddress
    }
    let server = ScriptedSTUNServer(address: address, transport: transport, identity: identity, channels: channels)
    do {
      let value = try await body(server)
      await server.close()
      return value
    } catch {
      await server.close()
      throw error
    }
  }

  private static func listen(
    _ host: String, _ port: UInt16, _ identity: SecureServerIdentity?, _ script: @escaping Script
  ) async throws -> any Channel {
    let clients = StreamClients()
    return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          clients.note(channel)
          try channel.pipeline.syncOperations.addHandler(
            StreamResponder(
              script: script, session: try identity.map(SecureServerSession.init), clients: clients))
        }
      }
      .bind(host: host, port: Int(port)).get()
  }

  private static func open(
    _ host: String, _ identity: SecureServerIdentity?, _ script: @escaping Script
  ) async throws -> [any Channel] {
    let group = MultiThreadedEventLoopGroup.singleton
    let elsewhere = try await DatagramBootstrap(group: group).bind(host: host, port: 0).get()
    let channel = try await DatagramBootstrap(group: group)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            DatagramResponder(script: script, identity: identity, elsewhere: elsewhere))
        }
      }
      // Free for TCP too, where a test puts another server beside it.
      .bind(host: host, port: Int(try freePort())).get()
    return [channel, elsewhere]
  }

  private func close() async { for channel in channels { try? await channel.close() } }
}

/// Answers datagrams, inside of DTLS where there is an identity.
private final class DatagramResponder: ChannelInboundHandler {
  typealias InboundIn = AddressedEnvelope<ByteBuffer>
  typealias OutboundOut = AddressedEnvelope<ByteBuffer>
  private let script: ScriptedSTUNServer.Script
  private let identity: SecureServerIdentity?
  private let elsewhere: any Channel
  private var sessions: [SocketAddress: SecureServerSession] = [:]

  init(script: @escaping ScriptedSTUNServer.Script, identity: SecureServerIdentity?, elsewhere: any Channel) {
    self.script = script
    self.identity = identity
    self.elsewhere = elsewhere
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let envelope = unwrapInboundIn(data)
    let client = envelope.remoteAddress
    guard let source = TransportAddress(client) else { return }
    func send(_ bytes: ByteBuffer) {
      context.writeAndFlush(wrapOutboundOut(AddressedEnvelope(remoteAddress: client, data: bytes)), promise: nil)
    }
    let session = session(with: client)
    let requests = session?.receive(envelope.data) ?? [envelope.data]
    session?.takeOutbound().forEach(send)
    for answer in requests.flatMap({ script($0, source) }) {
      if answer.fromElsewhere {
        elsewhere.writeAndFlush(AddressedEnvelope(remoteAddress: client, data: answer.bytes), promise: nil)
      } else if let recipient = answer.recipient.flatMap({ try? SocketAddress($0) }) {
        context.writeAndFlush(
          wrapOutboundOut(AddressedEnvelope(remoteAddress: recipient, data: answer.bytes)), promise: nil)
      } else if let session, !answer.isUnprotected {
        session.protect(answer.bytes).forEach(send)
      } else {
        send(answer.bytes)
      }
    }
  }

  private func session(with client: SocketAddress) -> SecureServerSession? {
    if let known = sessions[client] { return known }
    sessions[client] = identity.flatMap { try? SecureServerSession($0) }
    return sessions[client]
  }
}

/// The connections of a server, by their clients.
private final class StreamClients: Sendable {
  private let channels = Mutex<[TransportAddress: any Channel]>([:])

  func note(_ channel: any Channel) {
    guard let client = channel.remoteAddress.flatMap(TransportAddress.init) else { return }
    channels.withLock { $0[client] = channel }
  }

  func channel(of client: TransportAddress) -> (any Channel)? { channels.withLock { $0[client] } }
}

/// Answers what one connection brings, inside of TLS where there is a session. Each answer is a packet of its own.
private final class StreamResponder: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let script: ScriptedSTUNServer.Script
  private let session: SecureServerSession?
  private let clients: StreamClients

  init(script: @escaping ScriptedSTUNServer.Script, session: SecureServerSession?, clients: StreamClients) {
    self.script = script
    self.session = session
    self.clients = clients
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard let source = context.channel.remoteAddress.flatMap(TransportAddress.init) else { return }
    func send(_ bytes: ByteBuffer) { context.writeAndFlush(wrapOutboundOut(bytes), promise: nil) }
    let bytes = unwrapInboundIn(data)
    let requests = session?.receive(bytes) ?? [bytes]
    session?.takeOutbound().forEach(send)
    for answer in requests.flatMap({ script($0, source) }) {
      if answer.stopsReading { try? context.channel.syncOptions?.setOption(.autoRead, value: false) }
      if let recipient = answer.recipient {
        clients.channel(of: recipient)?.writeAndFlush(answer.bytes, promise: nil)
      } else if let session, !answer.isUnprotected {
        session.protect(answer.bytes).forEach(send)
      } else {
        send(answer.bytes)
      }
    }
  }
}
