package import ArgumentParser
import Journal
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
      The probe is stun (address and round trips), turn (media relayed through two allocations), tls (versions and \
      ciphers), or any module about servers by its name; `runbook modules` lists them, and -p gives their inputs.

      Without a URI the server is TURN_SERVER of the environment or of .env, or a target of the project. User name and \
      password are TURN_USERNAME and TURN_CREDENTIAL; TURN_SECRET in their place makes REST credentials; TURN_REALM is the \
      realm that the server should announce; TURN_CA is a file of certificates to trust, TURN_CERT and TURN_KEY a \
      certificate of your own. Secrets never stand in the arguments.

      What a probe takes with -p, and what it puts out, is told by: runbook modules turn.relay

        runbook probe stun turn.example.com
        runbook probe turn -p packets=500
        runbook probe turn --all-transports
        runbook probe turn.capacity --target oslo
        runbook lab exec -- runbook probe tls
      """)

  @Argument(
    help: ArgumentHelp("stun, turn, tls, or a module's name.", valueName: "probe"),
    completion: .list(ProbeKind.names))
  var kind: String

  @Argument(
    help: ArgumentHelp("The server: turn:turn.example.com:3478?transport=udp, HOST or HOST:PORT.", valueName: "uri"))
  var server: String?

  @Option(help: ArgumentHelp("A target of the project.", valueName: "name")) var target: String?

  @Option(
    name: [.customShort("p"), .customLong("param")],
    help: ArgumentHelp("An input of the probe, a list with commas; may be repeated.", valueName: "field=value"))
  var inputs: [GivenParameter] = []

  @Flag(help: "Relay over UDP, TCP, TLS and DTLS, and compare them in one table.") var allTransports = false

  @Option(help: ArgumentHelp("The port for TLS and DTLS with --all-transports; 5349 if not given.", valueName: "port"))
  var tlsPort: Int?

  @Option(help: ArgumentHelp("How long it may take; else what the module declares.", valueName: "duration"))
  var timeout: String?

  @Option(help: "text or json.") var format: ReportFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    if let timeout, (parseDuration(timeout) ?? .zero) <= .zero {
      throw ValidationError("--timeout takes a duration with its unit, such as 10s; found \"\(timeout)\"")
    }
    if server != nil, target != nil { throw ValidationError("give a URI or --target, not both") }
    if let tlsPort, !(1...65_535).contains(tlsPort) {
      throw ValidationError("--tls-port takes a port from 1 to 65535; found \(tlsPort)")
    }
    if tlsPort != nil, !allTransports { throw ValidationError("--tls-port goes with --all-transports") }
    try GivenParameter.refuseRepetition(in: inputs)
    if allTransports, kind != "turn" { throw ValidationError("--all-transports goes with: runbook probe turn") }
  }

  package func run() async throws {
    let kind = try ProbeKind(named: kind)
    let servers = try ProbedServers(uri: server, target: target, scheme: kind.scheme, options: options)
    let signals = EndingSignals()
    let status: ExitStatus
    if allTransports {
      let comparison = try await compareTransports(kind, servers, signals)
      Terminal.standardOutput.write(comparison.text(format))
      status = ExitStatus(comparison.outcome, signal: signals.first)
    } else {
      let attempt = await ProbeAttempt(
        kind.module, try input(kind, servers), deadline: deadline(kind), signals: signals)
      Terminal.standardOutput.write(attempt.text(format))
      status = attempt.isStarted ? ExitStatus(attempt.outcome, signal: signals.first) : .invalid
    }
    guard status == .passed else { throw CommandFailure(status) }
  }

  private func deadline(_ kind: ProbeKind) -> Duration { timeout.flatMap { parseDuration($0) } ?? kind.module.deadline }

  /// The module's input: its server or servers, and what was given by name.
  private func input(_ kind: ProbeKind, _ servers: ProbedServers) throws -> Value {
    var members: [Value.Member] = []
    if kind.module.input["server"] != nil {
      members.append(.init("server", TURNServer.record.encode(try servers.single())))
    } else if kind.module.input["servers"] != nil {
      members.append(.init("servers", .list(try servers.all().map(TURNServer.record.encode))))
    }
    let fields = kind.module.input.fields.filter { !["server", "servers"].contains($0.name) }
    for given in inputs {
      guard let field = fields.first(where: { $0.name == given.name }) else {
        let names = fields.map(\.name)
        let hint =
          nearName(to: given.name, among: names).map { "did you mean \($0)?" }
          ?? "it has \(names.joined(separator: ", "))"
        throw CommandFailure(
          .invalid,
          "\(kind.module.name) has no input \"\(given.name)\"",
          advice: "\(hint)\nrunbook modules \(kind.module.name) tells what each is for")
      }
      do { members.append(.init(field.name, try Self.parse(given.value, as: field.type))) } catch {
        throw CommandFailure(.invalid, "-p \(given.name): \(error.message)")
      }
    }
    do { return .members(try kind.module.input.admit(members)) } catch {
      throw CommandFailure(.invalid, "\(error.path): \(error.message)")
    }
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
    _ kind: ProbeKind, _ servers: ProbedServers, _ signals: EndingSignals
  ) async throws -> TransportComparison {
    var comparison = TransportComparison()
    let variants = try TransportComparison.variants(
      of: try servers.single(), tlsPort: tlsPort, secureURI: servers.secureURI)
    for (transport, variant) in variants where signals.first == nil {
      let attempt = await ProbeAttempt(
        kind.module, try input(kind, ProbedServers(servers: [variant])), deadline: deadline(kind),
        title: "\(kind.module.name) over \(transport)", signals: signals)
      comparison.add(transport, attempt)
    }
    return comparison
  }
}

/// What is probed, by the name that people give it.
private struct ProbeKind {
  let module: AnyStepModule
  /// Of a URI that names none.
  let scheme: String

  private static let short = ["stun": "stun.binding", "turn": "turn.relay", "tls": "tls.handshake"]

  static var names: [String] {
    ["stun", "turn", "tls"] + Catalog.standard.names.filter(isAboutServers)
  }

  private static func isAboutServers(_ name: String) -> Bool {
    ["stun.", "turn.", "tls."].contains { name.hasPrefix($0) }
  }

  init(named name: String) throws {
    let full = Self.short[name] ?? name
    guard Self.isAboutServers(full), let module = Catalog.standard[full] else {
      let hint =
        nearName(to: name, among: Self.names).map { "did you mean \($0)?" } ?? Self.names.joined(separator: ", ")
      throw CommandFailure(.invalid, "there is no probe \"\(name)\"", advice: hint)
    }
    self.module = module
    scheme = full.hasPrefix("stun.") ? "stun" : full.hasPrefix("tls.") ? "turns" : "turn"
  }
}
