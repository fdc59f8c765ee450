import Foundation
import Journal
import Schema
import TestSupport
import Testing

@testable import Reports

@Suite struct PrometheusReportTests {
  /// The value of a series; nil if there is none.
  private func value(_ series: String, in report: RunReport) -> String? {
    let lines = report.prometheus.split(separator: "\n")
    return lines.first { $0.hasPrefix(series + " ") }.map { String($0.dropFirst(series.count + 1)) }
  }

  @Test("Outcome, times, durations and figures are there, with units and labels")
  func content() {
    let report = RunReport.failing
    let run = #"{runbook="daily-health",target="lab"#
    #expect(value("runbook_run_outcome\(run)\",outcome=\"fail\"}", in: report) == "1")
    #expect(value("runbook_run_outcome\(run)\",outcome=\"pass\"}", in: report) == "0")
    #expect(value("runbook_run_started_timestamp_seconds\(run)\"}", in: report) == "1795248000.001")
    #expect(value("runbook_run_finished_timestamp_seconds\(run)\"}", in: report) == "1795248003.175")
    #expect(value("runbook_run_duration_seconds\(run)\"}", in: report) == "4.871")
    #expect(value("runbook_run_partial\(run)\"}", in: report) == "0")
    #expect(value("runbook_step_outcome\(run)\",step=\"turn/relay\",outcome=\"fail\"}", in: report) == "1")
    #expect(value("runbook_step_tries\(run)\",step=\"turn/relay\"}", in: report) == "2")
    #expect(value("runbook_step_figure_ratio\(run)\",step=\"turn/relay\",figure=\"loss\"}", in: report) == "0.12")
    #expect(
      value("runbook_step_figure_seconds\(run)\",step=\"turn/relay\",figure=\"rtt.p95\"}", in: report) == "0.004217338")
    #expect(
      value("runbook_step_figure_bytes\(run)\",step=\"disk\",figure=\"available\"}", in: report) == "80550051840")
  }

  @Test("What is not known has no sample: a step that was not run has no duration, a run without an end no end")
  func missing() {
    let lines = RunReport.failing.prometheus.split(separator: "\n").filter { $0.contains(#"step="cleanup""#) }
    #expect(lines.count == Outcome.allCases.count)
    #expect(lines.allSatisfy { $0.hasPrefix("runbook_step_outcome{") })
    #expect(lines.filter { $0.hasSuffix(" 1") }.map { $0.contains(#"outcome="skipped""#) } == [true])
    let died = RunReport.died.prometheus
    #expect(!died.contains("finished_timestamp") && !died.contains("run_duration"))
    #expect(died.contains(#"outcome="indeterminate"} 1"#))
  }

  @Test("A run that a signal ended is no pass, and a step that is not counted is told apart")
  func notAPass() {
    let run = #"runbook_run_outcome{runbook="daily-health",target="lab",outcome="#
    #expect(value(run + #""pass"}"#, in: .signalled) == "0")
    #expect(value(run + #""error"}"#, in: .signalled) == "1")
    #expect(RunReport.diagnostic.prometheus.contains(#"step="look",diagnostic="true",outcome="fail"} 1"#))
  }

  @Test("A run over several targets has series for each, and for the whole without the label")
  func targets() {
    let text = RunReport.fleet.prometheus
    for labels in [
      #"{runbook="daily-health",outcome="fail"} 1"#, #"{runbook="daily-health",target="eu-1",outcome="fail"} 1"#,
      #"{runbook="daily-health",target="eu-2",outcome="warn"} 1"#,
      #"{runbook="daily-health",target="eu-3",outcome="skipped"} 1"#,
    ] { #expect(text.contains("runbook_run_outcome\(labels)\n"), "\(labels)") }
    #expect(text.contains(#"figure_ratio{runbook="daily-health",target="eu-1",step="turn/relay",figure="loss"} 0.12"#))
    #expect(!text.contains(#"duration_seconds{runbook="daily-health",target="eu-2""#))
  }

  @Test("promtool takes every kind of run without a word", arguments: RunReport.samples.map(\.name))
  func promtool(name: String) async throws {
    let report = try #require(RunReport.samples.first { $0.name == name }).report
    let checked = try await ForeignReader(report.prometheus).run("promtool check metrics <\"$1\"")
    #expect(checked.status == 0)
    #expect(checked.stdout + checked.stderr == "")
  }

  @Test("The alert rules of docs/reports.md are in form, and fire for what they speak of")
  func rules() async throws {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/reports.md")
    let document = try String(contentsOf: file, encoding: .utf8)
    let rules = try #require(document.firstMatch(of: /```yaml\n(groups:\n(?s:.*?))```/)?.1)
    let series = RunReport.failing.prometheus.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      line.lastIndex(of: " ").map { space in
        "      - {series: '\(line[..<space])', values: '\(line[line.index(after: space)...])x3000'}\n"
      }
    }
    let labels = "runbook: daily-health, target: lab"
    let test = """
      rule_files: [rules.yaml]
      tests:
        - interval: 1m
          input_series:
      \(series.joined())      - {series: 'runbook_run_finished_timestamp_seconds{runbook="old"}', values: '0x3000'}
          alert_rule_test:
            - eval_time: 5m
              alertname: RunbookFailed
              exp_alerts: [{exp_labels: {severity: page, outcome: fail, \(labels)}, exp_annotations: {summary: "daily-health on lab: fail"}}]
            - {eval_time: 5m, alertname: RunbookOverdue, exp_alerts: []}
            - eval_time: 27h
              alertname: RunbookOverdue
              exp_alerts: [{exp_labels: {severity: page, runbook: old}, exp_annotations: {summary: "old on  has not run for a day"}}]
      """
    let reader = try ForeignReader(String(rules))
    try reader.folder.write(String(rules), to: "rules.yaml")
    try reader.folder.write(test, to: "test.yaml")
    let checked = try await reader.run("promtool check rules rules.yaml && promtool test rules test.yaml")
    #expect(checked.status == 0, "\(checked.stdout)\(checked.stderr)\(test.prefix(2000))")
  }
}
