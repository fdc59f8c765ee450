import Addresses
import NIOCore
import STUN
import Synchronization
import Testing

@testable import Probe

extension LiveServerTests {
  /// What answers a DTLS handshake and is no DTLS server, or no honest one.
  @Suite("DTLS handshakes")
  struct DatagramHandshakeTests {
    /// Speaks to the script's server over DTLS.
    private func failure(of server: ScriptedSTUNServer, deadline: Duration) async -> ProbeFailure? {
      var target = server.server
      target.uri.scheme = .turns
      return await #expect(throws: ProbeFailure.self) {
        try await CertificateProbe(server: target).run(deadline: deadline)
      }
    }

    private static func binding() -> ByteBuffer {
      MessageWriter(MessageType(.binding, .success), transactionID: .random()).finish()
    }

    /// A HelloVerifyRequest for a ClientHello, with another cookie each time (RFC 6347, section 4.2.1).
    ///
    /// - Parameter number: of the record, of which no two may be the same.
    private static func cookieRequest(for hello: ByteBuffer, number: UInt8) -> ByteBuffer {
      let cookie = (0..<20).map { _ in UInt8.random(in: 0...255) }
      var record = ByteBuffer(bytes: [22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, number, 0, 35])
      record.writeBytes([3, 0, 0, 23])
      record.writeInteger(hello.getInteger(at: hello.readerIndex + 17, as: UInt16.self) ?? 0)
      record.writeBytes([0, 0, 0, 0, 0, 23, 0xFE, 0xFF, 20] + cookie)
      return record
    }

    @Test("A server that asks for its cookie again and again is given up soon, and by name")
    func endlessCookies() async throws {
      let hellos = Mutex<UInt8>(0)
      try await ScriptedSTUNServer.with { hello, _ in
        let number = hellos.withLock { hellos in
          hellos += 1
          return hellos
        }
        return [.init(Self.cookieRequest(for: hello, number: number))]
      } _: { server in
        let failure = await failure(of: server, deadline: .seconds(10))
        #expect(failure?.code == .tlsFailed)
        #expect(failure?.message.contains("asked for its cookie 5 times (HelloVerifyRequest)") == true)
        #expect(hellos.withLock { $0 } == 5)
      }
    }

    @Test("What answers and is no DTLS is called that when the time is over; silence is not")
    func noDTLS() async throws {
      try await withThrowingTaskGroup { group in
        let cases: [([ByteBuffer], ProbeFailure.Code, String)] = [
          ([Self.binding()], .notTLS, "STUN that is not encrypted"),
          ([ByteBuffer(string: "hello"), Self.binding()], .notTLS, "no DTLS"),
          ([ByteBuffer(bytes: [22, 0xFE, 0xFD] + [UInt8](repeating: 0xFF, count: 300))], .notTLS, "no DTLS"),
          ([], .tlsTimedOut, "did not finish the handshake"),
        ]
        for (answers, code, words) in cases {
          group.addTask {
            try await ScriptedSTUNServer.with { _, _ in
              answers.map { .init($0) }
            } _: { server in
              let failure = await failure(of: server, deadline: .milliseconds(700))
              #expect(failure?.code == code)
              #expect(failure?.message.contains(words) == true)
            }
          }
        }
        try await group.waitForAll()
      }
    }

    @Test("Strangers' datagrams before every flight of a good server do not keep it from its handshake")
    func strangers() async throws {
      let identity = try SecureServerIdentity(isDatagram: true)
      // Used on the server's event loop alone.
      nonisolated(unsafe) let session = try SecureServerSession(identity)
      try await ScriptedSTUNServer.with { bytes, _ in
        _ = session.receive(bytes)
        return [.init(Self.binding()), .init(ByteBuffer(string: "hello"))] + session.takeOutbound().map { .init($0) }
      } _: { server in
        var target = server.server
        target.uri.scheme = .turns
        let handshake = try await CertificateProbe(server: target).run(deadline: .seconds(5))
        #expect(handshake.version == "DTLSv1.2")
      }
    }
  }
}
