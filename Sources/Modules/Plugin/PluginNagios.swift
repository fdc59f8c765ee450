import Journal
import Processes
package import Schema
package import Steps

/// Runs a plugin that was written for Nagios, Icinga and their like.
package struct PluginNagios: StepModule {
  package struct Input: Hashable, Sendable {
    package var command: [String]
    package var directory: String?
    package var env: [String: String]
    package var secretEnv: [String: Secret]
    package var outputLimit: Int
  }

  /// What the plugin calls the state of the service.
  package enum State: String, Sendable, CaseIterable {
    case ok
    case warning
    case critical
    case unknown

    init?(exitCode: Int32) {
      guard (0...3).contains(exitCode) else { return nil }
      let states: [Self] = [.ok, .warning, .critical, .unknown]
      self = states[Int(exitCode)]
    }

    /// The state that the first line names: `DISK CRITICAL - …`, `OK: …`.
    init?(line: String) {
      let words = line.split(separator: " ").prefix(2).map { $0.prefix { $0.isLetter } }
      guard
        let state = words.lazy.compactMap({ word in Self.allCases.first { $0.rawValue.uppercased() == word } }).first
      else { return nil }
      self = state
    }
  }

  package struct Output: Hashable, Sendable {
    package var state: State
    package var exitCode: Int
    package var message: String
    package var details: String
    package var figures: [String: Double]
    package var performance: [PluginFigure]
    package var unreadable: [String]
    package var stderr: String
    package var truncated: Bool
    package var leaked: [String]
    package var elapsed: Duration
  }

  /// Where distributions put plugins, besides the folders of PATH.
  private static let folders = ["/usr/lib/nagios/plugins", "/usr/lib64/nagios/plugins", "/usr/local/nagios/libexec"]

  package static let declaration = ModuleDeclaration(
    "plugin.nagios", "Runs a plugin for Nagios, and takes its verdict and its figures.",
    discussion: """
      Exit code 0 passes, 1 warns (`plugin.warning`), 2 fails (`plugin.critical`). With 3, any other code, a signal, or nothing printed
      beside 0, the plugin did not find out: that is an error, not a pass. A plugin that contradicts itself is not believed: if
      its first line names a worse state than its exit code, that state counts; if a figure lies in its own critical range beside
      exit code 0, the step warns (both `plugin.contradictsItself`).

      `figures` has the values of the performance data by label, `performance` also units and thresholds: values are in the plugin's own
      units. A value that the plugin does not know (U) is absent.

      The plugin runs as a program of `command.run` does, without a shell. One that is named without a slash is looked for in PATH and
      in /usr/lib/nagios/plugins. You vouch that it only looks: a plugin counts as `observe`.
      """,
    effect: .observe, judges: true, deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("command", \.command, .list(.string).nonEmpty, "The plugin, by name or path, and its arguments."),
      Field("directory", \.directory, .optional(.path), "Where it starts; where runbook was started, if not given."),
      Field("env", \.env, .map(.string), default: [:], "Environment variables besides PATH, HOME and LANG."),
      Field("secretEnv", \.secretEnv, .map(.secret), default: [:], "Environment variables that hold secrets."),
      Field(
        "outputLimit", \.outputLimit, .byteSize.within(1024...16 << 20), default: 64 << 10,
        "How much is kept of each of its outputs, from the start.")
    ),
    output: Record(
      Output.init,
      Field("state", \.state, .enumeration(State.self), "What it calls the state of the service."),
      Field("exitCode", \.exitCode, .int, "Its exit code."),
      Field("message", \.message, .string, "Its first line, without performance data."),
      Field("details", \.details, .string, "Its further lines, without performance data."),
      Field("figures", \.figures, .map(.double), "The values of its figures, by their labels."),
      Field("performance", \.performance, .list(.record(PluginFigure.record)), "Its figures, in their order."),
      Field("unreadable", \.unreadable, .list(.string), "Items of performance data that cannot be read."),
      Field("stderr", \.stderr, .string, "What it wrote to standard error."),
      Field("truncated", \.truncated, .bool, "True if an output was longer than is kept: figures may be missing."),
      Field("leaked", \.leaked, .list(.string), "Processes that it left behind, by name and number."),
      Field("elapsed", \.elapsed, .duration, "From its start until nothing of it was left.")
    ),
    examples: [
      .init(
        "The load is low", with: "command: [check_load, -r, -w, '2,2,2', -c, '4,4,4']",
        expect: ["output.?figures['load5'].orValue(100.0) < 4.0"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard let executable = input.command.first else {
      throw .notStarted("command.empty", "the command is empty", advice: "Give a plugin as the first element.")
    }
    var command = Command(executable, Array(input.command.dropFirst()))
    let path = CleanEnvironment.variables()["PATH"] ?? ""
    command.environment = ["PATH": ([path] + Self.folders).joined(separator: ":")].merging(input.env) { $1 }
    command.credentials = input.secretEnv.sorted { $0.key < $1.key }.map { name, secret in
      Command.Credential(variable: name, secret: Array(secret.revealText().utf8), delivery: .variable)
    }
    command.directory = input.directory
    command.outputLimit = input.outputLimit
    try await CommandRun.awaitFileSystems(of: command)
    let result: ProcessResult
    do { result = try await command.run(in: context) } catch { throw CommandRun.notStarted(error) }
    return try Self.judged(result, of: executable, masking: SecretMasking(input.secretEnv.values))
  }

  private static func judged(
    _ result: ProcessResult, of plugin: String, masking: SecretMasking
  ) throws(StepError) -> StepResult<Output> {
    let text = masking.text(result.standardOutput.bytes, isCut: result.standardOutput.isTruncated)
    let printed = PluginText(text)
    if let interruption = result.interruption {
      throw StepError(
        .interrupted,
        Finding(
          "plugin.interrupted",
          "\(plugin) was ended at \(interruption == .timeout ? "its deadline" : "the run's request")",
          advice: printed.message.isEmpty ? "It had printed nothing." : "Its first line was: \(printed.message)"))
    }
    let exitCode: Int32
    switch result.ending {
    case .exited(let code): exitCode = code
    case .signalled(let signal):
      throw .broken(
        "plugin.ended", "\(plugin) was ended by signal \(signal)",
        advice: "Run it by hand, and look at the kernel's log.")
    case .unkillable:
      throw .broken(
        "plugin.ended", "\(plugin) cannot be ended, not even by KILL: it waits inside the kernel",
        advice: "Mostly that is a file system or a disk that does not answer: look at the kernel's log (`dmesg`).")
    }
    guard let state = State(exitCode: exitCode) else {
      throw .broken(
        "plugin.exitCodeUnknown", "\(plugin) ended with exit code \(exitCode), which no plugin may: \(printed.message)",
        advice: "Run it by hand: mostly a program or a library is missing.")
    }
    let data = PerformanceData(parsing: printed.performanceData)
    let output = Output(
      state: max(state, printed.state ?? state), exitCode: Int(exitCode), message: printed.message,
      details: printed.details,
      figures: Dictionary(
        data.figures.compactMap { figure in figure.value.map { (figure.label, $0) } },
        uniquingKeysWith: { first, _ in first }),
      performance: data.figures, unreadable: data.unreadable,
      stderr: masking.text(result.standardError.bytes, isCut: result.standardError.isTruncated),
      truncated: result.standardOutput.isTruncated || result.standardError.isTruncated,
      leaked: result.leaked.map { "\($0.name) (\($0.pid))" }, elapsed: result.duration)
    return try verdict(output, exit: state, of: plugin)
  }

  private static func verdict(_ output: Output, exit: State, of plugin: String) throws(StepError) -> StepResult<Output>
  {
    let said: Sentence = output.message.isEmpty ? "it printed nothing" : "\(output.message)"
    if exit == .unknown || output.state == .unknown && exit == .ok {
      throw StepError(
        .broken,
        Finding(
          "plugin.unknown", "\(plugin) could not find out: \(said)",
          advice: "Look at its arguments and rights; run it by hand."),
        learnt: [.init("message", .string(output.message)), .init("stderr", .string(output.stderr))])
    }
    if exit == .ok, output.message.isEmpty {
      throw .broken(
        "plugin.noOutput", "\(plugin) ended with exit code 0 and printed nothing: a plugin says what it found",
        advice: "Run it by hand; a wrapper may swallow its output.")
    }
    if output.state != exit {
      let finding = Finding(
        "plugin.contradictsItself",
        "\(plugin) says \(output.state.rawValue.uppercased()) and ended with exit code \(output.exitCode): \(said)",
        advice: "Mend the plugin, or the wrapper around it: its exit code counts for everybody else.")
      return output.state == .critical ? .failed(output, finding) : .warned(output, finding)
    }
    switch exit {
    case .critical: return .failed(output, Finding("plugin.critical", "\(said)"))
    case .warning: return .warned(output, Finding("plugin.warning", "\(said)"))
    case .ok, .unknown: break
    }
    if let figure = output.performance.first(where: \.isCritical) {
      return .warned(
        output,
        Finding(
          "plugin.contradictsItself",
          "\(plugin) says that all is well, and its figure \(figure.label) lies in its own critical range, \(figure.critical ?? "")",
          advice: "Look at the plugin's thresholds."))
    }
    if output.truncated {
      return .warned(
        output,
        Finding(
          "plugin.outputCut", "\(plugin) printed more than is kept: figures may be missing",
          advice: "Raise `outputLimit`, or let it print less."))
    }
    guard output.leaked.isEmpty else {
      return .warned(
        output,
        Finding(
          "command.leaked", "\(plugin) left processes behind: \(output.leaked.joined(separator: ", "))",
          advice: "Start daemons with their service manager."))
    }
    return .done(output)
  }
}

extension PluginNagios.State: Comparable {
  /// By how bad it is. Not to know is worse than all being well, and better than a known fault.
  package static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

  private var rank: Int {
    switch self {
    case .ok: 0
    case .unknown: 1
    case .warning: 2
    case .critical: 3
    }
  }
}

/// What a plugin printed: a first line, further lines, and performance data behind bars. Of the further lines, the first with a bar
/// begins performance data that goes on to the end.
private struct PluginText {
  let message: String
  let details: String
  let performanceData: String

  /// The state that the first line names.
  var state: PluginNagios.State? { PluginNagios.State(line: message) }

  init(_ text: String) {
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    let (message, data) = Self.parts(of: lines.first ?? "")
    self.message = message
    var details: [String] = []
    var performance = [data]
    var isData = false
    for line in lines.dropFirst() {
      if isData {
        performance.append(String(line))
        continue
      }
      let (text, data) = Self.parts(of: line)
      isData = line.contains("|")
      details.append(text)
      performance.append(data)
    }
    self.details = details.joined(separator: "\n").trimmed
    performanceData = performance.joined(separator: " ")
  }

  private static func parts(of line: Substring) -> (text: String, data: String) {
    guard let bar = line.firstIndex(of: "|") else { return (String(line).trimmed, "") }
    return (String(line[..<bar]).trimmed, String(line[line.index(after: bar)...]))
  }
}

extension String {
  fileprivate var trimmed: String {
    var text = Substring(self)
    while text.first?.isWhitespace == true { text.removeFirst() }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
