import Journal
import Lab
import Language
import Processes
import Schema

extension Project {
  /// Where the lab of this project lies.
  var labFolder: String { "\(statePath)/lab" }
}

extension Lab {
  /// Starts it, or notes that the holder wants it too.
  func start(for holder: LabHolder) async throws -> (state: LabState, started: Bool) {
    do { return try await up(for: holder) } catch { throw CommandFailure(.error, error.message) }
  }

  /// Has the lab running while `body` does; stops it afterwards where nobody else wants it.
  func whileUp<Result: Sendable>(_ body: (LabState) async throws -> Result) async throws -> Result {
    guard let process = ProcessIdentity.own else {
      throw CommandFailure(.error, "/proc does not tell our own process: is it mounted?")
    }
    let (state, _) = try await start(for: .process(process))
    let result: Result
    do { result = try await body(state) } catch {
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
      name: name, uri: uri(.udp), host: host, username: username, credential: credential.map(Secret.init),
      secret: secret.map(Secret.init), ca: authority, labels: ["lab": "true"])
  }
}
