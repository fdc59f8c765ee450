package import Docker
import Journal
package import Schema
import Steps

/// What starting, stopping and restarting have in common: one request about one container, and a look behind it.
struct ContainerChange {
  enum Verb: String {
    case start
    case stop
    case restart
  }

  let verb: Verb
  let target: DockerTarget
  /// How long the process has between its stop signal and KILL; the container's own if nil.
  var grace: Duration?
  /// The one start that is meant; any if nil.
  var startedAt: Timestamp?

  struct ChangedContainer: Sendable {
    let before: Container
    let after: Container
    let hasChanged: Bool
    let outdated: [String]
    let engine: DockerEngine
  }

  func objection(within timeout: Duration) -> Finding? {
    if let finding = target.objection { return finding }
    guard let grace, grace >= timeout else { return nil }
    return Finding(
      "docker.graceTooLong",
      "the grace (\(durationLiteral(grace))) must be shorter than the step's timeout (\(durationLiteral(timeout)))",
      advice: "Give the step more time, or a shorter `grace`.")
  }

  func carryOut(in context: StepContext) async throws(StepError) -> ChangedContainer {
    let deadline = context.requestDeadline
    let look: ContainerLook
    let outdated: [String]
    do throws(DockerError) {
      look = try await target.look(by: deadline)
      outdated = verb == .stop ? [] : try await ContainerOutdated.allReasons(look, in: context)
    } catch {
      throw StepError(error, .changeNotBegun)
    }
    try refuse(look.container, by: deadline)
    do throws(DockerError) {
      let answer = try await look.engine.answer(
        "POST", "/containers/\(look.container.id)/\(verb.rawValue)", query: query, by: deadline)
      let after = try await look.engine.container(look.container.id, by: deadline)
      return ChangedContainer(
        before: look.container, after: after.container, hasChanged: answer.status != 304, outdated: outdated,
        engine: look.engine)
    } catch {
      var failure = StepError(error, .changeBegun)
      if failure.kind == .interrupted {
        failure.finding = Finding(
          "docker.interrupted",
          "the \(verb.rawValue) of \(look.container.name) was asked for, and its end was not seen: \(error.message)",
          advice: "The engine may still be at it: look at the container (docker inspect \(look.container.name)).")
      } else if error.code == .refused {
        failure.finding = Finding(
          "docker.refused", "the engine cannot \(verb.rawValue) \(look.container.name): \(error.message)",
          advice: Self.advice(error.message.text))
      }
      throw failure
    }
  }

  private var query: [(String, String)] {
    guard verb != .start, let grace else { return [] }
    return [("t", "\(grace.components.seconds)")]
  }

  /// What is to be refused before anything is begun.
  private func refuse(_ container: Container, by deadline: ContinuousClock.Instant) throws(StepError) {
    if let startedAt, container.startedAt != startedAt {
      throw .notStarted(
        "docker.startedMeanwhile",
        "\(container.name) is not the one that was looked at: it was started at \(container.startedAt.map { "\($0)" } ?? "no time")",
        advice: "Somebody, or Docker itself, started it in between: look at it again before you change anything.")
    }
    if container.status == .paused, verb != .stop {
      throw StepError(.notStarted, ContainerFinding.finding(container, .paused))
    }
    if container.status == .removing || container.status == .dead {
      throw StepError(.notStarted, ContainerFinding.finding(container, .removing))
    }
    let wait = grace ?? container.stopTimeout ?? .seconds(10)
    if verb != .start, container.isRunning, ContinuousClock.now + wait > deadline {
      throw .notStarted(
        "docker.graceTooLong",
        "\(container.name) may take \(durationLiteral(wait)) to stop, and the step has less time left",
        advice: "Give the step more time, or a shorter `grace`.")
    }
  }

  private static func advice(_ message: String) -> Sentence {
    if message.contains("No such image") {
      return "The image is gone: pull it (docker pull) or load it, then make the container anew."
    }
    if message.contains("no space left") {
      return "The disk of the engine is full: look at df and docker system df. Nothing starts before it has room."
    }
    if message.contains("address already in use") || message.contains("port is already allocated") {
      return "Another process has the port: look who (ss -lunp, ss -ltnp, docker ps)."
    }
    return "Look at the engine's log: journalctl -u docker."
  }
}

// MARK: How a beginning ended

extension ContainerChange {
  /// Finds out whether a change took effect of which nobody saw the end.
  ///
  /// - Parameter output: makes the step's output of what is seen now.
  func reconcile(
    in context: StepContext, output: (Container, DockerEngine) -> Value
  ) async throws(StepError) -> Reconciliation {
    do throws(DockerError) {
      let deadline = context.requestDeadline
      var look = try await target.look(by: deadline)
      // The engine goes on with a stop whoever goes away: until the grace is over, its end may be still to come.
      let wait = (grace ?? look.container.stopTimeout ?? .seconds(10)) + .seconds(2)
      let end = min(deadline, ContinuousClock.now + wait)
      while true {
        let verdict = try await verdict(look, context, by: deadline)
        switch verdict {
        case .done: return .done(output(look.container, look.engine))
        case .notDone: return .notDone
        case .unknown(let reason): return .unknown(reason)
        case .pending: guard .now < end else { return .notDone }
        }
        do { try await Task.sleep(for: .milliseconds(250)) } catch {
          return .unknown("the container was not watched to the end")
        }
        let next = try await look.engine.container(look.container.id, by: deadline)
        look = ContainerLook(engine: look.engine, container: next.container, time: next.time)
      }
    } catch {
      throw StepError(error, .looking)
    }
  }

