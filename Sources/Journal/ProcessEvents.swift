package import Schema

/// A step started a process. Should the run die, the process may go on: this tells which it is.
///
/// It need not be on the disk: a crash of the run leaves what was written, and a crash of the host ends the process too.
package struct ProcessStarted: StepEvent {
  package var path: StepPath
  package var attempt: Int
  /// The program as the step names it.
  package var program: String
  package var pid: Int
  /// Field 22 of `/proc/PID/stat`: clock ticks since the boot. Within one boot no other process has this and the pid.
  package var startTime: Int
  /// What `/proc/self/ns/pid` names: the pid counts in it alone. Nil if the kernel does not tell.
  package var pidNamespace: String?

  package init(
    path: StepPath, attempt: Int, program: String, pid: Int, startTime: Int, pidNamespace: String? = nil
  ) {
    self.path = path
    self.attempt = attempt
    self.program = program
    self.pid = pid
    self.startTime = startTime
    self.pidNamespace = pidNamespace
  }

  package static let type = "process.started"
  package static let summary =
    "A try started a process, the leader of a session of its own; the result of the try tells that it has ended."
  package static let record: Record<Self> = Record(
    {
      Self(
        path: StepPath(stage: $0, text: $1), attempt: $2, program: $3, pid: $4, startTime: $5, pidNamespace: $6)
    },
    Field.stage(), Field.path(),
    Field("attempt", \.attempt, .int, "Number of the try, from 1."),
    Field("program", \.program, .string, "The program, as the step names it."),
    Field("pid", \.pid, .int, "Process id, which is also the id of its session."),
    Field(
      "startTime", \.startTime, .int,
      "Clock ticks from the boot to its start: field 22 of /proc/PID/stat. The boot is that of the line."),
    Field("pidNamespace", \.pidNamespace, .optional(.string), "The PID namespace in which the number counts.")
  )
}

/// A process of which no end is recorded.
package struct LeftProcess: Hashable, Sendable {
  package var process: ProcessStarted
  /// The kernel's id of the boot in which it was started.
  package var boot: String

  /// What has become of it.
  package enum State: Hashable, Sendable {
    /// What still runs of its session: itself, if its number is among them, and what it started.
    case running([Member])
    case ended
    /// It was started elsewhere.
    case unknown
  }

  /// One process of a session.
  package struct Member: Hashable, Sendable {
    package var name: String
    package var pid: Int

    package init(name: String, pid: Int) {
      self.name = name
      self.pid = pid
    }
  }
}

extension RecordedRun {
  /// The processes that a run had at work when it died: those of tries without a result. None for a run that ended or
  /// goes on.
  package var leftProcesses: [LeftProcess] {
    isFinished || isBeingWritten ? [] : Self.leftProcesses(of: standing)
  }

  /// The processes of tries whose end is not known, and which a retry of a run that ended finds out about.
  package func leftProcesses(by retry: RunRetry) -> [LeftProcess] {
    Self.leftProcesses(of: standing.without(retry))
  }

  private static func leftProcesses(of events: [RecordedEvent]) -> [LeftProcess] {
    var left: [LeftProcess] = []
    for recorded in events {
      switch recorded.event {
      case .processStarted(let process): left.append(LeftProcess(process: process, boot: recorded.moment.boot))
      case .stepResult(let result):
        left.removeAll { $0.process.path == result.path && $0.process.attempt == result.attempt }
      default: break
      }
    }
    return left
  }
}
