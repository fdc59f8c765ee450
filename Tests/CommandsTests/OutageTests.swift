import Foundation
import Glibc
import Lab
import Processes
import Schema
import TestSupport
import Testing

/// Outages of a real server, played and repaired by `p1-outage`.
@Suite(.serialized) struct OutageTests {
  private let project: CommandLineProject

  init() throws { project = try CommandLineProject() }

  private static let repairs = ["start", "restart", "agree", "endOthers", "reload"]

  private func arguments(_ coturn: Coturn) -> [String] {
    [
      "run", "p1-outage", "--format", "json", "-p", "pidFile=\(coturn.directory)/turnserver.pid", "-p",
      "command=[turnserver, -c, \(coturn.directory)/turnserver.conf]", "-p", "directory=\(coturn.directory)", "-p",
      "configuration=\(coturn.directory)/turnserver.conf", "-p", "watch=500ms",
    ]
  }

  private func respond(
    to coturn: Coturn, _ more: String..., environment: [String: String] = [:]
  ) async throws -> (status: Int32, report: JSON) {
    let output = try await project.runbook(
      arguments(coturn) + more, environment: coturn.environment.merging(environment) { _, new in new })
    try #require([0, 1, 3, 5].contains(output.status), "\(output.stdout)\(output.stderr)")
    return (output.status, try output.json)
  }

  private func outcome(_ report: JSON, _ step: String) -> String? { report.step(step)?["outcome"]?.string }

  /// That of all repairs the given ones alone were done.
  private func expectRepairs(_ report: JSON, _ done: String...) {
    for repair in Self.repairs {
      let came = outcome(report, "repair/\(repair)")
      if done.contains(repair) {
        #expect(came == "pass", "\(repair): \(report)")
      } else {
        #expect(came == nil || came == "skipped", "\(repair): \(report)")
      }
    }
  }

  private func cause(_ report: JSON) -> String? { report.step("assess/cause")?["output"]?["cause"]?.string }

  private func hypothesis(_ report: JSON, _ when: String) -> String? {
    report["hypothesis"]?.array?.first { $0["stage"]?.string == when }?["outcome"]?.string
  }

