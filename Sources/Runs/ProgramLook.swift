import FoundationEssentials
package import Journal
package import Language
package import Processes
package import Schema

/// Looks before a run for the programs that its steps name as they stand, and for the files that were given by hand: what is not there
/// keeps it from starting.
package struct ProgramLook {
  /// How long one look may take: a file system that does not answer is the step's to name.
  private static let patience = Duration.seconds(2)

  private var problems: [Issue] = []
  private var known: [String: ProcessError?] = [:]
  /// A step before may have changed what is there.
  private var mayHaveChanged = false

  package init() {}

  /// The problems with the programs of all these plans, each once; one that is no warning keeps a run from being begun.
  package static func problems(of plans: [Plan]) async -> [Issue] {
    var look = ProgramLook()
    for plan in plans {
      await look.look(at: plan)
      for file in plan.givenFiles { await look.look(for: file) }
    }
    return look.problems
  }

  /// Looks for a file that was given by hand: nobody has to wait for its step to hear of a slip.
  private mutating func look(for file: RequiredFile) async {
    guard await Self.briefly({ FileManager.default.fileExists(atPath: file.path) }) == false else { return }
    let issue = Issue(
      .error, "file-missing", "\"\(file.path)\", which the step \"\(file.step)\" reads, is not there", at: file.place,
      suggestion: "check the path, and that this user may enter its folders")
    if !problems.contains(issue) { problems.append(issue) }
  }

  /// Looks for the programs of a plan, those of the checks that it uses too.
  ///
  /// A warning where the step may be left out or does not count, and behind a step that changes something: it may be what brings the
  /// program.
  private mutating func look(at plan: Plan) async {
    mayHaveChanged = false
    for steps in [plan.hypothesis, plan.steps, plan.finally] { await look(at: steps, isTolerated: false) }
  }

  private mutating func look(at steps: [PlannedStep], isTolerated: Bool) async {
    for step in steps {
      let isTolerated = isTolerated || step.condition != nil || step.isDiagnostic
      // What takes a step back is not what the step brings.
      await look(at: step.undo, isTolerated: isTolerated)
      if case .call(let call) = step.body {
        if let range = call.programRange, let command = Command(literalOf: call.input) {
          await look(for: command, at: range, isTolerated: isTolerated || mayHaveChanged)
        }
        if call.effect == .change { mayHaveChanged = true }
      }
      await look(at: step.body.steps, isTolerated: isTolerated)
    }
  }

  private mutating func look(for command: Command, at range: SourceRange, isTolerated: Bool) async {
    guard let error = await error(of: command) else { return }
    let advice: String? =
      switch error.code {
      case .notFound: "install it on this host, or give its full path"
      case .lineEnds: "save it with the line ends of Linux: sed -i 's/\\r$//' \(command.executable)"
      case .notExecutable: "check the file's mode (chmod +x) and its first line"
      default: nil
      }
    guard advice != nil else { return }
    let issue = Issue(
      isTolerated ? .warning : .error, "program-missing", "the program cannot be started: \(error.message)", at: range,
      suggestion: advice)
    if !problems.contains(issue) { problems.append(issue) }
  }

  /// Why a program cannot be started; nil if it can, and where the look takes too long.
  package mutating func error(of command: Command) async -> ProcessError? {
    let key = [command.executable, command.directory ?? "", command.environment["PATH"] ?? ""].joined(separator: "\0")
    if let known = known[key] { return known }
    let found = await Self.briefly {
      do throws(ProcessError) { try command.checkProgram() } catch { return error as ProcessError? }
      return nil
    }
    known[key] = .some(found ?? nil)
    return found ?? nil
  }

  /// Nil if the look does not come back in time.
  package static func briefly<R: Sendable>(_ look: @escaping @Sendable () -> R) async -> R? {
    await withTaskGroup(of: R?.self) { group in
      group.addTask { await onAbandonedThread(look) }
      group.addTask {
        try? await Task.sleep(for: patience)
        return nil
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first
    }
  }
}

extension Command {
  /// The program that an input names as it stands; nil if it, its folder or its `PATH` is not known yet.
  package init?(literalOf input: Template) {
    guard case .string(let program)? = input.member("command")?.first?.known, !program.isEmpty else { return nil }
    self.init(program)
    if let folder = input.member("directory") {
      switch folder.known {
      case .string(let path)?: directory = path
      case .null?: break
      default: return nil
      }
    }
    if let variables = input.member("env") {
      guard case .members(let members)? = variables.known else { return nil }
      for member in members {
        if case .string(let text) = member.value { environment[member.name] = text }
      }
    }
  }
}

extension Template {
  fileprivate var known: Value? { if case .literal(let value) = self { value } else { nil } }

  /// The first element of a list.
  fileprivate var first: Template? {
    switch self {
    case .literal(.list(let values)): values.first.map { .literal($0) }
    case .list(let elements): elements.first
    default: nil
    }
  }
}

/// Looks for processes of a run, if this is where it ran.
package struct ProcessLook {
  private let machine: String?

  package init(_ run: RunStarted) { machine = run.machineIdHash }

  /// Whether something still runs of what a process is or started. A number that was given to another process since is not
  /// mistaken for it.
  package func state(of left: LeftProcess) -> LeftProcess.State {
    let own = HostFacts.current().machineIDHash
    guard let pid = Int32(exactly: left.process.pid), let start = UInt64(exactly: left.process.startTime),
      let boot = ProcessIdentity.own?.boot, machine == own, machine != nil || boot == left.boot
    else { return .unknown }
    guard boot == left.boot else { return .ended }
    guard left.process.pidNamespace == OwnProcess.pidNamespace else { return .unknown }
    let members = ProcessIdentity(pid: pid, startTime: start, boot: left.boot).sessionMembers
    return members.isEmpty ? .ended : .running(members.map { LeftProcess.Member(name: $0.name, pid: Int($0.pid)) })
  }
}
