import Foundation
import Synchronization

/// A real Alertmanager of Prometheus on a free port of 127.0.0.1; ended with the last reference to it.
package final class AlertmanagerServer: Sendable {
  private let process: Mutex<Process>
  private let folder: TemporaryFolder
  private let arguments: [String]
  package let port: UInt16
  package var url: String { "http://127.0.0.1:\(port)" }

  package struct NotStarted: Error {
    let text: String
  }

  /// Starts one, and returns when it listens.
  ///
  /// - Parameters:
  ///   - receiver: URL that it tells of each alert as soon as it has it; nil tells nobody.
  ///   - passwordHash: of the user `runbook`, as bcrypt has it; nil lets everybody in.
  package init(receiver: String? = nil, passwordHash: String? = nil) throws {
    folder = try TemporaryFolder()
    port = try freePort()
    let told = receiver.map { "webhook_configs: [{url: \"\($0)\", send_resolved: true}]" } ?? ""
    try folder.write(
      """
      route: {receiver: all, group_by: [alertname], group_wait: 1ms, group_interval: 100ms, repeat_interval: 1h}
      receivers:
        - name: all
          \(told)

      """, to: "alertmanager.yml")
    var arguments = [
      "--config.file=\(folder.path)/alertmanager.yml", "--storage.path=\(folder.path)/data",
      "--web.listen-address=127.0.0.1:\(port)", "--cluster.listen-address=", "--log.level=error",
    ]
    if let passwordHash {
      try folder.write("basic_auth_users: {runbook: \"\(passwordHash)\"}\n", to: "web.yml")
      arguments.append("--web.config.file=\(folder.path)/web.yml")
    }
    self.arguments = arguments
    process = Mutex(Process())
    try start()
  }

  /// Kills it, and starts it anew: it has forgotten its alerts.
  package func restart() throws {
    end()
    try start()
  }

  private func start() throws {
    let output = Pipe()
    let started = Process()
    started.executableURL = URL(filePath: "/usr/bin/prometheus-alertmanager")
    started.arguments = arguments
    started.standardOutput = FileHandle.nullDevice
    started.standardError = output
    try started.run()
    let end = ContinuousClock.now + .seconds(30)
    while isFree(port) {
      guard started.isRunning, ContinuousClock.now < end else {
        kill(started.processIdentifier, SIGKILL)
        throw NotStarted(text: String(decoding: output.fileHandleForReading.availableData, as: UTF8.self))
      }
      usleep(5000)
    }
    output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
    process.withLock { $0 = started }
  }

  private func end() {
    process.withLock {
      guard $0.isRunning else { return }
      kill($0.processIdentifier, SIGKILL)
      $0.waitUntilExit()
    }
  }

  /// The alerts that it has and that are not over, as amtool prints them in JSON.
  package func alerts() throws -> String {
    let query = Process()
    let output = Pipe()
    query.executableURL = URL(filePath: "/usr/bin/amtool")
    query.arguments = ["--alertmanager.url=\(url)", "alert", "query", "--output=json"]
    query.standardOutput = output
    try query.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    query.waitUntilExit()
    guard query.terminationStatus == 0 else { throw NotStarted(text: String(decoding: text, as: UTF8.self)) }
    return String(decoding: text, as: UTF8.self)
  }

  deinit { end() }
}
