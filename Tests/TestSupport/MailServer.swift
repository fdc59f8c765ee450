import Foundation
import Glibc

/// A real aiosmtpd on a free port of 127.0.0.1 that keeps what it is sent; ended with the last reference to it.
package final class MailServer: Sendable {
  private let process = Process()
  private let folder: TemporaryFolder
  package let port: UInt16

  package enum Security: Sendable {
    case none
    case starttls
    case implicit
  }

  package struct NotStarted: Error {
    let text: String
  }

  /// Starts one, and returns when it listens.
  ///
  /// - Parameters:
  ///   - chains: where its certificate `server.pem` is, and `server.key`; nil without TLS.
  ///   - arguments: more options of aiosmtpd.
  package init(_ security: Security, _ chains: CertificateChains? = nil, _ arguments: [String] = []) throws {
    folder = try TemporaryFolder()
    port = try freePort()
    let output = Pipe()
    process.executableURL = URL(filePath: "/usr/bin/python3")
    var options = ["-m", "aiosmtpd", "-n", "-l", "127.0.0.1:\(port)"] + arguments
    if let chains {
      let name = security == .implicit ? "smtps" : "tls"
      options += ["--\(name)cert", chains.file("server.pem"), "--\(name)key", chains.file("server.key")]
    }
    process.arguments = options + ["-c", "aiosmtpd.handlers.Mailbox", "\(folder.path)/mail"]
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

  deinit { kill(process.processIdentifier, SIGKILL) }

  /// The mails that it took, as they came. It keeps each before it answers.
  package var mails: [String] {
    let new = folder.url.appending(path: "mail/new").path
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: new)) ?? []).sorted()
    return names.compactMap { try? String(contentsOfFile: "\(new)/\($0)", encoding: .utf8) }
  }
}
