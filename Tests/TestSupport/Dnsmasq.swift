import Foundation
import Glibc

/// A real dnsmasq on a free port of 127.0.0.1, with records of a test's own and no others; ended with the last reference to it.
package final class Dnsmasq: Sendable {
  private let process = Process()
  package let port: UInt16
  package var address: String { "127.0.0.1:\(port)" }

  package struct NotStarted: Error {
    let text: String
  }

  /// Starts one, and returns when it listens.
  ///
  /// - Parameter records: options of dnsmasq, such as `--host-record=turn.example.com,192.0.2.7`.
  package init(_ records: [String]) throws {
    port = try freePort()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/sbin/dnsmasq")
    process.arguments =
      [
        "--keep-in-foreground", "--conf-file=/dev/null", "--port=\(port)", "--listen-address=127.0.0.1",
        "--bind-interfaces", "--no-resolv", "--no-hosts", "--pid-file=", "--log-facility=-", "--local-ttl=60",
        "--user=\(geteuid() == 0 ? "root" : "")",
      ] + records
    process.standardOutput = FileHandle.nullDevice
    process.standardError = output
    try process.run()
    let end = ContinuousClock.now + .seconds(30)
    while isFree(port) {
      guard process.isRunning, ContinuousClock.now < end else {
        kill(process.processIdentifier, SIGKILL)
        throw NotStarted(text: String(decoding: output.fileHandleForReading.availableData, as: UTF8.self))
      }
      usleep(5000)
    }
    output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
  }

  /// Foundation reaps it. To wait for that would be to wait for every program that was started meanwhile, too: each inherits a socket of
  /// Foundation's.
  deinit { kill(process.processIdentifier, SIGKILL) }
}
