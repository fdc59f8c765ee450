import Foundation
import Glibc
import Lab
import Processes
import Schema
import TestSupport
import Testing

/// The runbook `quarterly-failover-test` of this repository as a whole, on two real servers.
@Suite(.serialized) struct FailoverTests {
  private static let stops = ["stopProcess", "stopContainer", "stopUnit"]

  private static let start = ["run", "quarterly-failover-test", "--format", "json", "-p", "backup=127.0.0.1"]

  private let project: CommandLineProject

  init() throws { project = try CommandLineProject() }

  private func arguments(_ primary: Coturn, backup port: UInt16, _ more: [String] = []) -> [String] {
    [
      "-p", "port=\(port)", "-p", "pidFile=\(primary.directory)/turnserver.pid", "-p",
      "command=[turnserver, -c, \(primary.directory)/turnserver.conf]", "-p", "directory=\(primary.directory)",
    ] + more
  }

  /// Answers the question once it waits, or until the run has ended without it.
  private func answer(_ options: [String]) async throws {
    for _ in 0..<300 where !Task.isCancelled {
      let arguments = ["approve", "1", "agree", "--reason", "failover of a test"] + options
      if try await project.runbook(arguments, environment: [:]).status == 0 { return }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  /// The whole run; `meanwhile` is done beside it.
  private func failOver(
    _ primary: Coturn, to port: UInt16, _ more: String..., answering options: [String] = [],
    meanwhile: (@Sendable () async throws -> Void)? = nil
  ) async throws -> (status: Int32, report: JSON) {
    let answering = Task { try await answer(options) }
    defer { answering.cancel() }
    async let ran = project.runbook(
      Self.start + arguments(primary, backup: port, more), environment: primary.environment)
    try await meanwhile?()
    let output = try await ran
    return (output.status, try #require(try? output.json, "\(output)"))
  }

  private func outcome(_ report: JSON, _ step: String) -> String? { report.step(step)?["outcome"]?.string }

  private func servers(_ coturn: Coturn) -> [Int32] {
    ProcessIdentity.running("turnserver", in: coturn.directory).map(\.pid)
  }

  /// That the primary is the process that it was before.
  private func expectNothingStopped(_ primary: Coturn, _ report: JSON) {
    for stop in Self.stops { #expect(outcome(report, stop) == "skipped", "\(stop): \(report)") }
    #expect(servers(primary) == [primary.pid])
  }

  private func waitUntilGone(_ coturn: Coturn) async throws {
    // A look at all processes takes longer than the packets on a busy machine.
    let process = try #require(ProcessIdentity(pid: coturn.pid))
    for _ in 0..<3000 where process.isRunning { try await Task.sleep(for: .milliseconds(10)) }
    try #require(!process.isRunning)
  }

  @Test("The primary is stopped, the backup relays, the time is told, and the primary serves again")
  func whole() async throws {
    let (primary, backup) = (try await Coturn.start(), try await Coturn.start())
    let (status, report) = try await failOver(primary, to: backup.port)
    #expect(status == 0, "\(report)")
    for step in ["stopProcess", "takeover", "relay", "took", "startProcess", "answers", "back"] {
      #expect(outcome(report, step) == "pass", "\(step): \(report)")
    }
    #expect(report.step("relay")?["output"]?["received"]?.int == 50, "\(report)")
    // 50 packets, 50 a second, are a part of it.
    guard case .double(let took) = report.step("took")?["output"]?["figures"]?["failover"] else {
      Issue.record("no figure: \(report.step("took") ?? .null)")
      return
    }
    #expect(took > 0.9 && took <= 30)
    let now = servers(primary)
    #expect(now.count == 1 && now != [primary.pid], "\(now)")
    #expect(servers(backup) == [backup.pid])
  }

  @Test("A backup that is down, or that is the primary itself: nobody is asked, and nothing is stopped")
  func noBackup() async throws {
    let primary = try await Coturn.start()
    let itself = try await failOver(primary, to: primary.port)
    #expect(itself.status == 1 && itself.report.text().contains("are one server"), "\(itself.report)")
    expectNothingStopped(primary, itself.report)
    let down = try await failOver(primary, to: freePort())
    #expect(down.status == 1 && outcome(down.report, "another") == "fail", "\(down.report)")
    #expect(outcome(down.report, "agree") == "skipped", "\(down.report)")
    expectNothingStopped(primary, down.report)
  }

  @Test("A backup that relays nothing: nothing is stopped, though a person agreed")
  func backupRelaysNothing() async throws {
    let primary = try await Coturn.start()
    // It gives allocations, and forwards nothing to its own relayed addresses.
    let backup = try await Coturn.start { $0.directives += ["denied-peer-ip=127.0.0.0-127.255.255.255"] }
    let (status, report) = try await failOver(primary, to: backup.port)
    #expect(status == 1 && outcome(report, "agree") == "pass" && outcome(report, "ready") == "fail", "\(report)")
    expectNothingStopped(primary, report)
  }

  @Test("A person who declines: nothing is stopped")
  func declined() async throws {
    let (primary, backup) = (try await Coturn.start(), try await Coturn.start())
    let (status, report) = try await failOver(primary, to: backup.port, answering: ["--decline"])
    #expect(status == 5 && outcome(report, "agree") == "fail", "\(report)")
    expectNothingStopped(primary, report)
  }

  @Test("A backup that dies while the primary is stopped: the primary is started again, and serves")
  func backupDies() async throws {
    let (primary, backup) = (try await Coturn.start(), try await Coturn.start())
    let (status, report) = try await failOver(primary, to: backup.port, "-p", "packets=250") {
      try await waitUntilGone(primary)
      backup.signal(SIGKILL)
    }
    #expect(status == 1, "\(report)")
    #expect(outcome(report, "stopProcess") == "pass" && outcome(report, "startProcess") == "skipped", "\(report)")
    #expect(outcome(report, "undo:stopProcess/startProcessAgain") == "pass", "\(report)")
    #expect(servers(primary).count == 1)
    let again = report["hypothesis"]?.array?.first { $0["stage"] == "again" }
    #expect(again?["outcome"] == "pass", "\(report["hypothesis"] as Any)")
  }

  @Test("A failover that takes longer than it may fails, and the primary is started again")
  func tooSlow() async throws {
    let (primary, backup) = (try await Coturn.start(), try await Coturn.start())
    let (status, report) = try await failOver(primary, to: backup.port, "-p", "within=10ms")
    #expect(status == 1 && outcome(report, "took") == "fail", "\(report)")
    #expect(report.text().contains("and 10ms is the limit"), "\(report)")
    #expect(outcome(report, "undo:stopProcess/startProcessAgain") == "pass", "\(report)")
    #expect(servers(primary).count == 1)
  }

  // MARK: A primary in a container

  /// The whole run, with a primary in a container of a real engine.
  private func failOver(
    _ lab: DockerLab, _ primary: LabContainer, named name: String? = nil, to port: UInt16, _ more: String...
  ) async throws -> (status: Int32, report: JSON) {
    let answering = Task { try await answer([]) }
    defer { answering.cancel() }
    let output = try await project.runbook(
      Self.start + ["-p", "port=\(port)", "-p", "container=\(name ?? primary.name)"] + more,
      environment: [
        "TURN_SERVER": "turn:127.0.0.1:\(primary.port)", "TURN_USERNAME": Coturn.username,
        "TURN_CREDENTIAL": Coturn.credential, "DOCKER_HOST": lab.engine,
      ])
    return (output.status, try #require(try? output.json, "\(output)"))
  }

  @Test("A primary in a container is stopped, the backup relays, the time is told, and the container serves again")
  func container() async throws {
    let lab = try DockerLab.engine()
    let (primary, backup) = (try lab.coturn(), try await Coturn.start())
    let pid = try primary.pid
    let (status, report) = try await failOver(lab, primary, to: backup.port)
    #expect(status == 0, "\(report)")
    for step in ["stopContainer", "takeover", "relay", "took", "startContainer", "answers", "back"] {
      #expect(outcome(report, step) == "pass", "\(step): \(report)")
    }
    for step in ["stopProcess", "stopUnit", "startProcess", "startUnit"] {
      #expect(outcome(report, step) == "skipped", "\(step): \(report)")
    }
    guard case .double(let took) = report.step("took")?["output"]?["figures"]?["failover"] else {
      Issue.record("no figure: \(report.step("took") ?? .null)")
      return
    }
    #expect(took > 0.9 && took <= 30)
    #expect(try primary.field("{{.State.Status}}") == "running")
    #expect(try primary.pid != pid && primary.pid != 0)
    #expect(servers(backup) == [backup.pid])
  }

  @Test("A failover from a container that takes too long fails, and the container is started again")
  func containerTooSlow() async throws {
    let lab = try DockerLab.engine()
    let (primary, backup) = (try lab.coturn(), try await Coturn.start())
    let (status, report) = try await failOver(lab, primary, to: backup.port, "-p", "within=10ms")
    #expect(status == 1 && outcome(report, "took") == "fail", "\(report)")
    #expect(outcome(report, "undo:stopContainer/startContainerAgain") == "pass", "\(report)")
    #expect(outcome(report, "undo:stopContainer/containerAnswers") == "pass", "\(report)")
    let again = report["hypothesis"]?.array?.first { $0["stage"] == "again" }
    #expect(again?["outcome"] == "pass", "\(report["hypothesis"] as Any)")
    #expect(primary.answers(within: .seconds(10)))
  }

  @Test("A container that is not there: nobody is asked, and nothing is stopped")
  func noContainer() async throws {
    let lab = try DockerLab.engine()
    let (primary, backup) = (try lab.coturn(), try await Coturn.start())
    let pid = try primary.pid
    let (status, report) = try await failOver(lab, primary, named: "no-such-container", to: backup.port)
    #expect(status != 0 && outcome(report, "state") != "pass" && outcome(report, "agree") == "skipped", "\(report)")
    #expect(try primary.pid == pid)
  }
}
