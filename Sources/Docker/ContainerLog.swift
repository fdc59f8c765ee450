package import Schema
import Synchronization

extension DockerError {
  /// The log of a container cannot be read through the engine, as its driver has it.
  static func logNotReadable(_ container: Container) -> DockerError {
    let driver = container.logDriver
    let address = ["syslog-address", "gelf-address", "fluentd-address", "splunk-url"]
      .compactMap { container.logOptions[$0] }.first
    let advice: Sentence =
      switch driver {
      case "none": "The container keeps no log. Make it anew with the driver json-file, local or journald."
      case "syslog":
        if let address {
          "Its log goes to the syslog at \(address): read it there."
        } else {
          "Its log goes to the syslog of the engine's host: read /var/log/syslog there, or its journal."
        }
      case "journald": "Its log goes to the journal of the engine's host: journalctl CONTAINER_NAME=\(container.name)"
      default:
        if let address {
          "The driver \(driver) sends it to \(address): read it there."
        } else {
          "The driver \(driver) sends it elsewhere: read it there."
        }
      }
    return DockerError(
      .logNotReadable, "the log of \(container.name) cannot be read through Docker: its log driver is \(driver)",
      advice: advice)
  }
}

/// Which part of a container's log is read.
package struct ContainerLogWindow: Hashable, Sendable {
  package var since: Timestamp?
  package var until: Timestamp?
  /// How many of the last lines; all if nil.
  package var lines: Int?
  package var standardOutput = true
  package var standardError = true
  /// Whether each line begins with the time at which the engine got it.
  package var hasTimes = false

  package init() {}
}

extension DockerEngine {
  /// Reads the log of a container as far as it goes now.
  ///
  /// - Parameter take: gets its text as it comes, on a thread of its own.
  /// - Throws: `logNotReadable` if its driver keeps no log that can be read; `logBroken` if what came is none.
  package func log(
    of container: Container, _ window: ContainerLogWindow, by deadline: ContinuousClock.Instant,
    _ take: @escaping @Sendable (LogFrames.Stream, ArraySlice<UInt8>) -> Void
  ) async throws(DockerError) {
    var query = [
      ("stdout", window.standardOutput ? "1" : "0"), ("stderr", window.standardError ? "1" : "0"),
      ("tail", window.lines.map { "\($0)" } ?? "all"), ("timestamps", window.hasTimes ? "1" : "0"),
    ]
    if let since = window.since { query.append(("since", since.engineText)) }
    if let until = window.until { query.append(("until", until.engineText)) }
    do throws(DockerError) {
      try await output(
        "GET", "/containers/\(container.id)/logs", query: query, hasTerminal: container.hasTerminal, by: deadline, take)
    } catch {
      let isUnsupported = error.message.text.contains("does not support reading")
      guard error.code == .refused, error.status == 501 || isUnsupported else { throw error }
      throw .logNotReadable(container)
    }
  }

  /// Sends a request that is answered with the output of a container.
  func output(
    _ method: String, _ path: String, query: [(String, String)] = [], body: JSON? = nil, hasTerminal: Bool,
    by deadline: ContinuousClock.Instant, _ take: @escaping @Sendable (LogFrames.Stream, ArraySlice<UInt8>) -> Void
  ) async throws(DockerError) {
    let frames = SharedFrames(hasTerminal: hasTerminal)
    _ = try await answer(method, path, query: query, body: body, by: deadline) { bytes in
      frames.value.withLock { $0.take(bytes, take) }
    }
    let end = frames.value.withLock { $0 }
    if let failure = end.failure {
      throw DockerError(
        .logBroken, "the engine could not give all of it: \(String(decoding: failure.prefix(500), as: UTF8.self))",
        advice: "Look at the engine's log (journalctl -u docker) and at the disk of /var/lib/docker.")
    }
    guard end.isWhole else {
      throw DockerError(
        .logBroken, "what the engine gave is cut off, or no output of a container",
        advice: "Look at the engine's log: journalctl -u docker.")
    }
  }
}

private final class SharedFrames: Sendable {
  let value: Mutex<LogFrames>

  init(hasTerminal: Bool) { value = Mutex(LogFrames(hasTerminal: hasTerminal)) }
}

extension Timestamp {
  /// Seconds and nanoseconds, as the engine takes a time.
  var engineText: String {
    let digits = String(nanoseconds)
    return "\(seconds)." + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
  }
}
