import Files
import Isolation
import Processes
import Schema
import Synchronization

/// A server that was booted from a backup, on a host beside this one.
final class RunningDrill: Sendable {
  let host: IsolatedHost
  let server: ProcessIdentity
  /// The id of the run that booted it.
  let run: String
  /// When its restore began.
  let began: ContinuousClock.Instant

  init(_ host: IsolatedHost, _ server: ProcessIdentity, run: String, began: ContinuousClock.Instant) {
    self.host = host
    self.server = server
    self.run = run
    self.began = began
  }

  /// What outputs call it.
  var name: String { "\(host.holder.pid)" }

  var isRunning: Bool { host.isRunning }

  private static let running = Mutex<[RunningDrill]>([])

  /// Keeps it until it is ended, or this process ends.
  func keep() { Self.running.withLock { $0.append(self) } }

  /// The drills of a run; with a name, that one.
  static func all(of run: String, named name: String? = nil) -> [RunningDrill] {
    running.withLock { running in running.filter { $0.run == run && (name == nil || $0.name == name) } }
  }

  /// Ends it; false if something of it cannot be ended.
  func end() -> Bool {
    Self.running.withLock { running in running.removeAll { $0 === self } }
    let isGone = host.end()
    return server.end(grace: .seconds(2)) && isGone
  }

  /// Where its server's output goes, as the isolated host calls it.
  static let log = "/run/drill.log"

  /// What lines of getopt(3) and of coturn have that tell a fault.
  private static let ofFaults = ["unrecognized option", "invalid option", "requires an argument", "ERROR"]

  /// What the server has said of a fault, in as many lines; its last ones, if it has named none. An option that it does not know it
  /// tells before hundreds of lines of help.
  static func lastWords(of host: IsolatedHost, _ count: Int) -> [String] {
    let all = lastLines(of: host, .max)
    var faults: [String] = []
    for line in all where Self.ofFaults.contains(where: line.contains) && !faults.contains(line) { faults.append(line) }
    return (faults.isEmpty ? all : faults).suffix(count)
  }

  /// The last lines that the server has said.
  static func lastLines(of host: IsolatedHost, _ count: Int) -> [String] {
    // Whoever runs there could put a link in its place, which would lead to this host's files.
    guard let file = try? File(reading: host.root + log), let size = try? file.size(),
      let bytes = try? file.read(from: max(0, size - (64 << 10)), limit: 64 << 10)
    else { return [] }
    return String(decoding: bytes, as: UTF8.self).split(separator: "\n").suffix(count).map(String.init)
  }
}
