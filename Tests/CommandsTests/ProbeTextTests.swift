import Lab
import Processes
import Schema
import TestSupport
import Testing

/// What a probe by hand prints for people, and what it says of a question wrongly put.
@Suite struct ProbeTextTests {
  /// Words of the line that begins with a word, spaces aside.
  private func words(_ text: String, _ first: String) -> [String]? {
    text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }.first { $0.first == first }
  }

  @Test("Fields stand in a line each, lists of records in tables, lists of words with commas, figures with their units")
  func output() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let tls = try await project.runbook(
      "probe", "tls", "127.0.0.1:\(try #require(coturn.tlsPort))", environment: coturn.environment)
    #expect(tls.status == 0, "\(tls.stdout)")
    #expect(tls.stdout.contains("\nversions\n  version  verdict"), "\(tls.stdout)")
    #expect(words(tls.stdout, "TLSv1.2") == ["TLSv1.2", "accepted", "false"])
    #expect(tls.stdout.contains("\nciphers\n  version  cipher"), "\(tls.stdout)")
    #expect(words(tls.stdout, "legacyVersions") == ["legacyVersions", "none"])
    #expect(!tls.stdout.contains("versions[0]"))

    let amplification = try await project.runbook("probe", "turn.amplification", environment: coturn.environment)
    #expect(words(amplification.stdout, "method") == ["method", "request", "responses", "response", "factor"])
    #expect(words(amplification.stdout, "Binding")?[1] == "20B")

    let allocate = try await project.runbook("probe", "turn.allocate", environment: coturn.environment)
    #expect(words(allocate.stdout, "relayAddresses") == ["relayAddresses", "127.0.0.1"])
    #expect(words(allocate.stdout, "lifetime") == ["lifetime", "10m00s"])
  }

  @Test("A list is given with commas, and a word of it that is none is refused")
  func lists() async throws {
    let coturn = try await Coturn.start { $0.directives = ["denied-peer-ip=0.0.0.0-255.255.255.255"] }
    let project = try CommandLineProject()
    let denied = try await project.runbook(
      "probe", "turn.openRelay", "-p", "allowed=relay,server", environment: coturn.environment)
    #expect(denied.status == 0, "\(denied.stdout)\(denied.stderr)")
    #expect(words(denied.stdout, "loopback") == ["loopback", "127.0.0.1", "false", "403", "false"])
    let mistyped = try await project.runbook("probe", "turn.openRelay", "turn:127.0.0.1:1", "-p", "allowed=relay,serve")
    #expect(mistyped.status == 2)
    #expect(mistyped.stderr.contains("found \"serve\""), "\(mistyped.stderr)")
  }

  @Test("Transports that do not work are explained below the table, each with what to look at")
  func comparison() async throws {
    let coturn = try await Coturn.start { $0.tls = nil }
    let output = try await CommandLineProject().runbook(
      "probe", "turn", "--all-transports", "-p", "packets=5", "--tls-port", "1",
      environment: coturn.environment)
    #expect(output.status == 0, "\(output.stdout)")
    #expect(words(output.stdout, "udp")?[1] == "pass")
    let explanations = output.stdout.split(separator: "\n\n").dropFirst().map(String.init)
    #expect(explanations.map { $0.prefix(5) } == ["tls  ", "dtls "], "\(output.stdout)")
    for text in explanations { #expect(text.split(separator: "\n").count == 2, "\(text)") }
  }

  @Test("A comparison fails only where no transport works, and its help says so")
  func nothingWorks() async throws {
    let project = try CommandLineProject()
    let output = try await project.runbook("probe", "turn", "127.0.0.1:1", "--all-transports", "--tls-port", "1")
    #expect(output.status == 1, "\(output.stdout)")
    for transport in ["udp", "tcp", "tls", "dtls"] { #expect(words(output.stdout, transport)?[1] == "fail") }
    let help = try await project.runbook("probe", "--help").stdout.split(whereSeparator: \.isWhitespace)
    #expect(help.joined(separator: " ").contains("The exit code is 0 if at least one of them works."))
  }

  @Test("Of the many ciphers those are shown that are accepted, the others counted")
  func longList() async throws {
    let coturn = try await Coturn.start()
    let output = try await CommandLineProject().runbook(
      "probe", "tls", "127.0.0.1:\(try #require(coturn.tlsPort))", environment: coturn.environment)
    let parts = output.stdout.split(separator: "\n\n").map { $0.split(separator: "\n") }
    let ciphers = try #require(parts.first { $0.first == "ciphers" }, "\(output.stdout)")
    #expect(ciphers.count > 3)
    #expect(ciphers.dropFirst(2).dropLast().allSatisfy { $0.contains(" accepted ") }, "\(output.stdout)")
    #expect(ciphers.last?.contains(/^  \d+ refused, \d+ untestable: not shown, --format json has all$/) == true)
    let versions = try #require(parts.first { $0.first == "versions" }, "\(output.stdout)")
    #expect(versions.count == 6, "a short list is whole")
  }

  @Test(
    "A comparison asks over TLS what TURN_TLS_SERVER names, in .env too, however its host is written",
    arguments: [("127.0.0.1", ["pass"]), ("localhost", ["pass", "warn"]), ("127.0.0.2", ["fail"])])
  func secureServer(host: String, outcomes: [String]) async throws {
    let coturn = try await Coturn.start()
    let port = try #require(coturn.tlsPort)
    let project = try CommandLineProject()
    try project.write(".env", "TURN_TLS_SERVER=turns:\(host):\(port)\n")
    // Naming the server of the environment changes nothing.
    for server in [[], ["127.0.0.1:\(coturn.port)"]] {
      let output = try await project.runbook(
        ["probe", "turn"] + server + ["--all-transports", "-p", "packets=5"], environment: coturn.environment)
      for transport in ["udp", "tcp"] { #expect(words(output.stdout, transport)?[1] == "pass", "\(output.stdout)") }
      for transport in ["tls", "dtls"] {
        #expect(outcomes.contains(words(output.stdout, transport)?[1] ?? "none"), "\(output.stdout)")
      }
      // Where it fails, it is the declared server that is told of.
      #expect(output.stdout.contains("127.0.0.2:\(port)") == (host == "127.0.0.2"), "\(output.stdout)")
    }
  }

  @Test("A URI of another host is not asked over TLS at what TURN_TLS_SERVER names for that of TURN_SERVER")
  func secureServerOfAnother() async throws {
    let coturn = try await Coturn.start()
    let tls = ["TURN_TLS_SERVER": "turns:127.0.0.1:\(try #require(coturn.tlsPort))"]
    let output = try await CommandLineProject().runbook(
      ["probe", "turn", "127.0.0.2:1", "--all-transports", "-p", "packets=5"],
      environment: coturn.environment.merging(tls) { $1 })
    #expect(output.status == 1, "\(output.stdout)")
    #expect(output.stdout.contains("127.0.0.2:5349") && !output.stdout.contains("127.0.0.1"), "\(output.stdout)")
  }

  @Test(
    "What cannot be meant is refused, with what is wrong in it",
    arguments: [
      (["stun", "stun:127.0.0.1:1?transport=tcp"], "only behind turn: and turns:"),
      (["turn", "turn.example.com:99999"], "the port is not from 1 to 65535"),
      (["turn", "127.0.0.1:1", "-p", "packets=2", "-p", "packets=7"], "-p packets is given more than once"),
      (["turn", "127.0.0.1:1", "--tls-port", "5349"], "--tls-port goes with --all-transports"),
    ])
  func refusals(arguments: [String], reason: String) async throws {
    let output = try await CommandLineProject().runbook(["probe"] + arguments, environment: [:])
    #expect(output.status == 2)
    #expect(output.stderr.contains(reason), "\(output.stderr)")
  }

  @Test("A server that demands credentials where none are set says where to set them")
  func credentialsMissing() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    for probe in ["turn", "turn.credentials"] {
      let output = try await project.runbook("probe", probe, "127.0.0.1:\(coturn.port)")
      #expect(output.status == (probe == "turn" ? 1 : 2), "\(probe): \(output.stdout)")
      #expect(output.stdout.contains("TURN_USERNAME and TURN_CREDENTIAL, or TURN_SECRET"), "\(output.stdout)")
    }
  }

  @Test("Without a project .env of the working folder is read, and its problems are told where they stand")
  func withoutProject() async throws {
    let coturn = try await Coturn.start()
    let folder = try TemporaryFolder()
    let executable = try CommandLineProject().command([]).executable
    func probe() async throws -> (status: Int32, text: String) {
      var command = Command(executable, ["probe", "turn.allocate"])
      command.directory = folder.path
      let result = try await command.run()
      guard case .exited(let status) = result.ending else { return (-1, "") }
      return (status, result.standardOutput.text + result.standardError.text)
    }
    try folder.write(
      "TURN_SERVER=turn:127.0.0.1:\(coturn.port)\nTURN_USERNAME=\(Coturn.username)\n"
        + "TURN_CREDENTIAL=\(Coturn.credential)\n", to: ".env", mode: 0o600)
    let good = try await probe()
    #expect(good.status == 0, "\(good.text)")
    #expect(!good.text.contains("warning"), "\(good.text)")
    try folder.write(folder.read(".env"), to: ".env", mode: 0o644)
    #expect(try await probe().text.contains(".env, which holds TURN_CREDENTIAL"))
    try folder.write("TURN_SERVER=turn:127.0.0.1:1\nTURN_CA=none.pem\n", to: ".env", mode: 0o600)
    let bad = try await probe()
    #expect(bad.status == 2)
    #expect(bad.text.contains(".env:2:1: error: the CA of the target"), "\(bad.text)")
  }

  @Test("A project that RUNBOOK_PROJECT names and that is none is an error, not passed over")
  func namedProject() async throws {
    let output = try await CommandLineProject().runbook(
      "probe", "stun", "turn:127.0.0.1:1", environment: ["RUNBOOK_PROJECT": "/nowhere"])
    #expect(output.status == 2, "\(output.stdout)")
    #expect(output.stderr.contains("RUNBOOK_PROJECT names /nowhere, which is no folder"), "\(output.stderr)")
  }

  @Test(
    "What cannot be is refused before anything is sent, with what to write",
    arguments: [
      (["--all-transports", "--tls-port", "70000"], "from 1 to 65535"), (["-p", "packets=0"], "must lie from 1 to"),
      (["-p", "pakets=5"], "runbook modules turn.relay"), (["--target", "oslo"], "there is no target \"oslo\""),
    ])
  func refused(arguments: [String], hint: String) async throws {
    let project = try CommandLineProject()
    try project.write("runbook.yaml", "project: test\ntargets:\n  fra: {server: \"turn:127.0.0.1:1\"}\n")
    let output = project.output(of: try await project.command(["probe", "turn"] + arguments).run())
    #expect(output.status == 2, "\(output.stdout)")
    #expect(output.stderr.contains(hint), "\(output.stderr)")
  }
}
