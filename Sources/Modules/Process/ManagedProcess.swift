import Journal
import Processes
import Schema
import Steps

/// A service that is one process, known by two things that must agree: the file in which it writes its number, and its program.
///
/// A number alone is never trusted: the kernel gives it to another process once the first has ended.
struct ManagedProcess: Hashable, Sendable {
  let pidFile: String
  /// The program's file, by its path.
  let program: String

  enum State: String, CaseIterable, Hashable, Sendable {
    case running
    /// A signal (SIGSTOP) or a debugger holds it: it lives, and answers nobody.
    case stopped
    case notRunning
  }

  struct Look {
    var state: State
    /// Nil if it does not run.
    var process: ProcessFacts?
    /// Why no process is the service's; nil if one is.
    var reason: Sentence?
  }

  /// - Parameter program: a path, or a name that is looked for in `PATH`.
  /// - Throws: `notStarted` if there is no such program.
  init(pidFile: String, program: String, in directory: String? = nil) throws(StepError) {
    self.pidFile = pidFile
    var command = Command(program)
    command.directory = directory
    do throws(ProcessError) {
      let path = try command.checkProgram()
      self.program = path.hasPrefix("/") ? path : directory.map { "\($0)/\(path)" } ?? path
    } catch {
      // It may run on from a file that was removed: its path is known then.
      guard program.hasPrefix("/"), error.code == .notFound else { throw CommandRun.notStarted(error) }
      self.program = program
    }
  }

  /// The process that the file names, if it is the program.
  ///
  /// - Throws: `broken` if this user may not see what the process runs, or may not read the file.
  func look() throws(StepError) -> Look {
    let file: PIDFile
    do throws(StepError) { file = try PIDFile(pidFile) } catch {
      guard error.kind == .failed else { throw error }
      return Look(state: .notRunning, reason: "\(error.finding.message)")
    }
    guard let process = ProcessEntry(pid: file.pid).flatMap(ProcessFacts.init) else {
      return Look(
        state: .notRunning, reason: "the PID file \(pidFile) names \(Int(file.pid)), and there is no such process")
    }
    if process.entry.isZombie {
      return Look(state: .notRunning, reason: "\(process.title) has ended, and is not reaped")
    }
    switch process.executable {
    case .hidden:
      throw .broken(
        "process.hidden", "the PID file \(pidFile) names \(process.title), and this user may not see what that runs",
        advice: "Run this as root, or as the user of the service.")
    case .none, .path: break
    }
    guard isProgram(process), !file.isOlder(than: process) else {
      let runs: Sentence = process.executablePath.map { "which runs \($0)" } ?? "which is a thread of the kernel"
      return Look(
        state: .notRunning,
        reason: isProgram(process)
          ? "the PID file \(pidFile) names \(process.title), which was started after the file was written"
          : "the PID file \(pidFile) names \(process.title), \(runs) and not \(program)")
    }
    return Look(state: process.isStopped ? .stopped : .running, process: process)
  }

  /// Whether a process runs the program. In a container a program of the same path is another file.
  func isProgram(_ process: ProcessFacts) -> Bool {
    process.isSameFile(as: program) || (process.isReplaced && process.executablePath == program)
  }

  /// Processes of the same program besides one, the oldest first.
  func others(besides process: ProcessFacts?) -> [ProcessFacts] {
    ProcessEntry.all().filter { !$0.isZombie && $0.pid != process?.entry.pid }.compactMap(ProcessFacts.init)
      .filter(isProgram).sorted { $0.entry.startTime < $1.entry.startTime }
  }
}

extension ProcessFacts {
  /// This process and no other, also if its number passes on. Nil if it has ended meanwhile.
  var identity: ProcessIdentity? {
    ProcessIdentity(pid: entry.pid).flatMap { $0.startTime == entry.startTime ? $0 : nil }
  }

  /// Whether it was started by a step with this idempotency key. Nil if this user may not see its environment.
  func isMarked(_ key: String) -> Bool? {
    guard let bytes = readSmallFile("\(folder)/environ") else { return nil }
    return bytes.split(separator: 0).contains { $0.elementsEqual("\(ServiceStart.mark)=\(key)".utf8) }
  }

  /// Its arguments behind the program's name, as far as the first 4 KiB hold them.
  var argumentsBehindName: [String] {
    (readSmallFile("\(folder)/cmdline") ?? []).split(separator: 0, omittingEmptySubsequences: false).dropFirst()
      .dropLast().map { String(decoding: $0, as: UTF8.self) }
  }
}
