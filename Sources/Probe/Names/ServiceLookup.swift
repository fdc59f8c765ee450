import Addresses
import Glibc
import NIOCore
import NIOPosix
import STUN

/// Asks name servers for SRV records.
enum ServiceLookup {
  /// How long one question to one name server may take.
  private static let patience: Duration = .seconds(1)

  /// The records of a service, in the order in which to try them; empty where there are none or nobody answers.
  ///
  /// - Parameter nameServers: nil takes those of `/etc/resolv.conf`.
  static func records(
    of name: String, nameServers: [TransportAddress]?, by deadline: Instant
  ) async -> [ServiceRecord] {
    for server in nameServers ?? configuredNameServers() {
      let limit = min(deadline, .now + patience)
      guard limit > .now else { break }
      switch await ask(server, name, by: limit) {
      case .records(let records):
        var generator = SystemRandomNumberGenerator()
        return ServiceRecord.inOrder(records, using: &generator)
      case .nothing: return []
      case .failed, nil: continue
      }
    }
    return []
  }

  private static func configuredNameServers() -> [TransportAddress] {
    guard let file = fopen("/etc/resolv.conf", "r") else { return [] }
    defer { fclose(file) }
    var servers: [TransportAddress] = []
    var line = [CChar](repeating: 0, count: 1024)
    while unsafe fgets(&line, CInt(line.count), file) != nil {
      let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      let words = text.split(whereSeparator: \.isWhitespace)
      guard words.count >= 2, words[0] == "nameserver", let address = IPAddress(String(words[1])) else { continue }
      servers.append(TransportAddress(ip: address, port: 53))
    }
    return servers
  }

  private static func ask(
    _ server: TransportAddress, _ name: String, by deadline: Instant
  ) async -> DNSMessage.Answer? {
    let id = UInt16.random(in: 0 ... .max)
    guard let question = DNSMessage.question(id: id, name: name), let address = try? SocketAddress(server) else {
      return nil
    }
    let promise = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: DNSMessage.Answer?.self)
    let channel = try? await DatagramBootstrap(group: promise.futureResult.eventLoop)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(Receiver(id: id, promise: promise))
        }
      }
      .connect(to: address).get()
    guard let channel else {
      promise.succeed(nil)
      return nil
    }
    let limit = channel.eventLoop.scheduleTask(in: TimeAmount(deadline - .now)) { promise.succeed(nil) }
    channel.writeAndFlush(AddressedEnvelope(remoteAddress: address, data: question), promise: nil)
    let answer = await withTaskCancellationHandler {
      (try? await promise.futureResult.get()) ?? nil
    } onCancel: {
      promise.succeed(nil)
    }
    limit.cancel()
    try? await channel.close()
    return answer
  }

  private final class Receiver: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    private let id: UInt16
    private let promise: EventLoopPromise<DNSMessage.Answer?>

    init(id: UInt16, promise: EventLoopPromise<DNSMessage.Answer?>) {
      self.id = id
      self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      guard let answer = DNSMessage.answer(unwrapInboundIn(data).data, id: id) else { return }
      promise.succeed(answer)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.succeed(nil) }
  }
}
