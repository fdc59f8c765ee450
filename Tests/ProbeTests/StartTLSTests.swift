import Addresses
import Foundation
import Glibc
import STUN
import TestSupport
import Testing

@testable import Probe

/// TLS that begins in clear text, against a real mail server and peers that behave badly.
@Suite("STARTTLS", .serialized)
struct StartTLSTests {
  /// `aiosmtpd` on a free port of 127.0.0.1, ended with the last reference to it.
  private final class MailServer: Sendable {
    let process = Process()
    let port: UInt16

    struct NotStarted: Error {}

    init(_ arguments: [String]) async throws {
      port = try freePort()
      process.executableURL = URL(filePath: "/usr/bin/python3")
      process.arguments = ["-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)"] + arguments
      (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
      try process.run()
      let end = ContinuousClock.now + .seconds(60)
      while isFree(port) {
        guard process.isRunning, .now < end else { throw NotStarted() }
        try await Task.sleep(for: .milliseconds(20))
      }
    }

    deinit {
      // A child of Foundation's inherits the signals that the thread blocks which starts it, SIGTERM among them.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
  }

  private func target(_ port: UInt16, ca: String? = nil) throws -> ProbedServer {
    var server = ProbedServer(uri: try ServerURI(parsing: "turns:127.0.0.1:\(port)"))
    server.tls.startTLS = .smtp
    server.tls.trustFile = ca
    return server
  }

  private func failure(_ port: UInt16, deadline: Duration = .seconds(20)) async throws -> ProbeFailure? {
    let server = try target(port)
    do throws(ProbeFailure) {
      _ = try await CertificateProbe(server: server).runOnce(deadline: deadline)
      return nil
    } catch {
      return error
    }
  }

  @Test("A mail server's certificate is seen behind STARTTLS")
  func mailServer() async throws {
    let chains = try CertificateChains()
    try chains.make("root", .authority)
    try chains.make("leaf", .server("IP:127.0.0.1"), by: "root", days: 30)
    let mail = try await MailServer(["--tlscert", chains.file("leaf.pem"), "--tlskey", chains.file("leaf.key")])
    let found = try await CertificateProbe(server: target(mail.port, ca: chains.file("root.pem"))).runOnce(
      deadline: .seconds(20))
    let handshake = try #require(try found.first?.result.get())
    #expect(handshake.certificates.first?.subject == "CN=leaf")
    #expect(handshake.judgement?.failure == nil)
    #expect(handshake.verification == nil)
  }

  @Test("A mail server without STARTTLS is said to offer none")
  func withoutTLS() async throws {
    let mail = try await MailServer([])
    let failure = try #require(try await failure(mail.port))
    #expect(failure.code == .startTLSFailed)
    #expect(failure.message.contains("it offers no STARTTLS"), "\(failure.message)")
  }

  /// What a peer says, line by line: each after one of ours, but for the first.
  struct Peer: Sendable, CustomTestStringConvertible {
    let says: [String]
    let failure: String
    var testDescription: String { failure }

    static let all: [Peer] = [
      .init(says: ["421 too many connections\r\n"], failure: "its greeting was \"421 too many connections\""),
      .init(says: ["SSH-2.0-OpenSSH_9.2p1\r\n"], failure: "its greeting was \"SSH-2.0-OpenSSH_9.2p1\""),
      .init(says: ["220-mail\r\n220 example\r\n", "502 no\r\n"], failure: "its answer to EHLO was \"502 no\""),
      .init(
        says: ["220 mail\r\n", "250-mail\r\n250-STARTTLS\r\n250 SIZE\r\n", "454 TLS not available\r\n"],
        failure: "its answer to STARTTLS was \"454 TLS not available\""),
      .init(
        says: ["220 mail\r\n", "250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"],
        failure: "it sent clear text behind its answer to STARTTLS"),
      .init(says: ["220 mail\r\n", "220"], failure: "it closed the connection before its answer to EHLO"),
    ]
  }

  /// A peer that says these lines and closes; a NUL keeps it silent in place of closing.
  private func withPeer(_ says: [String], silent: Bool = false, _ body: (UInt16) async throws -> Void) async throws {
    let script = """
      import socket, sys
      listener = socket.create_server(("127.0.0.1", 0))
      print(listener.getsockname()[1], flush=True)
      peer, _ = listener.accept()
      for number, line in enumerate(sys.argv[2:]):
          if number: peer.recv(4096)
          peer.sendall(line.encode())
      if sys.argv[1] == "silent": sys.stdin.read()
      peer.close()
      """
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script, silent ? "silent" : "closes"] + says
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let port = UInt16(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).filter(\.isNumber))
    try await body(try #require(port))
  }

  @Test("What a peer says in place of agreeing is told", arguments: Peer.all)
  func refusals(peer: Peer) async throws {
    try await withPeer(peer.says) { port in
      let failure = try #require(try await failure(port))
      #expect(failure.code == .startTLSFailed)
      #expect(failure.message.contains(peer.failure), "\(failure.message)")
    }
  }

  @Test("A peer that stays silent is an error within the deadline, which says what did not come")
  func silence() async throws {
    for (says, missing) in [([], "its greeting"), (["220 mail\r\n"], "its answer to EHLO")] as [([String], String)] {
      try await withPeer(says, silent: true) { port in
        let start = ContinuousClock.now
        let failure = try #require(try await failure(port, deadline: .seconds(1)))
        #expect(failure.code == .startTLSFailed)
        #expect(failure.message.contains("\(missing) did not come within"), "\(failure.message)")
        #expect(ContinuousClock.now - start < .seconds(15))
      }
    }
  }
}
