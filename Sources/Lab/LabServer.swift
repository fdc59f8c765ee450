import Files
import FoundationEssentials
import Glibc
package import Processes

/// One running coturn server, in a folder of its own: its configuration with its secrets (0600), its log, its user
/// database, its certificate.
package struct LabServer: Hashable, Sendable, Codable {

  package let process: ProcessIdentity
  /// Absolute.
  package let folder: String
  /// For UDP and TCP, on 127.0.0.1.
  package let port: UInt16
  /// For TLS and DTLS; nil if it offers neither.
  package let tlsPort: UInt16?

  /// Its log, with coturn's verbose messages.
  package var log: String { folder + "/turnserver.log" }

  /// Starts a server on free ports and waits until it answers on all of them. Blocks.
  ///
  /// - Parameters:
  ///   - program: coturn's, by name or path.
  ///   - folder: exists, is absolute and holds the certificate's files.
  ///   - patience: how long it may take from its start until it answers.
  ///   - settings: gets the server's port (UDP and TCP), and the one for TLS and DTLS.
  package static func start(
    _ program: String = "turnserver", in folder: String, patience: Duration = .seconds(15),
    settings: (_ port: UInt16, _ tlsPort: UInt16) -> LabServerSettings
  ) throws(LabError) -> LabServer {
    let plain = try PortReservation.make()
    let secure = try PortReservation.make()
    let settings = settings(plain.port, secure.port)
    let configuration = folder + "/turnserver.conf"
    try writePrivately(settings.configuration, to: configuration)

    var command = Command(program, ["-c", configuration])
    command.directory = folder
    let process: ProcessIdentity
    do throws(ProcessError) {
      process = try command.startDetached(log: folder + "/turnserver.log")
    } catch {
      guard error.code != .notFound else {
        throw LabError(.serverMissing, "\(error.message): apt-get install coturn")
      }
      throw LabError(.system, error.message)
    }
    let server = LabServer(process: process, folder: folder, port: settings.port, tlsPort: settings.tls?.port)
    let limit = ContinuousClock.now + patience
    do throws(LabError) {
      try server.waitUntilListening(before: limit)
      // What is sent while the reservation stands may go to it, and gets no answer.
      _ = consume plain
      _ = consume secure
      if settings.listensOnUDP { try server.waitUntilAnswering(before: limit) }
    } catch {
      _ = process.end(grace: .zero)
      throw error
    }
    return server
  }

  /// Ends it, by force after two seconds; its folder stays. Blocks. False if it is there still.
  package func end() -> Bool { process.end(grace: .seconds(2)) }

  private func waitUntilListening(before limit: ContinuousClock.Instant) throws(LabError) {
    try wait(for: "accept TCP connections", before: limit) {
      Readiness.accepts(tcp: port) && tlsPort.map(Readiness.accepts(tcp:)) ?? true
    }
  }

  private func waitUntilAnswering(before limit: ContinuousClock.Instant) throws(LabError) {
    // Where it offers DTLS, it answers plain requests over UDP too.
    try wait(for: "answer STUN over UDP", before: limit) {
      Readiness.answersBinding(udp: port) && tlsPort.map(Readiness.answersBinding(udp:)) ?? true
    }
  }

  private func wait(
    for ability: String, before limit: ContinuousClock.Instant, _ condition: () -> Bool
  ) throws(LabError) {
    while !condition() {
      guard process.isRunning else {
        throw LabError(.serverEnded, "turnserver ended as it started; its log ends with:\n\(logTail())")
      }
      guard ContinuousClock.now < limit else {
        throw LabError(.serverSilent, "turnserver does not \(ability) in time; its log ends with:\n\(logTail())")
      }
      usleep(10_000)
    }
  }

  private func logTail() -> String {
    // It is told of beside another failure.
    let bytes = (try? File(reading: log).read()) ?? []
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(10).joined(separator: "\n")
  }
}