  private enum Verdict {
    case done
    case notDone
    /// Its process is being ended.
    case pending
    case unknown(String)
  }

  private func verdict(
    _ look: ContainerLook, _ context: StepContext, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> Verdict {
    let container = look.container
    let runs = container.status == .running
    switch verb {
    case .start: return runs ? .done : .notDone
    case .stop where !container.isRunning: return .done
    case .stop, .restart: break
    }
    let began = ULID.time(of: context.run)
    var events: [EngineEvent]?
    if let began { events = try await look.engine.events(of: container.id, since: began, by: deadline) }
    let isEnding = events?.contains { ["kill", "die", "stop"].contains($0.action) } ?? false
    guard verb == .restart else { return isEnding ? .pending : .notDone }
    if let startedAt {
      if runs, container.startedAt != startedAt { return .done }
      return isEnding ? .pending : .notDone
    }
    guard let began, let events else { return .unknown("it cannot be told when the run began") }
    if runs, events.contains(where: { $0.action == "restart" }) { return .done }
    if let start = container.startedAt, runs, start > began {
      // An engine that was itself restarted has forgotten who started the container.
      return events.isEmpty
        ? .unknown("\(container.name) was started at \(start), and the engine does not remember by whom") : .pending
    }
    return isEnding ? .pending : .notDone
  }
}

extension ULID {
  /// When an id was made, to the millisecond; nil for what is none.
  static func time(of id: String) -> Timestamp? {
    guard isValid(id) else { return nil }
    let digits = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
    let milliseconds = id.utf8.prefix(10).reduce(Int64(0)) { number, digit in
      number << 5 | Int64(digits.firstIndex(of: digit) ?? 0)
    }
    return Timestamp(seconds: milliseconds / 1000, nanoseconds: Int32(milliseconds % 1000) * 1_000_000)
  }
}

/// What became of a container that a step started, stopped or restarted.
package struct ContainerChangeOutput: Hashable, Sendable {
  package var id: String
  package var name: String
  package var changed: Bool
  package var status: Container.Status
  package var startedBefore: Timestamp?
  package var startedAt: Timestamp?
  package var exitCode: Int?
  package var pid: Int?
  package var outdated: [String]
  package var engine: String

  static let record = Record(
    Self.init(id:name:changed:status:startedBefore:startedAt:exitCode:pid:outdated:engine:),
    Field("id", \.id, .string, "Its whole id."),
    Field("name", \.name, .string, "Its name."),
    Field("changed", \.changed, .bool, "Whether there was anything to do: false if it was so already."),
    Field("status", \.status, .enumeration(Container.Status.self), "What the engine says of it right behind."),
    Field("startedBefore", \.startedBefore, .optional(.timestamp), "When it had been started before; absent: never."),
    Field("startedAt", \.startedAt, .optional(.timestamp), "When it was last started by now; absent: never."),
    Field("exitCode", \.exitCode, .optional(.int), "How it ended; absent: it runs, or never ran."),
    Field("pid", \.pid, .optional(.int), "The number of its first process on the engine's host."),
    Field("outdated", \.outdated, .list(.string), "What was not applied, in words."),
    Field("engine", \.engine, .string, "The engine that did it.")
  )

  private init(
    id: String, name: String, changed: Bool, status: Container.Status, startedBefore: Timestamp?, startedAt: Timestamp?,
    exitCode: Int?, pid: Int?, outdated: [String], engine: String
  ) {
    self.id = id
    self.name = name
    self.changed = changed
    self.status = status
    self.startedBefore = startedBefore
    self.startedAt = startedAt
    self.exitCode = exitCode
    self.pid = pid
    self.outdated = outdated
    self.engine = engine
  }

  init(_ outcome: ContainerChange.ChangedContainer) {
    self.init(
      outcome.after, outcome.engine, changed: outcome.hasChanged, startedBefore: outcome.before.startedAt,
      outdated: outcome.outdated)
  }

  init(
    _ container: Container, _ engine: DockerEngine, changed: Bool = true, startedBefore: Timestamp? = nil,
    outdated: [String] = []
  ) {
    self.init(
      id: container.id, name: container.name, changed: changed, status: container.status, startedBefore: startedBefore,
      startedAt: container.startedAt, exitCode: container.exitCode, pid: container.pid, outdated: outdated,
      engine: engine.endpoint.name)
  }

  /// Done, with a warning if it runs as it was made and not as it is configured now; failed if it does not run.
  func resultOfStart(_ container: Container, verb: ContainerChange.Verb) -> StepResult<Self> {
    guard status == .running else {
      let condition: ContainerCondition = status == .restarting ? .flapping : .exited
      return .failed(self, ContainerFinding.finding(container, condition))
    }
    guard let first = outdated.first else { return .done(self) }
    return .warned(
      self,
      Finding(
        "docker.configurationNotApplied",
        "\(name) runs as it was made, and a \(verb.rawValue) does not apply what has changed since: \(first)",
        advice: container.compose.map {
          "When few calls run, since every call ends: docker compose -p \($0.project) up -d \($0.service)"
        }
          ?? "When few calls run, since every call ends: docker rm and docker run, or whatever made it."))
  }
}
