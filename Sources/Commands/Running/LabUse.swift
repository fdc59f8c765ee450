import Journal
import Lab
import Language
import Processes
import Runs
import Schema

extension Project {
  /// Where the lab of this project lies.
  var labFolder: String { "\(statePath)/lab" }
}

extension Lab {
  /// Starts it, or notes that the holder wants it too.
  func start(for holder: LabHolder) async throws -> (state: LabState, started: Bool) {
    do { return try await up(for: holder) } catch {
      throw CommandFailure(
        .error, error.message,
        advice: error.code == .serverDied
          ? "runbook lab down clears it away; runbook lab up starts another, on other ports" : nil)
    }
  }

  /// Has the lab running while `body` does; stops it afterwards if nobody else wants it.
  ///
  /// - Parameter signals: held before the lab starts, so that none ends the process while there is something to stop. Where
  ///   one has come by then, `body` is not called.
  func whileUp<Result: Sendable>(
    _ signals: EndingSignals, _ body: (LabState) async throws -> Result
  ) async throws -> Result {
    guard let process = ProcessIdentity.own else {
      throw CommandFailure(.error, "/proc does not tell our own process: is it mounted?")
    }
    let (state, _) = try await start(for: .process(process))
    let result: Result
    do {
      if let number = signals.first { throw CommandFailure(.signalled(number)) }
      result = try await body(state)
    } catch {
      try? await release(.process(process))
      throw error
    }
    do { try await release(.process(process)) } catch {
      throw CommandFailure(.error, error.message, isAfterOutput: true)
    }
    return result
  }
}

extension LabTarget {
  /// The value of `target` in a runbook that runs against this server, over UDP.
  var turnServer: TURNServer {
    TURNServer(
      name: name, uri: uri(.udp), tlsURI: uri(.tls), host: host, username: username,
      credential: credential.map(Secret.init),
      secret: secret.map(Secret.init), ca: authority, labels: ["lab": "true"])
  }
}

extension LabState {
  /// `lab` unless another is named; `all` for both.
  func targets(selectedBy selection: String?) throws(Issues) -> [TURNServer] {
    let servers = targets.map(\.turnServer)
    let chosen = selection == "all" ? servers : servers.filter { $0.name == selection ?? "lab" }
    guard chosen.isEmpty else { return chosen }
    let names = servers.map(\.name)
    let near = selection.flatMap { nearName(to: $0, among: names) }
    throw Issues([
      Issue(
        .error, "unknown-target", "the lab has no target \"\(selection ?? "")\"",
        at: SourceRange(file: "--target", line: 1, column: 1),
        meant: near, suggestion: "there are \(names.joined(separator: ", ")), and all")
    ])
  }
}
