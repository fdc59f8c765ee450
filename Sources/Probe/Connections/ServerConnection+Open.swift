import Addresses
import NIOCore
import NIOPosix
import STUN

extension ServerConnection {
  /// Opens a socket; over TLS and DTLS the handshake is done, and the certificate checked, when it returns.
  static func open(
    to server: TransportAddress, over transport: Transport, options: Options, by deadline: Instant
  ) async throws(TransportFailure) -> ServerConnection {
    var configured = STUNClient.Configuration(
      server: transport == .udp ? server : nil, schedule: options.schedule ?? transport.schedule,
      credentials: options.credentials)
    if options.isMinimal { (configured.software, configured.sendsFingerprint) = (nil, false) }
    let configuration = configured
    do {
      // What has to be read for TLS would come after the deadline.
      if transport.isSecure, .now >= deadline { throw TLSFailure(.timedOut, "since no time was left for it") }
      let tls = try await context(options.tls, for: transport)
      let name = options.tls.serverName ?? "\(server.ip)"
      let opened = try await openChannel(transport, to: server, options: options, by: deadline) { channel in
        let deframer = transport.isReliable ? StreamFrameDecoder() : nil
        let handler = ClientHandler(client: STUNClient(configuration), transport: transport, deframer: deframer)
        let security = try tls.map {
          TLSHandler(
            try TLSSession($0, serverName: name), verifiesCertificate: options.tls.verifiesCertificate,
            eventLoop: channel.eventLoop)
        }
        let start: [any ChannelHandler] = options.tls.startTLS == nil ? [] : [StartTLSHandler()]
        let encryption: [any ChannelHandler] = security.map { [$0] } ?? []
        let framing: [any ChannelHandler] =
          switch transport {
          case .udp: []
          case .dtls: [DatagramBytes()] + encryption + [RecordFrameDecoder()]
          case .tcp: deframer.map { [$0] } ?? []
          case .tls: start + encryption + (deframer.map { [$0] } ?? [])
          }
        let counting: [any ChannelHandler] = options.frameCounter.map { [$0] } ?? []
        try channel.pipeline.syncOperations.addHandlers(framing + counting + [handler])
        return Opened(
          channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop),
          handshake: security?.handshake)
      }
      let handshake = try await opened.finishHandshake(
        by: options.handshakeLimit.map { min(deadline, .now + $0) } ?? deadline)
      return ServerConnection(
        transport: transport, server: server, channel: opened.channel, handler: opened.handler, handshake: handshake)
    } catch {
      throw Task.isCancelled ? .cancelled : TransportFailure(error, over: transport)
    }
  }

  private struct Opened: Sendable {
    let channel: any Channel
    let handler: NIOLoopBound<ClientHandler>
    let handshake: EventLoopFuture<TLSHandshake>?

    /// Waits for the handshake; closes the channel when it fails or the time is over.
    func finishHandshake(by deadline: Instant) async throws -> TLSHandshake? {
      guard let handshake else { return nil }
      let patience = max(.zero, deadline - .now)
      let limit = channel.eventLoop.scheduleTask(in: TimeAmount(patience)) {
        channel.pipeline.fireErrorCaught(
          TransportFailure.tls(TLSFailure(.timedOut, "within \(patience.inSeconds)")))
      }
      defer { limit.cancel() }
      do {
        return try await withTaskCancellationHandler {
          try await handshake.get()
        } onCancel: {
          channel.close(promise: nil)
        }
      } catch {
        try? await channel.close()
        throw error
      }
    }
  }

  /// Reads certificates and keys off the event loop, since they are files.
  private static func context(_ options: TLSOptions, for transport: Transport) async throws -> TLSContext? {
    guard transport.isSecure else { return nil }
    return try await NIOThreadPool.singleton.runIfActive {
      do throws(TLSFailure) {
        return try TLSContext(options, isDatagram: transport == .dtls)
      } catch {
        throw TransportFailure.tls(error)
      }
    }
  }

  private static func openChannel(
    _ transport: Transport, to server: TransportAddress, options: Options, by deadline: Instant,
    _ initializer: @escaping @Sendable (any Channel) throws -> Opened
  ) async throws -> Opened {
    let eventLoop = try options.eventLoop ?? nextEventLoop(for: transport)
    switch transport {
    case .udp, .dtls:
      guard let loop = eventLoop as? DatagramEventLoop else { throw ChannelError.operationUnsupported }
      return try await DatagramChannel.open(
        .connected(server), in: options.network, on: loop, receiveBuffer: options.expectsTraffic ? 1 << 20 : nil,
        initializer)
    case .tcp, .tls:
      let stop = eventLoop.makePromise(of: Void.self)
      // From here on there is nothing to stop any more.
      defer { stop.fail(CancellationError()) }
      return try await withTaskCancellationHandler {
        let address = try SocketAddress(server)
        let opened = eventLoop.makePromise(of: Opened.self)
        let connected = try options.network.opening {
          // NIO opens the socket before this returns, on the thread that calls it.
          ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(max(.milliseconds(1), deadline - .now)))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
              stop.futureResult.whenSuccess { channel.close(promise: nil) }
              return channel.eventLoop.makeCompletedFuture { opened.succeed(try initializer(channel)) }
            }
            .connect(to: address)
        }
        connected.whenFailure { opened.fail($0) }
        _ = try await connected.get()
        return try await opened.futureResult.get()
      } onCancel: {
        stop.succeed()
      }
    }
  }
}
