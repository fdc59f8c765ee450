package import ArgumentParser
import Journal
import Lab
import Language
import Ledger
import Modules
import Reports
import Runs
import Schema
import Steps

/// `runbook probe`.
package struct ProbeCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "probe",
    abstract: "Run one probe by hand, without a runbook.",
    discussion: """
      The probe is stun (address and round trips), turn (media relayed through two allocations), tls (versions and \
      ciphers), or a module by its name, if that begins with stun., turn. or tls.; `runbook modules` lists them, and -p gives \
      their inputs. Other modules (http.request, dns.resolve, coturn.log) are for the steps of runbooks.

      Without a URI the server is TURN_SERVER of the environment or of .env, or a target of the project. User name and \
      password are TURN_USERNAME and TURN_CREDENTIAL; TURN_SECRET in their place makes REST credentials; TURN_REALM is the \
      realm that the server should announce; TURN_CA is a file of certificates to trust, TURN_CERT and TURN_KEY a \
      certificate of your own. TURN_TLS_SERVER, or `tlsServer` of a target, says where the server speaks TLS; probes of TLS \
      need it if the server's own URI is not turns: or stuns:. Secrets never stand in the arguments.

      `runbook modules turn.relay` lists what a probe takes with -p and what it puts out. `server` and `servers` are not given \
      with -p: turn.pool asks all the targets that --target chooses.

        runbook probe stun turn.example.com
        runbook probe turn -p packets=500
        runbook probe turn --all-transports
        runbook probe turn.capacity --target oslo
        runbook probe turn.pool --target all -p working=2
        runbook probe tls turns:turn.example.com:5349
        runbook probe tls --lab
      """)

  @Argument(
    help: ArgumentHelp("stun, turn, tls, or a module's name: stun.…, turn.…, tls.….", valueName: "probe"),
    completion: .list(ProbeKind.names))
  var kind: String

  @Argument(
    help: ArgumentHelp("The server: turn:turn.example.com:3478?transport=udp, HOST or HOST:PORT.", valueName: "uri"))
  var server: String?

  @Option(
    help: ArgumentHelp("A target of the project; for turn.pool also LABEL=VALUE, or all.", valueName: "name"),
    completion: ProjectCompletion.targets)
  var target: String?

  @Flag(help: "Probe a server of the lab, `lab` or with --target lab-rest; it is started if need be.") var lab = false

  @Option(
    name: [.customShort("p"), .customLong("param")],
    help: ArgumentHelp("An input of the probe, a list with commas; may be repeated.", valueName: "field=value"),
    completion: ProjectCompletion.probeInputs)
  var inputs: [GivenParameter] = []

  @Flag(
    help: """
      Relay over UDP, TCP, TLS and DTLS, and compare them in one table. The exit code is 0 if at least one of them works.
      """)
  var allTransports = false

  @Option(
    help: ArgumentHelp(
      "The port for TLS and DTLS with --all-transports.",
      discussion:
        "Else that of TURN_TLS_SERVER, or of the target's tlsServer, which also name the host; otherwise 5349.",
      valueName: "port"))
  var tlsPort: Int?

  @Option(
    help: ArgumentHelp(
      "How long it may take, each transport of --all-transports by itself; else what the module declares.",
      valueName: "duration"))
  var timeout: String?

  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    if let timeout, (parseDuration(timeout) ?? .zero) <= .zero {
      throw ValidationError("--timeout takes a duration with its unit, such as 10s; found \"\(timeout)\"")
    }
    if server != nil, target != nil { throw ValidationError("give a URI or --target, not both") }
    if server != nil, lab { throw ValidationError("give a URI or --lab, not both") }
    if let tlsPort, !(1...65_535).contains(tlsPort) {
      throw ValidationError("--tls-port takes a port from 1 to 65535; found \(tlsPort)")
    }
    if tlsPort != nil, !allTransports { throw ValidationError("--tls-port goes with --all-transports") }
    try GivenParameter.refuseRepetition(in: inputs)
    if allTransports, kind != "turn" { throw ValidationError("--all-transports goes with: runbook probe turn") }
  }

  package func run() async throws {
    let kind = try ProbeKind(named: kind)
    let given = try givenInputs(of: kind)
    guard lab else {
      let project = try options.loadIfThere()
      let servers = try ProbedServers(
        uri: server, target: target, scheme: kind.scheme, project: project, options: options)
      return try await probe(kind, servers, given, in: project, EndingSignals())
    }
    let project = try options.load(isLab: true)
    let signals = EndingSignals()
    try await Lab(folder: project.labFolder).whileUp(signals) { state in
      try await probe(kind, try ProbedServers(lab: state, target: target), given, in: project, signals)
    }
  }

  private func probe(
    _ kind: ProbeKind, _ servers: ProbedServers, _ given: [Value.Member], in project: Project?,
    _ signals: EndingSignals
  ) async throws {
    let services = Services(history: project?.ledger ?? Ledger([]))
    let session = ProbeSession(services: services, signals: signals, version: runbookVersion)
    let status: ExitStatus
    if allTransports {
      let comparison = try await compareTransports(kind, servers, given, session, signals)
      Terminal.standardOutput.write(comparison.text(format))
      status = ExitStatus(comparison.outcome, signal: signals.first)
    } else {
      let report = try await report(of: kind, try input(kind, servers, given), title: kind.module.name, session)
      Terminal.standardOutput.write(report.text(format))
      let result = report.result
      status = result.isStarted ? ExitStatus(result.outcome, signal: signals.first) : .invalid
    }
    guard status == .passed else { throw CommandFailure(status) }
  }

  /// Probes; where a person watches, a line tells what goes on.
  private func report(
    of kind: ProbeKind, _ input: Value, title: String, _ session: ProbeSession
  ) async throws -> ProbeReport {
    let display = LiveDisplay(.standardError, .lineOnly)
    let result = try await display.whileShown {
      try await session.run(
        kind.module, input, title: title,
        timeout: timeout.flatMap { parseDuration($0) } ?? kind.module.deadline,
        watch: {
          DebugLog.shared.tell($0)
          display.show($0.notice)
        })
    }
    return ProbeReport(module: kind.module, result: result)
  }

  /// The module's input: its server or servers, and what was given by name.
  private func input(_ kind: ProbeKind, _ servers: ProbedServers, _ given: [Value.Member]) throws -> Value {
    var members = given
    if kind.module.input["server"] != nil {
      members.append(.init("server", TURNServer.record.encode(try servers.single())))
    } else if kind.module.input["servers"] != nil {
      members.append(.init("servers", .list(try servers.all().map(TURNServer.record.encode))))
    }
    do { return .members(try kind.module.input.admit(members)) } catch {
      throw CommandFailure(.invalid, "\(error.path): \(error.message)")
    }
  }

  /// What was given by name.
  private func givenInputs(of kind: ProbeKind) throws -> [Value.Member] {
    var members: [Value.Member] = []
    for given in inputs {
      guard let field = kind.inputs.first(where: { $0.name == given.name }) else { throw unknownInput(given, kind) }
      do {
        let value = try Self.parse(given.value, as: field.type)
        try field.checkBounds(value)
        members.append(.init(field.name, value))
      } catch {
        throw CommandFailure(.invalid, "-p \(given.name): \(error.message)")
      }
    }
    return members
  }

  private func unknownInput(_ given: GivenParameter, _ kind: ProbeKind) -> CommandFailure {
    let module = kind.module.name
    guard kind.module.input[given.name] == nil else {
      return CommandFailure(
        .invalid, "-p does not give \(module) its \(given.name)",
        advice: given.name == "servers"
          ? "choose targets of the project: runbook probe \(module) --target all, or --target LABEL=VALUE"
          : "name it behind the probe, or choose a target of the project with --target")
    }
    let names = kind.inputs.map(\.name)
    let hint =
      nearName(to: given.name, among: names).map { "did you mean \($0)?" }
      ?? (names.isEmpty ? "it has none" : "it has \(names.joined(separator: ", "))")
    return CommandFailure(
      .invalid, "\(module) has no input \"\(given.name)\"",
      advice: "\(hint)\nrunbook modules \(module) tells what each is for")
  }

  /// A list is written with commas.
  private static func parse(_ text: String, as type: ValueType) throws(Mismatch) -> Value {
    switch type {
    case .optional(let wrapped): return try parse(text, as: wrapped)
    case .list(let element):
      var elements: [Value] = []
      for part in text.split(separator: ",") { elements.append(try element.parse(String(part))) }
      return .list(elements)
    default: return try type.parse(text)
    }
  }

  /// One transport after the other, so that none takes from another's figures; after a signal no further one.
  private func compareTransports(
    _ kind: ProbeKind, _ servers: ProbedServers, _ given: [Value.Member], _ session: ProbeSession,
    _ signals: EndingSignals
  ) async throws -> TransportComparison {
    var comparison = TransportComparison()
    let variants = try TransportComparison.variants(of: try servers.single(), tlsPort: tlsPort)
    for (transport, variant) in variants where signals.first == nil {
      let input = try input(kind, ProbedServers(servers: [variant]), given)
      comparison.add(
        transport, try await report(of: kind, input, title: "\(kind.module.name) over \(transport)", session))
    }
    return comparison
  }
}
