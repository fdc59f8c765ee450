package import Addresses
import NIOCore
import NIOPosix
import STUN
import Schema

/// A client's connection to one server over one transport: a socket with its STUN client, on one event loop.
package struct ServerConnection: Sendable {
  package let transport: Transport
  package let server: TransportAddress
  let channel: any Channel
  let handler: NIOLoopBound<ClientHandler>
  /// What TLS or DTLS agreed on.
  package let handshake: TLSHandshake?

  var eventLoop: any EventLoop { channel.eventLoop }

  /// Our own address of the socket; an IPv4-mapped one as the IPv4 address that the server sees.
  package var localAddress: TransportAddress? { channel.localAddress.flatMap(TransportAddress.init)?.unmapped }

  /// Sends a request and waits for its outcome.
  ///
  /// - Parameters:
  ///   - deadline: when to give up; the RFC's own end is kept where it is earlier.
  ///   - grace: how much longer an answer is waited for when the task is cancelled after the request was sent.
  /// - Throws: `RequestFailure`; `.cancelled` as soon as the task is cancelled and the grace is over.
  func perform(
    _ request: Request, by deadline: Instant, graceWhenCancelled grace: Duration = .zero
  ) async throws(RequestFailure) -> Response {
    let token = ClientHandler.RequestToken()
    let cancel: @Sendable () -> Void = { [eventLoop, handler] in
      eventLoop.scheduleTask(in: TimeAmount(grace)) { handler.value.cancel(token) }
    }
    let result: Result<Response, RequestFailure> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        guard !Task.isCancelled else { return continuation.resume(returning: .failure(.cancelled)) }
        eventLoop.execute {
          handler.value.begin(request, token: token, deadline: deadline, continuation: continuation)
        }
        // Cancelled between the question and the request's beginning, it found nothing to end.
        if Task.isCancelled { cancel() }
      }
    } onCancel: {
      cancel()
    }
    return try result.get()
  }

  /// Sends a request and does not wait.
  func sendOnce(_ request: Request) {
    eventLoop.execute { handler.value.sendOnce(request) }
  }

  /// Writes what is no STUN.
  func say(_ text: String) async throws { try await channel.writeAndFlush(channel.allocator.buffer(string: text)) }

  /// The realm that the server named in its challenge.
  func realm() async -> String? {
    (try? await eventLoop.submit { handler.value.client.authentication.realm }.get()) ?? nil
  }

  /// The nonce that the server gave last.
  func nonce() async -> Nonce? {
    (try? await eventLoop.submit { handler.value.client.authentication.nonce }.get()) ?? nil
  }

  /// Makes the next request carry a nonce that this connection was not given.
  func assume(realm: String, nonce: Nonce) async {
    try? await eventLoop.submit { handler.value.assume(realm: realm, nonce: nonce) }.get()
  }

  /// Closes the socket once what was asked for before is done.
  func close() async { try? await eventLoop.flatSubmit { channel.close() }.get() }
}

extension ServerConnection {
  /// What a connection is opened with.
  struct Options: Sendable {
    var credentials: LongTermCredentials?
    /// For TLS and DTLS.
    var tls = TLSOptions()
    /// Where the socket is opened.
    var network: ProbeNetwork = .ofHost
    /// How long the handshake may take, where that is less than the deadline leaves.
    var handshakeLimit: Duration?
    /// Whether requests carry nothing that the server does not need.
    var isMinimal = false
    /// When requests are repeated and given up; nil as the RFC says for the transport.
    var schedule: RetransmissionSchedule?
    /// Who counts what the server sends.
    var frameCounter: FrameCounter?
    /// Whether many datagrams come at once: then the kernel keeps more of them.
    var expectsTraffic = false
    /// One of ``ServerConnection/nextEventLoop(for:)``; nil takes any.
    var eventLoop: (any EventLoop)?
  }

  /// Opens a socket, uses it, and closes it, whatever happens. All of it runs on the connection's event loop.
  static func withConnection<Value>(
    to server: TransportAddress, over transport: Transport, options: Options, by deadline: Instant,
    _ body: (ServerConnection) async throws(ProbeFailure) -> Value
  ) async throws(ProbeFailure) -> Value {
    var options = options
    let eventLoop: any EventLoop
    do {
      eventLoop = try options.eventLoop ?? nextEventLoop(for: transport)
    } catch {
      throw ProbeFailure(TransportFailure(error, over: transport), server: server, transport: transport)
    }
    options.eventLoop = eventLoop
    return try await withTaskExecutorPreference(EventLoopExecutor(eventLoop)) { () async throws(ProbeFailure) in
      let connection: ServerConnection
      do throws(TransportFailure) {
        connection = try await open(to: server, over: transport, options: options, by: deadline)
      } catch {
        throw ProbeFailure(error, server: server, transport: transport)
      }
      let result: Result<Value, ProbeFailure>
      do throws(ProbeFailure) {
        let value = try await body(connection)
        result = .success(value)
      } catch {
        result = .failure(error)
      }
      await connection.close()
      return try result.get()
    }
  }

  /// An event loop to share between connections over a transport.
  ///
  /// - Throws: `IOError` if the system has no means for one.
  static func nextEventLoop(for transport: Transport) throws -> any EventLoop {
    switch transport {
    case .udp, .dtls: try DatagramEventLoop.shared()
    case .tcp, .tls: MultiThreadedEventLoopGroup.singleton.next()
    }
  }
}
