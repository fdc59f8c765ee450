import Glibc
import Journal
import Processes
package import Schema
import Steps

/// Which processes are meant. What is given must all fit.
package struct ProcessChoice: Hashable, Sendable {
  package var name: String?
  package var executable: String?
  package var unit: String?
  package var pidFile: String?
  package var pid: Int?

  package init(
    name: String? = nil, executable: String? = nil, unit: String? = nil, pidFile: String? = nil, pid: Int? = nil
  ) {
    self.name = name
    self.executable = executable
    self.unit = unit
    self.pidFile = pidFile
    self.pid = pid
  }

  package static let record = Record(
    { (name: String?, executable: String?, unit: String?, pidFile: String?, pid: Int?) in
      Self(name: name, executable: executable, unit: unit, pidFile: pidFile, pid: pid)
    },
    Field("name", \.name, .optional(.string), "The program's name, in full."),
    Field("executable", \.executable, .optional(.path), "The program's file."),
    Field("unit", \.unit, .optional(.string), "The systemd unit to whose control group they belong."),
    Field("pidFile", \.pidFile, .optional(.path), "The file that holds the number of the process."),
    Field("pid", \.pid, .optional(.int), "The number of the process.")
  )

  /// Why nothing can be found by it; nil if something may be.
  var objection: Finding? {
    guard name == nil, executable == nil, unit == nil, pidFile == nil, pid == nil else { return nil }
    return Finding(
      "process.noneNamed", "the step does not say which process is meant",
      advice: "Give `name`, `executable`, `unit`, `pidFile` or `pid`.")
  }

  /// In a sentence: `turnserver`, `of the unit coturn.service`.
  var title: Sentence {
    var parts: [Sentence] = []
    if let name { parts.append("named \(name)") }
    if let executable { parts.append("of the program \(executable)") }
    if let unit { parts.append("of the unit \(Self.unitName(unit))") }
    if let pidFile { parts.append("of the PID file \(pidFile)") }
    if let pid { parts.append("with the number \(pid)") }
    return parts.joined
  }

  static func unitName(_ unit: String) -> String { unit.contains(".") ? unit : unit + ".service" }

  /// The processes that fit, ended ones among them which wait to be reaped.
  ///
  /// - Throws: `failed` if the PID file names no process of these, `broken` if it cannot be told which fit: this user may
  ///   not see enough, or a process only calls itself so.
  func find() throws(StepError) -> [ProcessFacts] {
    let file = try pidFile.map { (path) throws(StepError) in try PIDFile(path) }
    let numbers = Set([pid.map { pid_t(clamping: $0) }, file?.pid].compactMap(\.self))
    let entries = numbers.isEmpty ? ProcessEntry.all() : numbers.compactMap { ProcessEntry(pid: $0) }
    guard numbers.count < 2 else { return [] }
    var found: [ProcessFacts] = []
    var doubtful: [ProcessFacts] = []
    var hidden = 0
    for entry in entries {
      guard let process = ProcessFacts(entry) else { continue }
      guard fitsUnit(process) else { continue }
      guard let fits = fitsExecutable(process) else {
        hidden += 1
        continue
      }
      guard fits else { continue }
      switch name.map({ ProgramName.evidence(of: $0, in: process) }) ?? .certain {
      case .certain: found.append(process)
      case .doubtful: doubtful.append(process)
      case .none: continue
      }
    }
    if let process = doubtful.first { throw ambiguous(process, besides: found) }
    if found.isEmpty {
      // A process that was named by its number and is there was seen.
      let isSeen = !numbers.isEmpty && !entries.isEmpty
      guard hidden == 0, isSeen || ProcessFacts.areOthersVisible else { throw self.hidden(hidden) }
      try refuseReused(file, entries)
    } else if name == nil, executable == nil, unit == nil, let file, let process = found.first,
      file.isOlder(than: process)
    {
      throw reused(process, "which was started after the file was written")
    }
    return found.sorted { $0.pid < $1.pid }
  }

  private func fitsUnit(_ process: ProcessFacts) -> Bool {
    guard let unit = unit.map(Self.unitName) else { return true }
    return process.controlGroups.contains { $0.split(separator: "/").contains(unit[...]) }
  }

  /// Nil if this user may not see the program.
  private func fitsExecutable(_ process: ProcessFacts) -> Bool? {
    guard let executable else { return true }
    switch process.executable {
    case .none: return false
    case .hidden:
      // What everybody may see of it can rule it out.
      let kept = executable.split(separator: "/").last.map { Array($0.utf8.prefix(15)) }
      return kept == process.entry.nameBytes ? nil : false
    case .path: return process.executablePath == executable || process.isSameFile(as: executable)
    }
  }

  /// A PID file whose process is there, and is another one.
  private func refuseReused(_ file: PIDFile?, _ entries: [ProcessEntry]) throws(StepError) {
    guard file != nil, let other = entries.first(where: { !$0.isZombie }).flatMap(ProcessFacts.init) else { return }
    throw reused(other, "which is another one")
  }

  private func reused(_ process: ProcessFacts, _ why: Sentence) -> StepError {
    .failed(
      "process.pidReused", "the PID file \(pidFile ?? "") names the process \(process.title), \(why)",
      advice: "The service ended without removing the file: look why, and start it. "
        + "If this host's clock was set forward since the start, give `name` as well.")
  }

  private func ambiguous(_ process: ProcessFacts, besides found: [ProcessFacts]) -> StepError {
    let program = process.executablePath.map { "its program is \($0)" } ?? "its program cannot be seen"
    let others = found.isEmpty ? "" : ", besides \(found.map(\.title).joined(separator: ", "))"
    return .broken(
      "process.ambiguousName",
      "the process \(process.title) goes by the name \(name ?? ""), but \(program)\(others)",
      advice: "Names are cut at 15 bytes, and a process may change its own. Give `executable`, `unit` or `pidFile`"
        + (process.executable == .hidden ? ", or run this as root." : "."))
  }

  private func hidden(_ count: Int) -> StepError {
    let what: Sentence =
      count > 0
      ? "this user may not see the programs of processes that may be those \(title)"
      : "this user may not see the processes of others (`hidepid` of /proc)"
    return .broken(
      "process.hidden", "\(what)", advice: "Run this as root, or as the user of the service.")
  }

  /// Those that run: neither ended nor stopped.
  ///
  /// - Throws: `failed` with `process.notRunning` if there is none, besides what ``find()`` throws.
  func running() throws(StepError) -> [ProcessFacts] {
    let found = try find().filter { !$0.entry.isZombie }
    guard !found.isEmpty else { throw StepError(.failed, notRunning([])) }
    return found
  }

  /// - Parameter others: those that were found, and do not run.
  func notRunning(_ others: [ProcessFacts]) -> Finding {
    let states = others.map { "\($0.title) \($0.entry.isZombie ? "has ended and is not reaped" : "is stopped")" }
    let tail: Sentence = states.isEmpty ? "" : ": \(states.joined(separator: ", "))"
    return Finding(
      "process.notRunning", "no process \(title) runs\(tail)",
      advice: others.contains(where: \.isStopped)
        ? "Somebody stopped it by a signal or a debugger: `kill -CONT PID` lets it go on."
        : "Look at its log, and start it.")
  }
}
