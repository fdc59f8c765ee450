import Addresses
import NIOCore
import NIOPosix
import STUN

@testable import Probe

/// A UDP server on loopback that answers as a test says, lies included.
final class ScriptedServer: Sendable {
  /// What it does with one datagram: the answers to send, in order.
  typealias Script = @Sendable (ByteBuffer, TransportAddress) -> [Answer]

  struct Answer: Sendable {
    let bytes: ByteBuffer
    /// Sends it from a second socket, so that it comes from another address.
    var fromElsewhere = false

    init(_ bytes: ByteBuffer, fromElsewhere: Bool = false) {
      self.bytes = bytes
      self.fromElsewhere = fromElsewhere
    }
  }

  let address: TransportAddress
  private let channels: [any Channel]

  private init(address: TransportAddress, channels: [any Channel]) {
    self.address = address
    self.channels = channels
  }

  var uri: ServerURI { ServerURI(scheme: .turn, host: "\(address.ip)", port: address.port) }

  var server: Server {
    Server(uri: uri, credentials: .longTerm(LongTermCredentials(username: "u", password: "p")))
  }

  static func with<Value>(
    _ script: @escaping Script, _ body: (ScriptedServer) async throws -> Value
  ) async throws -> Value {
    let loopback = try SocketAddress(ipAddress: "127.0.0.1", port: 0)
    // Free for TCP too, where a test puts another server beside it.
    let own = try SocketAddress(ipAddress: "127.0.0.1", port: Int(try FreePort.take("127.0.0.1")))
    let group = MultiThreadedEventLoopGroup.singleton
    let elsewhere = try await DatagramBootstrap(group: group).bind(to: loopback).get()
    let channel = try await DatagramBootstrap(group: group)
      .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 65_536))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Responder(script: script, elsewhere: elsewhere))
        }
      }
      .bind(to: own).get()
    guard let address = channel.localAddress.flatMap(TransportAddress.init) else {
      throw ChannelError.unknownLocalAddress
    }
    let server = ScriptedServer(address: address, channels: [channel, elsewhere])
    do {
      let value = try await body(server)
      await server.close()
      return value
    } catch {
      await server.close()
      throw error
    }
  }

  private func close() async { for channel in channels { try? await channel.close() } }

  private final class Responder: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>
    private let script: Script
    private let elsewhere: any Channel

    init(script: @escaping Script, elsewhere: any Channel) {
      self.script = script
      self.elsewhere = elsewhere
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let envelope = unwrapInboundIn(data)
      guard let source = TransportAddress(envelope.remoteAddress) else { return }
      for answer in script(envelope.data, source) {
        let reply = AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: answer.bytes)
        if answer.fromElsewhere {
          elsewhere.writeAndFlush(reply, promise: nil)
        } else {
          context.writeAndFlush(wrapOutboundOut(reply), promise: nil)
        }
      }
    }
  }
}

/// Messages as servers send them.
enum Reply {
  static func success(
    to request: Message, _ attributes: [any Attribute], key: IntegrityKey? = nil, id: TransactionID? = nil
  ) -> ByteBuffer {
    message(.success, to: request, attributes, key: key, id: id)
  }

  static func error(
    _ number: Int, to request: Message, _ attributes: [any Attribute] = [], key: IntegrityKey? = nil
  ) -> ByteBuffer {
    message(.error, to: request, [ErrorCode(number)] + attributes, key: key, id: nil)
  }

  /// A 401 that asks for long-term credentials.
  static func challenge(to request: Message, realm: String = "r.example", nonce: String = "n-1") -> ByteBuffer {
    error(401, to: request, [Realm(realm), Nonce(Array(nonce.utf8))])
  }

  private static func message(
    _ messageClass: MessageClass, to request: Message, _ attributes: [any Attribute], key: IntegrityKey?,
    id: TransactionID?
  ) -> ByteBuffer {
    var writer = MessageWriter(
      MessageType(request.type.method, messageClass), transactionID: id ?? request.transactionID)
    for attribute in attributes { writer.append(attribute) }
    if let key { writer.appendIntegrity(key: key) }
    return writer.finish()
  }
}
