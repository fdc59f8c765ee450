import Foundation

/// A real STUN server of RFC 3489, as Debian's stun-server has it: two addresses, two ports, and no sense for attributes whose
/// length is no multiple of four.
package struct Stund: Sendable {
  package let port: UInt16

  /// Starts it on 127.0.0.1 and 127.0.0.2, uses it, and ends it.
  package static func with<Value>(_ body: (Stund) async throws -> Value) async throws -> Value {
    let port = try freePort()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/sbin/stund")
    process.arguments = ["-h", "127.0.0.1", "-a", "127.0.0.2", "-p", "\(port)", "-o", "\(try freePort(besides: port))"]
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    defer {
      // It inherits that other signals are held back.
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let end = ContinuousClock.now + .seconds(30)
    while !stunBinding(port: port) {
      guard process.isRunning, ContinuousClock.now < end else { throw NotStarted() }
      await Task.yield()
    }
    return try await body(Stund(port: port))
  }

  private struct NotStarted: Error {}
}
