import Addresses
import Foundation
import STUN

@testable import Probe

/// A TLS server, openssl's own, that sends a text to whoever connects, and never an answer.
struct SecureLiar: Sendable {
  let uri: ServerURI

  static func with<Value>(
    certificate: TestAuthority.Issued, says text: String, _ body: (SecureLiar) async throws -> Value
  ) async throws -> Value {
    let port = try FreePort.take("127.0.0.1")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/setpriv")
    process.arguments =
      [
        "--pdeathsig", "KILL", "--", "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", certificate.chain,
        "-key", certificate.key, "-quiet",
      ]
    let input = Pipe()
    process.standardInput = input
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    // It reads its input only once somebody is connected.
    try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    return try await body(
      SecureLiar(uri: ServerURI(scheme: .turns, host: "127.0.0.1", port: port, transport: .tcp)))
  }
}
