import Foundation
import Glibc

/// `openssl s_server` on a free port, ended with the last reference to it.
package final class OpenSSLServer: Sendable {
  private let process = Process()
  /// It ends when its input does: held open for as long as the server is used.
  private let input = Pipe()
  package let port: UInt16

  struct NotStarted: Error {
    /// What it said.
    let text: String
  }

  /// Starts one, and returns when it listens.
  ///
  /// - Parameters:
  ///   - arguments: without `-quiet`, which keeps it from saying where it listens.
  ///   - directory: where the files are that `arguments` name.
  ///   - host: an address of this machine; IPv6 in brackets.
  /// - Throws: `NotStarted` when it ends before it listens, or takes longer than 30 seconds.
  package init(_ arguments: [String], in directory: String, host: String = "127.0.0.1") throws {
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = ["s_server", "-accept", "\(host):0"] + arguments
    process.currentDirectoryURL = URL(filePath: directory)
    (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
    try process.run()
    let text = Self.textUntilListening(output.fileHandleForReading)
    guard let port = Self.port(in: text) else {
      Self.end(process)
      throw NotStarted(text: text)
    }
    self.port = port
    // Nobody reads what it says later, and a full pipe would stop it.
    output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
  }

  /// What it says until it listens; until it ends, or 30 seconds have passed, when it does not.
  private static func textUntilListening(_ output: FileHandle) -> String {
    var text = ""
    let end = ContinuousClock.now + .seconds(30)
    while port(in: text) == nil, ContinuousClock.now < end {
      var event = pollfd(fd: output.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&event, 1, 100) > 0 else { continue }
      let data = output.availableData
      if data.isEmpty { break }
      text += String(decoding: data, as: UTF8.self)
    }
    return text
  }

  /// The port in a line such as `ACCEPT 127.0.0.1:43117`, once the whole line is there.
  private static func port(in text: String) -> UInt16? {
    text.firstMatch(of: /(?m)^ACCEPT .*:(\d+)\n/).flatMap { UInt16($0.1) }
  }

  /// By SIGKILL: a child of Foundation's inherits the signals that the thread blocks which starts it, SIGTERM among them.
  private static func end(_ process: Process) {
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
  }

  deinit { Self.end(process) }
}
