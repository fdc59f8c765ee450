import Foundation

/// `openssl s_server` on a free port of 127.0.0.1, ended with the last reference to it.
package final class OpenSSLServer: Sendable {
  private let process: Process
  private let input = Pipe()
  package let port: UInt16

  struct NotStarted: Error {
    let text: String
  }

  /// - Parameters:
  ///   - directory: where the files are that `arguments` name.
  ///   - host: an address of this machine; IPv6 in brackets.
  package init(_ arguments: [String], in directory: String, host: String = "127.0.0.1") throws {
    for _ in 0..<20 {
      let port = UInt16.random(in: 10_000...20_000)
      guard isFree(port) else { continue }
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/openssl")
      process.arguments = ["s_server", "-accept", "\(host):\(port)"] + arguments
      process.currentDirectoryURL = URL(filePath: directory)
      let output = Pipe()
      (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
      try process.run()
      // It says ACCEPT as soon as it listens; nobody reads what it says later.
      var text = ""
      while !text.contains("ACCEPT") {
        let data = output.fileHandleForReading.availableData
        if data.isEmpty { break }
        text += String(decoding: data, as: UTF8.self)
      }
      guard text.contains("ACCEPT") else {
        process.waitUntilExit()
        if text.contains("in use") { continue }
        throw NotStarted(text: text)
      }
      output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
      (self.process, self.port) = (process, port)
      return
    }
    throw NotStarted(text: "no port is free")
  }

  deinit {
    process.terminate()
    process.waitUntilExit()
  }
}
