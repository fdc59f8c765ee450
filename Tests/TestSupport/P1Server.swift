import Foundation

/// A TURN server that is not coturn: ProcessOne's, which ejabberd and eturnal have, as Debian's erlang-p1-stun has it, over UDP.
package struct P1Server: Sendable {
  package static let username = "alice"
  package static let password = "correct-horse"
  package let port: UInt16

  /// Starts it, uses it, and ends it.
  ///
  /// - Parameter networks: whose addresses it serves neither as clients nor as peers.
  package static func with<Value>(
    blacklisting networks: [String] = [], _ body: (P1Server) async throws -> Value
  ) async throws -> Value {
    let port = try freePort()
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/escript")
    process.arguments =
      [URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Peers/p1_server.escript").path]
      + ["\(port)", username, password] + networks
    process.standardInput = input
    process.standardOutput = output
    // It logs every request that it refuses.
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      try? input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
    guard String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).hasPrefix("listening") else {
      throw NotStarted()
    }
    return try await body(P1Server(port: port))
  }

  private struct NotStarted: Error {}
}
