import Foundation
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

@Suite struct PluginNagiosTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Runs a plugin of a shell script.
  private func plugin(_ script: String, deadline: Duration = .seconds(20)) async throws -> StepResult<Value> {
    try folder.write("#!/bin/sh\n\(script)\n", to: "check_it", mode: 0o755)
    return try await run("plugin.nagios", [.init("command", text("\(folder.path)/check_it"))], deadline: deadline)
  }

  private func command(_ words: String...) async throws -> StepResult<Value> {
    try await run("plugin.nagios", [.init("command", .list(words.map(Value.string)))])
  }

  @Test("Exit code, first line, further lines and figures with units and thresholds")
  func whole() async throws {
    let result = try await plugin(
      """
      echo "DISK OK - free space: / 3326 MB (56%); | /=2643MB;5948;5958;0;5968"
      echo "/ 15272 MB (77%);"
      echo "/boot 68 MB (69%); | /boot=68MB;88;93;0;98"
      echo "'var log'=69357MB;253404;253409;0;253414 load=1.5"
      """)
    #expect(result.objection == nil)
    #expect(result.output["message"] == .string("DISK OK - free space: / 3326 MB (56%);"))
    #expect(result.output["details"] == .string("/ 15272 MB (77%);\n/boot 68 MB (69%);"))
    #expect(
      result.output["figures"]
        == .members([
          .init("/", .double(2643)), .init("/boot", .double(68)), .init("load", .double(1.5)),
          .init("var log", .double(69357)),
        ]))
    guard case .list(let figures)? = result.output["performance"], let first = figures.first else {
      Testing.Issue.record("there are figures")
      return
    }
    #expect(first["unit"] == .string("MB"))
    #expect(first["warn"] == .string("5948"))
    #expect(first["maximum"] == .double(5968))
  }

  @Test("Labels in quotes, commas, unknown values, units and nonsense in performance data")
  func performanceData() {
    let data = PerformanceData(
      parsing: "'it''s a = label'=1,5s;;;0 a=U b=98% c=-1.5e3c d=7;@1:2;~:9; =5 e= f=1.2.3 'open=1 g=12abc34 h=1e")
    #expect(data.figures.map(\.label) == ["it's a = label", "a", "b", "c", "d"])
    #expect(data.figures.map(\.value) == [1.5, nil, 98, -1500, 7])
    #expect(data.figures.map(\.unit) == ["s", "", "%", "c", ""])
    #expect(data.figures[4].warn == "@1:2")
    #expect(data.figures[4].critical == "~:9")
    #expect(data.unreadable.prefix(3) == ["=5", "e=", "f=1.2.3"])
    #expect(PerformanceData(parsing: "h=1e").figures.map(\.unit) == ["e"])
    #expect(PerformanceData(parsing: "x=nan y=inf z=1e999").figures.isEmpty)
  }

  @Test(
    "Ranges of the guidelines",
    arguments: [
      ("10", 11.0, true), ("10", 10, false), ("10", -1, true), ("10:", 9, true), ("10:", 10, false),
      ("~:10", -5, false),
      ("~:10", 11, true), ("10:20", 15, false), ("10:20", 21, true), ("@10:20", 15, true), ("@10:20", 9, false),
    ])
  func ranges(text: String, value: Double, alerts: Bool) throws {
    #expect(try #require(PluginRange(text)).alerts(at: value) == alerts)
    for broken in ["", "x", "1:2:3", "20:10", ":x"] { #expect(PluginRange(broken) == nil) }
  }

  @Test("Exit codes 1 and 2 warn and fail with what the plugin says")
  func verdicts() async throws {
    let warning = try await plugin("echo 'WARNING: nearly full'; exit 1")
    #expect(warning.objection?.severity == .warn)
    #expect(warning.objection?.finding == Finding("plugin.warning", "WARNING: nearly full"))
    let critical = try await plugin("exit 2")
    #expect(critical.objection?.severity == .fail)
    #expect(critical.objection?.finding == Finding("plugin.critical", "it printed nothing"))
  }

  @Test(
    "What is no verdict is an error: exit code 3, another code, a signal, nothing printed",
    arguments: [
      ("echo 'UNKNOWN: no route'; exit 3", "plugin.unknown"), ("echo x; exit 127", "plugin.exitCodeUnknown"),
      ("echo OK; kill -SEGV $$", "plugin.ended"), ("exit 0", "plugin.noOutput"), ("echo '| a=1'", "plugin.noOutput"),
      ("echo 'UNKNOWN - timed out'; exit 0", "plugin.unknown"),
    ])
  func noVerdict(script: String, code: String) async throws {
    let error = try await stepError { _ = try await plugin(script) }
    #expect(error.kind == .broken)
    #expect(error.finding.code == code)
  }

  @Test("A plugin that contradicts itself is not believed")
  func contradiction() async throws {
    let worse = try await plugin("echo 'DISK CRITICAL - 0 MB left'; exit 0")
    #expect(worse.objection?.severity == .fail)
    #expect(worse.objection?.finding.code == "plugin.contradictsItself")
    #expect(worse.output["state"] == .string("critical"))
    let milder = try await plugin("echo 'DISK OK - but no'; exit 2")
    #expect(milder.objection?.finding.code == "plugin.critical")
    let figure = try await plugin("echo 'OK - all is well | used=99%;80;90'; exit 0")
    #expect(figure.objection?.severity == .warn)
    #expect(figure.objection?.finding.code == "plugin.contradictsItself")
    #expect(try await plugin("echo 'LOG OK - 0 CRITICAL lines'").objection == nil)
  }

  @Test("A plugin that hangs is ended with what it started, and that is an error")
  func hanging() async throws {
    try folder.write("#!/bin/sh\n: >'\(folder.path)/begun'\nsleep 1000\n", to: "check_it", mode: 0o755)
    let path = "\(folder.path)/check_it"
    let task = Task { try await stepError { _ = try await run("plugin.nagios", [.init("command", text(path))]) } }
    let end = ContinuousClock.now + .seconds(30)
    while !folder.names().contains("begun"), ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
    task.cancel()
    let error = try await task.value
    #expect(error.kind == .interrupted)
    #expect(error.finding.code == "plugin.interrupted")
  }

  @Test("Of 10 MB the start is kept, and that it was cut is said")
  func flood() async throws {
    let result = try await plugin("echo 'OK - a lot | a=1'; yes 0123456789 | head -c 10000000")
    #expect(result.objection?.finding.code == "plugin.outputCut")
    #expect(result.output["truncated"] == .bool(true))
    #expect(result.output["figures"] == .members([.init("a", .double(1))]))
    guard case .string(let details)? = result.output["details"] else { return }
    #expect(details.utf8.count <= 65_536)
  }

  @Test("Debian's own plugins, by name: load, processes, disks, and a host that refuses")
  func debian() async throws {
    let load = try await command("check_load", "-w", "1000,1000,1000", "-c", "2000,2000,2000")
    #expect(load.objection == nil, "\(load)")
    guard case .double? = load.output["figures"]?["load1"] else {
      Testing.Issue.record("\(load.output)")
      return
    }
    let disk = try await command("check_disk", "-w", "0", "-c", "0", "-p", "/")
    #expect(disk.objection == nil, "\(disk)")
    guard case .list(let figures)? = disk.output["performance"] else { return }
    #expect(figures.first?["label"] == .string("/"))
    let procs = try await command("check_procs", "-c", "100000:")
    #expect(procs.objection?.finding.code == "plugin.critical")
    let port = try freePort()
    let refused = try await command("check_tcp", "-H", "127.0.0.1", "-p", "\(port)")
    #expect(refused.objection?.severity == .fail)
    let unknown = try await stepError { _ = try await command("check_dummy", "3", "who knows") }
    #expect(unknown.finding.message == "check_dummy could not find out: UNKNOWN: who knows")
    #expect(unknown.kind == .broken)
    let usage = try await stepError { _ = try await command("check_disk") }
    #expect(usage.finding.code == "plugin.unknown")
  }
}
