import TestSupport

/// Ports that nobody listens on at the moment.
enum FreePort {
  /// A port of 127.0.0.1 that is free for UDP and TCP, below those that the kernel gives to clients.
  static func take() throws -> UInt16 {
    for _ in 0..<100 {
      let port = UInt16.random(in: 10_000...20_000)
      if isFree(port) { return port }
    }
    throw NoneFree()
  }

  private struct NoneFree: Error {}
}
