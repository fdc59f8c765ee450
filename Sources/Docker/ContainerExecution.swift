import Schema

/// A program in a container, beside its first process.
package struct ContainerCommand: Sendable {
  package var arguments: [String]
  package var user: String?
  package var directory: String?
  /// `NAME=value`; they may be secret.
  package var environment: [String] = []

  package init(_ arguments: [String]) { self.arguments = arguments }

  fileprivate var json: JSON {
    var members: [JSON.Member] = [
      .init("AttachStdout", true.json), .init("AttachStderr", true.json),
      .init("Cmd", .array(arguments.map(JSON.string))),
    ]
    if let user { members.append(.init("User", .string(user))) }
    if let directory { members.append(.init("WorkingDir", .string(directory))) }
    if !environment.isEmpty { members.append(.init("Env", .array(environment.map(JSON.string)))) }
    return .object(members)
  }
}

/// What became of a program in a container.
package struct ContainerExecution: Hashable, Sendable {
  package let isRunning: Bool
  /// Nil while it runs.
  package let exitCode: Int?
  /// On the engine's host; nil if it has none.
  package let pid: Int?
}

extension DockerEngine {
  /// Makes ready what runs a program; nothing runs yet.
  ///
  /// - Returns: its id.
  package func prepare(
    _ command: ContainerCommand, in container: String, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> String {
    let answer = try await answer("POST", "/containers/\(container)/exec", body: command.json, by: deadline)
    guard let id = (try? JSON(parsing: answer.body))?["Id"]?.string else { throw notAnEngine("it gives no id") }
    return id
  }

  /// Runs it to its end, or until the deadline or a cancellation: it goes on then.
  ///
  /// - Parameter take: gets its output as it comes, on a thread of its own.
  package func run(
    _ execution: String, by deadline: ContinuousClock.Instant,
    _ take: @escaping @Sendable (LogFrames.Stream, ArraySlice<UInt8>) -> Void
  ) async throws(DockerError) {
    try await output(
      "POST", "/exec/\(execution)/start", body: ["Detach": false.json, "Tty": false.json], hasTerminal: false,
      by: deadline, take)
  }

  package func state(
    of execution: String, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> ContainerExecution {
    let json = try await document("/exec/\(execution)/json", by: deadline).json
    guard let isRunning = json["Running"]?.bool else { throw notAnEngine("it does not tell whether a program runs") }
    return ContainerExecution(
      isRunning: isRunning, exitCode: isRunning ? nil : json["ExitCode"]?.int.map { Int($0) },
      pid: json["Pid"]?.int.flatMap { $0 > 0 ? Int($0) : nil })
  }
}

extension Bool {
  fileprivate var json: JSON { .bool(self) }
}
