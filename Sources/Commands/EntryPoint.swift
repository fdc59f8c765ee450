import ArgumentParser
import Glibc
import Processes
import Reports
import Schema

/// Runs the command that the process's arguments name and exits with its status.
package func exitRunbook() async -> Never {
  do throws(ProcessError) { try OwnProcess.fillClosedDescriptors() } catch { exit(ExitStatus.error.code) }
  // A reader that goes away is an error of the write, not the end of the process.
  signal(SIGPIPE, SIG_IGN)
  // libarchive and others take the encoding of names from the locale; nothing else of it is used.
  setlocale(LC_CTYPE, "C.UTF-8")
  let start = ContinuousClock.now
  let status = await runRunbook(arguments: OwnProcess.arguments)
  DebugLog.shared.tell("end", ["status": "\(status.code)", "time": "\(start.duration(to: .now))"])
  guard let loss = Terminal.standardOutput.loss else { exit(status.code) }
  Terminal.standardError.write("runbook: standard output could not be written: \(loss)\n")
  exit(status.code == 0 ? ExitStatus.error.code : status.code)
}

/// Runs the command that the arguments name.
private func runRunbook(arguments bytes: [[UInt8]]) async -> ExitStatus {
  let given = bytes.map { String(decoding: $0, as: UTF8.self) }
  let line = CommandWords(given)
  let arguments = EvalCommand.separatingExpression(in: line.words)
  do {
    try refuseOtherThanUTF8(bytes)
    if let group = line.groupWithoutCommand {
      Terminal.standardError.write(RunbookCommand.helpMessage(for: group) + "\n\n")
      throw CommandFailure(.invalid, "no command is given")
    }
    var command = try RunbookCommand.parseAsRoot(arguments)
    guard OwnProcess.hasProc else {
      throw CommandFailure(
        .invalid, "/proc is not there, or hides our own process",
        advice:
          "mount it (mount -t proc proc /proc): Swift's threads and the ends of commands cannot be followed without")
    }
    DebugLog.shared.tell("command", ["name": type(of: command)._commandName, "version": runbookVersion])
    if var command = command as? any AsyncParsableCommand {
      try await command.run()
    } else {
      try command.run()
    }
    return .passed
  } catch let failure as CommandFailure {
    if let text = failure.text { Terminal.standardError.write("runbook: \(text)\n") }
    return tellMachines(failure, arguments)
  } catch {
    var text = RunbookCommand.fullMessage(for: error)
    // ArgumentParser throws for --help and --version too; it ends with 0 then, and else with 64.
    guard RunbookCommand.exitCode(for: error) != ExitCode.success else {
      Terminal.standardOutput.write(text + "\n")
      return .passed
    }
    let suggestion = nearCommand(to: arguments)
    if let suggestion { text += "\n  \(suggestion)" }
    Terminal.standardError.write(text + "\n")
    let failure = CommandFailure(.invalid, RunbookCommand.message(for: error), advice: suggestion)
    return tellMachines(failure, arguments)
  }
}

/// A value that is not UTF-8 would go on as another one.
private func refuseOtherThanUTF8(_ arguments: [[UInt8]]) throws(CommandFailure) {
  for (index, bytes) in arguments.enumerated() where String(validating: bytes, as: UTF8.self) == nil {
    throw CommandFailure(
      .invalid, "argument \(index + 1) is not UTF-8: \"\(String(decoding: bytes, as: UTF8.self))\"",
      advice: "write it in UTF-8; the terminal or the script may use another encoding")
  }
}

/// For a mistyped command, the one that was meant.
private func nearCommand(to arguments: [String]) -> String? {
  let names = RunbookCommand.configuration.subcommands.compactMap { $0.configuration.commandName }
  guard let given = arguments.first, !names.contains(given) else { return nil }
  return nearName(to: given, among: names).map { "did you mean \($0)?" }
}

/// Prints what kept a command from doing anything as the reader of standard output wants it: as JSON, or as the line of a
/// monitoring plugin.
///
/// - Returns: how to end.
private func tellMachines(_ failure: CommandFailure, _ arguments: [String]) -> ExitStatus {
  switch formatOfOutput(arguments) {
  case .json:
    if let json = failure.json { Terminal.standardOutput.write(json.text(.indented) + "\n") }
  // Other commands know no such form: for them it is a mistake like any other.
  case .nagios where ["run", "report"].contains(arguments.first):
    if case .plugin = failure.status { break }
    guard !failure.isAfterOutput else { break }
    Terminal.standardOutput.write(pluginLine(.unknown, failure.summary))
    return .plugin(.unknown)
  default: break
  }
  return failure.status
}

/// What the arguments ask for on standard output, also if they cannot be parsed: of several, the last, as where they can.
/// Those behind `--` are another program's.
private func formatOfOutput(_ arguments: [String]) -> ReportFormat? {
  let own = arguments.prefix { $0 != "--" }
  var asked: ReportFormat?
  for (option, value) in zip(own, own.dropFirst() + [""]) {
    let equals = option.firstIndex(of: "=")
    let name = equals.map { String(option[..<$0]) } ?? option
    let given = equals.map { String(option[option.index(after: $0)...]) } ?? value
    if name == "--format", let format = ReportFormat(rawValue: given) { asked = format }
    if name == "--report", given.hasSuffix("=-"), let file = ReportFile(argument: given) { asked = file.format }
  }
  return asked
}