  /// That the service failed before and passed after, and that exactly one process has its port now.
  private func expectRecovery(_ coturn: Coturn, _ response: (status: Int32, report: JSON), by repair: String) {
    #expect(response.status == 0, "\(response.report)")
    #expect(hypothesis(response.report, "before") == "fail", "\(response.report["hypothesis"] as Any)")
    #expect(hypothesis(response.report, "after") == "pass", "\(response.report["hypothesis"] as Any)")
    expectRepairs(response.report, repair)
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).count == 1)
  }

  private func waitUntilGone(_ pid: Int32) async throws {
    for _ in 0..<400 {
      let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .isoLatin1)
      if line?.split(separator: ")").last?.first(where: { $0 != " " }).map({ "ZX".contains($0) }) ?? true { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("process \(pid) is still there")
  }

  @Test("A killed server is started again, and nothing else is done")
  func killed() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    let response = try await respond(to: coturn)
    expectRecovery(coturn, response, by: "start")
    let incident = response.report["incident"]
    #expect(
      incident?["seen"] == ["before:service/sources"] && incident?["done"] == ["repair/start"], "\(incident as Any)")
    #expect(incident?["restoredAfterMs"] != nil && incident?["restoredAfterMs"] != .null, "\(incident as Any)")
    let text = try await project.runbook("report", "last").stdout
    for line in [
      #"seen .*none of 20 source ports got an answer"#, #"done .*\(repair/start\): by \S+, pass"#,
      #"verified .*Exactly one process has the port: pass"#, #"restored +after [0-9.]+s"#,
    ] {
      #expect(text.replacing(#/\n {10,}/#, with: " ").contains(try Regex(line)), "\(line): \(text)")
    }
  }

  @Test("A server of systemd is left to systemd: if that cannot restart it the run fails, and starts nothing itself")
  func unit() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    let (status, report) = try await respond(to: coturn, "-p", "unit=runbook-test-absent.service")
    #expect(status == 1, "\(report)")
    expectRepairs(report)
    #expect(outcome(report, "repair/restartUnit") == "fail", "\(report)")
    let text = try await project.runbook("report", "last").stdout
    #expect(text.contains(#/\n  tried +20/#) && !text.contains(#/\n  done +20/#), "\(text)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).isEmpty)
  }

  @Test("A hung server is restarted, and nothing else is done")
  func hung() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGSTOP)
    expectRecovery(coturn, try await respond(to: coturn), by: "restart")
  }

  @Test("A server that is well is left alone")
  func well() async throws {
    let coturn = try await Coturn.start()
    let (status, report) = try await respond(to: coturn)
    #expect(status == 0, "\(report)")
    expectRepairs(report)
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid) == [coturn.pid])
    #expect(cause(report) == "none" && report["incident"] == .null, "\(report)")
    let text = try await project.runbook("report", "last").stdout
    for line in [
      #"seen .*The server serves whoever comes: nothing is wrong"#, #"done +nothing was changed"#,
      #"verified .*Exactly one process has the port: pass"#, #"pass +cause .* cause none"#,
    ] {
      #expect(text.replacing(#/\n {10,}/#, with: " ").contains(try Regex(line)), "\(line): \(text)")
    }
  }

  @Test("A switch with a trailing comment ends the server: the run names the line, and starts nothing")
  func trailingComment() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    try coturn.configure { $0 + "no-multicast-peers # later\n" }
    let (status, report) = try await respond(to: coturn)
    #expect(status == 1)
    expectRepairs(report)
    let line = try String(contentsOfFile: "\(coturn.directory)/turnserver.conf", encoding: .utf8).split(separator: "\n")
      .count
    #expect(report.text().contains("keeps the server from starting"), "\(report)")
    #expect(report.text().contains("line \(line): "), "\(report)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).isEmpty)
    // Corrected, the same run repairs it.
    try coturn.configure { $0.replacing(" # later", with: "") }
    expectRecovery(coturn, try await respond(to: coturn), by: "start")
  }

  @Test(
    "TLS of which no client gets anything is told, with what the configuration says of it, and the server is not restarted",
    arguments: [
      (["cipher-list=NONSENSE"], "no client can connect by TLS"), (["cipher-list=NULL-MD5"], "NULL-MD5"),
      (["pkey=/nonexistent.key"], "pkey cannot be looked at: /nonexistent.key"),
      (["no-tls", "no-dtls"], "Look at no-tls, tls-listening-port"),
    ])
  func brokenTLS(directives: [String], told: String) async throws {
    let hasListener = directives[0].hasPrefix("cipher-list")
    let coturn = try await Coturn.start { settings in
      // Nobody waits for a TLS port that does not open.
      if !hasListener { settings.tls = nil }
      let text = settings.configuration.split(separator: "\n").filter { !["no-tls", "no-dtls"].contains($0) }
      let keys = ["cert=server.pem", "pkey=server-key.pem"].filter { key in
        !hasListener && !directives.contains { $0.hasPrefix(key.prefix(5)) }
      }
      settings.text = (text.map(String.init) + keys + directives + [""]).joined(separator: "\n")
    }
    let port = hasListener ? try #require(coturn.tlsPort) : try Self.closedPort()
    if !hasListener { try coturn.configure { $0 + "tls-listening-port=\(port)\n" } }
    let tls = ["TURN_TLS_SERVER": "turns:127.0.0.1:\(port)"]
    let (status, report) = try await respond(to: coturn, environment: tls)
    #expect(status == 1 && cause(report) == "tlsBroken", "\(report)")
    expectRepairs(report)
    let meaning = report.step("assess/cause")?["expectations"]?.array?.compactMap { $0["message"]?.string } ?? []
    #expect(meaning.contains { $0.contains("no TLS client gets through") && $0.contains(told) }, "\(meaning)")
    #expect(hypothesis(report, "before") == "fail", "\(report)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid) == [coturn.pid])
    let daily = try await project.runbook(
      ["run", "daily-health", "--format", "json", "-p", "packets=5"],
      environment: coturn.environment.merging(tls) { _, new in new })
    #expect(try daily.status == 1 && outcome(daily.json, "now/tls") == "fail", "\(daily.stdout)")
    #expect(try outcome(daily.json, "now/turn") == "pass", "\(daily.stdout)")
  }

  /// A port at which nobody listened a moment ago.
  private static func closedPort() throws -> UInt16 {
    let server = try DatagramServer { _ in nil }
    defer { server.close() }
    return server.port
  }

  @Test("A server that was started and listens elsewhere is not proved, and the line that says so is named")
  func wrongPort() async throws {
    let coturn = try await Coturn.start { $0.tls = nil }
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    // It listens at 3478 then, and it is this host's only one there.
    try coturn.configure { $0.replacing("listening-port=\(coturn.port)", with: "listening-port=abc") }
    let text = try String(contentsOfFile: "\(coturn.directory)/turnserver.conf", encoding: .utf8)
    let line = try #require(text.split(separator: "\n").firstIndex(of: "listening-port=abc")) + 1
    let (status, report) = try await respond(to: coturn)
    #expect(status == 1, "\(report)")
    expectRepairs(report, "start")
    #expect(outcome(report, "verify/answers") == "fail", "\(report)")
    let found = report.step("verify/configuration")?["error"]?["message"]?.string ?? ""
    #expect(found.contains("\(line): The value of listening-port is no port"), "\(found)")
  }

  @Test("A second server of the same user is ended only after a person agreed, and the first goes on")
  func secondServer() async throws {
    let coturn = try await Coturn.start()
    var command = Command(
      "turnserver", ["-c", "\(coturn.directory)/turnserver.conf", "--pidfile", "second.pid"])
    command.directory = coturn.directory
    let second = try command.startDetached(log: "/dev/null")
    defer { _ = second.end(grace: .zero) }
    let sockets = "/proc/net/udp"
    for _ in 0..<400 where try listeners(sockets, coturn.port) < 2 { try await Task.sleep(for: .milliseconds(20)) }
    second.signal(SIGSTOP)
    async let answer: Void = project.agree("repair/agree", run: 1)
    let response = try await respond(to: coturn)
    try await answer
    #expect(response.status == 0, "\(response.report)")
    #expect(hypothesis(response.report, "before") == "fail" && hypothesis(response.report, "after") == "pass")
    expectRepairs(response.report, "agree", "endOthers")
    let text = try await project.runbook("report", "last").stdout
    #expect(text.contains(#/\n  asked +20/#) && text.contains(#/\n  done +20/#), "\(text)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid) == [coturn.pid])
  }

  /// How many processes listen at a port, by sockets of their own; a server opens one for each of its threads.
  private func listeners(_ path: String, _ port: UInt16) throws -> Int {
    let hex = String(port, radix: 16, uppercase: true)
    let wanted = ":" + String(repeating: "0", count: 4 - hex.count) + hex
    let owners = ProcessIdentity.running("turnserver", in: "/").map(\.pid)
    let inodes = Set(
      try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").dropFirst().compactMap {
        line -> String? in
        let words = line.split(separator: " ")
        return words.count > 9 && words[1].hasSuffix(wanted) ? "socket:[\(words[9])]" : nil
      })
    return owners.count { pid in
      let folder = "/proc/\(pid)/fd"
      return ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).contains { name in
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\(name)")).map(inodes.contains) ?? false
      }
    }
  }

  @Test("A port that another user's server has is told with its owner, and nothing is ended")
  func portOfAnotherUser() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    let folder = try TemporaryFolder()
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder.path)
    var command = Command(
      "setpriv",
      [
        "--reuid=65534", "--regid=65534", "--clear-groups", "turnserver", "-n", "--listening-ip=127.0.0.1",
        "--relay-ip=127.0.0.1", "--listening-port=\(coturn.port)", "--no-tls", "--no-dtls", "--no-cli", "--pidfile=p",
        "--lt-cred-mech", "--user=a:b", "--realm=other.example", "--userdb=db", "--log-file=stdout",
      ])
    command.directory = folder.path
    let other = try command.startDetached(log: "/dev/null")
    defer { _ = other.end(grace: .zero) }
    for _ in 0..<400 where try listeners("/proc/net/udp", coturn.port) < 1 {
      try await Task.sleep(for: .milliseconds(20))
    }
    let (status, report) = try await respond(to: coturn)
    #expect(status == 1)
    expectRepairs(report)
    #expect(report.text().contains("turnserver (PID \(other.pid), user nobody)"), "\(report)")
    #expect(other.isRunning)
  }

  @Test("A full quota is told, and nobody's calls are ended")
  func quota() async throws {
    let coturn = try await Coturn.start { $0.userQuota = 2 }
    // It keeps two allocations until it is ended.
    let client = try Command(
      "turnutils_uclient",
      [
        "-u", Coturn.username, "-w", Coturn.credential, "-p", "\(coturn.port)", "-y", "-m", "1", "-n", "1000000",
        "127.0.0.1",
      ]
    ).startDetached(log: "/dev/null")
    defer { _ = client.end(grace: .zero) }
    for _ in 0..<400 where !coturn.log.contains("incoming packet CHANNEL_BIND processed, success") {
      try await Task.sleep(for: .milliseconds(50))
    }
    let (status, report) = try await respond(to: coturn)
    #expect(status == 1)
    expectRepairs(report)
    #expect(report.text().contains("a quota is full"), "\(report)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid) == [coturn.pid])
  }

  @Test("An expired certificate that was renewed is loaded without a restart; one that was not is told")
  func certificate() async throws {
    let chains = try CertificateChains()
    try chains.make("authority", .authority, start: "-40d", days: 100)
    try chains.make("old", .server("IP:127.0.0.1"), by: "authority", start: "-30d", days: 20)
    try chains.make("new", .server("IP:127.0.0.1"), by: "authority")
    let coturn = try await Coturn.start { settings in
      settings.tls = settings.tls.map { ($0.port, .init(chain: chains.file("old.pem"), key: chains.file("old.key"))) }
    }
    let environment = [
      "TURN_TLS_SERVER": "turns:127.0.0.1:\(try #require(coturn.tlsPort))", "TURN_CA": chains.file("authority.pem"),
    ]
    let file = "certificate=\(chains.file("old.pem"))"
    let expired = try await respond(to: coturn, "-p", file, environment: environment)
    #expect(expired.status == 1 && expired.report.text().contains("Renew it"), "\(expired.report)")
    #expect(cause(expired.report) == "certificateInvalid", "\(expired.report)")
    let daily = try await project.runbook(
      ["run", "daily-health", "-p", "packets=5"], environment: coturn.environment.merging(environment) { $1 })
    #expect(daily.status == 1 && daily.stdout.contains("FAIL  now/tls"), "\(daily.stdout)")
    expectRepairs(expired.report)
    for ending in ["pem", "key"] {
      try Data(contentsOf: URL(filePath: chains.file("new.\(ending)"))).write(
        to: URL(filePath: chains.file("old.\(ending)")))
    }
    expectRecovery(coturn, try await respond(to: coturn, "-p", file, environment: environment), by: "reload")
    let served = try await project.runbook(
      ["run", "daily-health", "--format", "json", "-p", "packets=5"],
      environment: coturn.environment.merging(environment) { $1 })
    #expect(try outcome(served.json, "now/tls") == "pass", "\(served.stdout)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid) == [coturn.pid])
  }

  @Test("On another host than the target's nothing is done")
  func otherHost() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        eu: {server: "turn:127.0.0.1:\(coturn.port)", username: alice, credential: {env: TURN_CREDENTIAL}, host: 192.0.2.7}

      """)
    let (status, report) = try await respond(to: coturn, "--target", "eu")
    #expect(status == 1 && report.text().contains("host.otherHost"), "\(report)")
    expectRepairs(report)
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).isEmpty)
  }

  /// Sends the run a signal once the new server is there, and gives that server's number and how the run ended.
  private func signalDuringRestart(_ coturn: Coturn, _ signal: Int32) async throws -> (pid: String, status: Int32) {
    coturn.signal(SIGSTOP)
    let old = try #require(pid(in: coturn))
    async let result = project.command(arguments(coturn), environment: coturn.environment).run()
    for _ in 0..<1200 where [nil, old].contains(pid(in: coturn)) { try await Task.sleep(for: .milliseconds(10)) }
    let new = try #require(pid(in: coturn))
    let folder = try #require(try project.runFolders().last)
    let first = try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8).split(separator: "\n").first
    let run = try JSON(parsing: String(try #require(first)))
    kill(pid_t(try #require(run["pid"]?.int)), signal)
    return (new, project.output(of: try await result).status)
  }

  private func pid(in coturn: Coturn) -> String? {
    let text = try? String(contentsOfFile: "\(coturn.directory)/turnserver.pid", encoding: .utf8)
    return text?.split(separator: "\n").first.map(String.init)
  }

  @Test("A run that is killed in the middle of a restart goes on without another one")
  func killedRun() async throws {
    let coturn = try await Coturn.start()
    let (pid, _) = try await signalDuringRestart(coturn, SIGKILL)
    let resumed = try await project.runbook(["resume", "last"], environment: coturn.environment)
    #expect(resumed.status == 0, "\(resumed.stdout)\(resumed.stderr)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map { "\($0.pid)" } == [pid])
  }

  @Test("A terminal that goes ends nothing, and Ctrl-C in the middle of a restart does not leave the server down")
  func signalledRun() async throws {
    let coturn = try await Coturn.start()
    let (pid, status) = try await signalDuringRestart(coturn, SIGHUP)
    #expect(status == 0)
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).map { "\($0.pid)" } == [pid])
    let other = try await Coturn.start()
    let (second, interrupted) = try await signalDuringRestart(other, SIGINT)
    #expect(interrupted == 130)
    #expect(ProcessIdentity.running("turnserver", in: other.directory).map { "\($0.pid)" } == [second])
  }

  @Test("A start that is not proved is taken back")
  func undone() async throws {
    let coturn = try await Coturn.start()
    coturn.signal(SIGKILL)
    try await waitUntilGone(coturn.pid)
    let file = "\(coturn.directory)/turnserver.pid"
    try project.write(
      "runbooks/unproved.yaml",
      """
      runbook: unproved
      allow: [change]
      rollback: onFailure
      steps:
        - id: start
          use: process.start
          with: {pidFile: "\(file)", command: [turnserver, -c, turnserver.conf], directory: "\(coturn.directory)", settle: 100ms}
          undo:
            - {id: stop, use: process.stop, with: {pidFile: "\(file)", pid: "${steps.start.?output.?pid}"}}
        - {id: proof, use: command.run, effect: observe, with: {command: ["false"]}}

      """)
    let output = try await project.runbook(["run", "unproved", "--format", "json"], environment: [:])
    #expect(output.status == 1, "\(output.stdout)\(output.stderr)")
    let report = try output.json
    #expect(outcome(report, "start") == "pass" && outcome(report, "undo:start/stop") == "pass", "\(report)")
    #expect(ProcessIdentity.running("turnserver", in: coturn.directory).isEmpty)
  }

  @Test("Reviews of a log without verbose warn that it does not tell what was refused")
  func quietLog() async throws {
    let coturn = try await Coturn.start { settings in
      settings.userQuota = 1
      settings.text = settings.configuration.replacing("verbose\n", with: "")
    }
    // Its second allocation is over the quota.
    let client = try await project.runbook(
      ["run", "checks/turn-relay", "--format", "json", "-p", "packets=5"], environment: coturn.environment)
    #expect(client.stdout.contains("turn.quotaReached"), "\(client.stdout)")
    let log = ["-p", "files=[\(coturn.logFile)]"]
    for (name, step, given) in [
      ("weekly-security-review", "log", log), ("daily-log-review", "coturn", log),
      ("p2-error-rate", "investigate/log", ["-p", "log=\(coturn.logFile)"]),
    ] {
      let review = try await project.runbook(
        ["run", name, "--format", "json"] + given, environment: coturn.environment)
      let report = try review.json
      #expect(report.step(step)?["output"]?["refused"]?["quota"] == 0, "\(name): \(report)")
      #expect(outcome(report, step) == "warn", "\(name): \(report)")
      #expect(report.text().contains("a 0 proves nothing. Write verbose into turnserver.conf"), "\(name): \(report)")
    }
  }

  @Test("p2-degradation looks for the owner of the port that the target names, of the lab too; -p port= names another")
  func portOfTarget() async throws {
    let arguments = ["run", "p2-degradation", "--lab", "--format", "json", "-p", "packets=20", "-p", "window=200ms"]
    let lab = try await project.runbook(arguments, environment: [:]).json
    for step in ["investigate/resources/udp", "investigate/resources/tcp"] {
      #expect(outcome(lab, step) == "pass", "\(step): \(lab)")
    }
    let other = try freePort()
    let elsewhere = try await project.runbook(arguments + ["-p", "port=\(other)"], environment: [:]).json
    #expect(outcome(elsewhere, "investigate/resources/udp") == "fail", "\(elsewhere)")
    #expect(elsewhere.text().contains("nobody has port \(other)"), "\(elsewhere)")
  }

  @Test("The runbooks for errors, slowness and updates find a server that is well as it is")
  func others() async throws {
    let coturn = try await Coturn.start()
    let rate = try await project.runbook(
      ["run", "p2-error-rate", "--format", "json", "-p", "log=\(coturn.logFile)"], environment: coturn.environment)
    #expect(rate.status == 0, "\(rate.stdout)\(rate.stderr)")
    let refused = try await project.runbook(
      ["run", "p2-error-rate", "--format", "json", "-p", "log=\(coturn.logFile)", "-p", "minSuccess=99%"],
      environment: coturn.environment.merging(["TURN_CREDENTIAL": "wrong-horse"]) { _, new in new })
    #expect(refused.status == 1, "\(refused.stdout)")
    #expect(try refused.json.text().contains(#/Only [0-9]+\.[0-9] % of the log-ins/#), "\(refused.stdout)")
    // What fails for us does not keep it from looking whom else it fails for.
    #expect(try refused.json.text().contains("Refused, by user: alice "), "\(refused.stdout)")
    let slow = try await project.runbook(
      [
        "run", "p2-degradation", "--format", "json", "-p", "packets=20", "-p", "window=200ms",
      ],
      environment: coturn.environment)
    let report = try slow.json
    for step in [
      "before:sources", "before:relay", "investigate/host", "investigate/resources/udp", "investigate/resources/tcp",
      "verify/answers",
    ] {
      #expect(["pass", "warn"].contains(outcome(report, step)), "\(step): \(report)")
    }
    let update = try await project.runbook(
      ["run", "monthly-update-check", "--format", "json"], environment: coturn.environment)
    #expect(outcome(try update.json, "installed").map { ["pass", "warn"].contains($0) } == true, "\(update.stdout)")
  }
}
