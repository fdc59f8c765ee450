import Addresses
package import ArgumentParser
import FoundationEssentials
import Journal
import Language
import Modules
import Reports
import Schema
import Steps

/// `runbook probe`.
package struct ProbeCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "One probe by hand; no runbook needed.",
    discussion: """
      Without a URI the server is TURN_SERVER, as in a project's .env. User name and password are TURN_USERNAME and \
      TURN_CREDENTIAL, a secret for REST credentials TURN_SECRET; they never stand in the arguments.

        runbook probe stun turn.example.com
        TURN_USERNAME=webrtc TURN_CREDENTIAL=… runbook probe turn turn:turn.example.com:3478?transport=udp
        runbook lab exec -- runbook probe turn
      """,
    subcommands: [STUN.self, TURN.self])

  package init() {}

  struct STUN: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "stun", abstract: "Ask a server for our address, and how long its answers take.")
    @OptionGroup var options: ProbeOptions
    @Option(help: "How many requests are sent.") var requests = 5

    func run() async throws {
      try await options.probe(
        "stun.binding", scheme: "stun", with: [.init("requests", .int(Int64(requests)))])
    }
  }

  struct TURN: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "turn", abstract: "Relay packets through two allocations, or only make one.")
    @OptionGroup var options: ProbeOptions
    @Option(help: "How many packets are relayed.") var packets = 50
    @Flag(help: "Make one allocation and delete it; relay nothing.") var allocateOnly = false

    func run() async throws {
      if allocateOnly {
        try await options.probe("turn.allocate", scheme: "turn", with: [])
      } else {
        try await options.probe("turn.relay", scheme: "turn", with: [.init("packets", .int(Int64(packets)))])
      }
    }
  }
}

/// What every probe by hand takes.
package struct ProbeOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp(
      "The server: a URI such as turn:turn.example.com:3478?transport=udp, or a host name. Else TURN_SERVER.",
      valueName: "uri"))
  package var server: String?

  @Option(help: ArgumentHelp("How long the probe may take.", valueName: "duration"))
  package var timeout: String = "10s"

  @Option(help: "text or json.") package var format: ProbeFormat = .text

  @OptionGroup package var project: ProjectOptions

  package enum ProbeFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case text
    case json
  }

  package init() {}

  /// Runs a module once and prints what it learnt.
  ///
  /// - Throws: `CommandFailure` with the status of the module's outcome.
  func probe(_ name: String, scheme: String, with members: [Value.Member]) async throws {
    guard let module = Catalog.standard[name] else { throw CommandFailure(.error, "there is no module \(name)") }
    guard let timeout = parseDuration(timeout), timeout > .zero else {
      throw CommandFailure(.invalid, "--timeout takes a duration with its unit, such as 10s; found \"\(timeout)\"")
    }
    let target = try target(scheme: scheme)
    let input = Value.members([.init("server", TURNServer.record.encode(target))] + members)
    do { _ = try ValueType.record(module.input).admit(input) } catch {
      throw CommandFailure(.invalid, "\(error.path): \(error.message)")
    }
    let context = StepContext(
      run: "probe", path: name, attempt: 1, idempotencyKey: "", deadline: .now + timeout, history: NoRuns(),
      progress: { text in
        if Terminal.standardError.isInteractive { Terminal.standardError.write("\(terminalSafe(text))\n") }
      })
    let result: StepResult<Value>
    do { result = try await module.run(input, context) } catch {
      report(error.learnt.isEmpty ? nil : .members(error.learnt), error.finding)
      throw CommandFailure(error.kind == .failed ? .failed : .error)
    }
    report(result.output, result.objection?.finding)
    if result.objection?.severity == .fail { throw CommandFailure(.failed) }
  }

  /// The server of the arguments or of the environment, with the credentials of the environment.
  private func target(scheme: String) throws -> TURNServer {
    // Outside a project there is still the process's environment.
    let project = try? project.load()
    let environment = project?.environment ?? ProcessInfo.processInfo.environment
    guard var uri = server ?? environment["TURN_SERVER"] else {
      throw CommandFailure(.invalid, "no server: give a URI, or set TURN_SERVER in the environment or in .env")
    }
    if !uri.contains(":") || isHost(uri) { uri = "\(scheme):\(uri.contains(":") ? "[\(uri)]" : uri)" }
    guard let host = (try? ServerURI(parsing: uri))?.host else {
      throw CommandFailure(.invalid, "\"\(uri)\" is no URI such as turn:turn.example.com:3478?transport=udp")
    }
    return TURNServer(
      name: host, uri: uri, host: host, username: environment["TURN_USERNAME"],
      credential: environment["TURN_CREDENTIAL"].map { Secret($0) },
      secret: environment["TURN_SECRET"].map { Secret($0) },
      ca: environment["TURN_CA"])
  }

  private func report(_ output: Value?, _ finding: Finding?) {
    switch format {
    case .json:
      var members: [JSON.Member] = [.init("output", output?.json ?? .null)]
      members.append(.init("finding", finding.map { Finding.record.encode($0).json } ?? .null))
      Terminal.standardOutput.write(JSON.object(members).text(.indented) + "\n")
    case .text:
      if let output { Terminal.standardOutput.write(lines(of: output)) }
      guard let finding else { return }
      Terminal.standardOutput.write("\(finding.code): \(terminalSafe(finding.message))\n")
      if let advice = finding.advice { Terminal.standardOutput.write("  \(terminalSafe(advice))\n") }
    }
  }

  /// One line for each field, nested fields by their paths, names aligned.
  private func lines(of output: Value) -> String {
    let rows = rows(of: output, path: "")
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { "\($0.0)\(String(repeating: " ", count: width - $0.0.count))  \($0.1)\n" }.joined()
  }

  private func rows(of value: Value, path: String) -> [(String, String)] {
    guard case .members(let members) = value else {
      return value == .null ? [] : [(path, terminalSafe(value.plainText))]
    }
    return members.flatMap { rows(of: $0.value, path: path.isEmpty ? $0.name : "\(path).\($0.name)") }
  }
}

/// A probe by hand has no past.
private struct NoRuns: RunHistory {
  func runs(of runbook: String?, since: Timestamp?, limit: Int) throws -> [RunSummary] { [] }
}
