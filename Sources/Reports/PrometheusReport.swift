import Journal
import Schema
import TerminalText

extension RunReport {
  /// Prometheus' text format (version 0.0.4), as node_exporter's textfile collector reads it: how the run and each step
  /// ended, how long they took, and every number that a step put out.
  ///
  /// What is not known has no sample: a step that was not run has no duration and no figures, and a run without an end no
  /// time of its end. The order is that of the run.
  package var prometheus: String {
    var families = Families()
    families.take(self, target: target)
    for child in children {
      if let report = child.report {
        families.take(report, target: child.target)
      } else {
        families.take(child, of: self)
      }
    }
    return families.text
  }
}

/// Metrics by name, in the order of their declaration.
private struct Families {
  private enum Name: String, CaseIterable {
    case outcome = "runbook_run_outcome"
    case started = "runbook_run_started_timestamp_seconds"
    case finished = "runbook_run_finished_timestamp_seconds"
    case duration = "runbook_run_duration_seconds"
    case partial = "runbook_run_partial"
    case info = "runbook_run_info"
    case stepOutcome = "runbook_step_outcome"
    case stepDuration = "runbook_step_duration_seconds"
    case stepTries = "runbook_step_tries"
    case figure = "runbook_step_figure"
    case seconds = "runbook_step_figure_seconds"
    case bytes = "runbook_step_figure_bytes"
    case bytesPerSecond = "runbook_step_figure_bytes_per_second"
    case ratio = "runbook_step_figure_ratio"
    case timestamp = "runbook_step_figure_timestamp_seconds"

    var help: String {
      switch self {
      case .outcome: "How the last run ended: 1 for the outcome that it has, 0 for the others."
      case .started: "When the last run started, in seconds since 1970."
      case .finished: "When the last run ended, in seconds since 1970; no sample without an end."
      case .duration: "How long the last run took."
      case .partial: "1 if only some steps were asked for, so that the run does not stand for the whole runbook."
      case .info: "What ran; always 1."
      case .stepOutcome: "How a step of the last run ended: 1 for the outcome that it has, 0 for the others."
      case .stepDuration: "How long a step took, waits between its tries included; no sample if it was not run."
      case .stepTries: "How many tries a step took; no sample for a check and for a step that was not run."
      case .figure: "A number of a step's output: a count, 1 and 0 for true and false, the length of a list."
      case .seconds: "A duration of a step's output."
      case .bytes: "A size of a step's output."
      case .bytesPerSecond: "A bandwidth of a step's output."
      case .ratio: "A percentage of a step's output, from 0 to 1."
      case .timestamp: "A moment of a step's output, in seconds since 1970."
      }
    }
  }

  private typealias Labels = [(name: String, value: String)]

  private var samples: [Name: [String]] = [:]
  private var seen: Set<String> = []

  /// One HELP and TYPE for each metric that has a sample.
  var text: String {
    Name.allCases.compactMap { name in
      samples[name].map { lines in
        "# HELP \(name.rawValue) \(name.help)\n# TYPE \(name.rawValue) gauge\n" + lines.joined()
      }
    }.joined()
  }

  /// A series that is there already is not written again: a second one would make the whole file unreadable.
  private mutating func add(_ name: Name, _ labels: Labels, _ value: String) {
    let series =
      name.rawValue + "{" + labels.map { "\($0.name)=\"\(labelSafe($0.value))\"" }.joined(separator: ",") + "}"
    guard seen.insert(series).inserted else { return }
    samples[name, default: []].append("\(series) \(value)\n")
  }

  private mutating func add(_ name: Name, _ labels: Labels, state: Outcome) {
    for outcome in Outcome.allCases {
      add(name, labels + [("outcome", outcome.rawValue)], outcome == state ? "1" : "0")
    }
  }

  private func labels(_ runbook: String, _ target: String?) -> Labels {
    [("runbook", runbook)] + (target.map { [("target", $0)] } ?? [])
  }

  mutating func take(_ report: RunReport, target: String?) {
    let labels = labels(report.runbook, target)
    add(.outcome, labels, state: report.verdict)
    add(.started, labels, decimalSeconds(report.startedAt.duration(since: .unixEpoch)))
    if let finished = report.finishedAt {
      add(.finished, labels, decimalSeconds(finished.duration(since: .unixEpoch)))
    }
    if let duration = report.duration { add(.duration, labels, decimalSeconds(duration)) }
    add(.partial, labels, report.only.isEmpty ? "0" : "1")
    let severity: Labels = report.severity.map { [("severity", $0)] } ?? []
    add(.info, labels + severity + [("title", report.title), ("version", report.tool)], "1")
    for step in report.steps.flatMap({ $0.flattened().map(\.step) }) { take(step, labels) }
  }

  private mutating func take(_ step: RunReport.Step, _ run: Labels) {
    let labels = run + [("step", step.path)] + (!step.isCounted ? [("diagnostic", "true")] : [])
    add(.stepOutcome, labels, state: step.outcome)
    if let duration = step.duration { add(.stepDuration, labels, decimalSeconds(duration)) }
    if step.attempts > 0 { add(.stepTries, labels, "\(step.attempts)") }
    for measurement in step.measurements {
      let labels = labels + [("figure", measurement.name)]
      switch measurement.unit {
      case .none: add(.figure, labels, measurement.text)
      case .seconds: add(.seconds, labels, measurement.text)
      case .bytes: add(.bytes, labels, measurement.text)
      case .bitsPerSecond: add(.bytesPerSecond, labels, plainDecimal(measurement.number / 8))
      case .percent: add(.ratio, labels, plainDecimal(measurement.number / 100))
      case .timestamp: add(.timestamp, labels, measurement.text)
      }
    }
  }

  /// A child of which only its parent tells.
  mutating func take(_ child: RunReport.Child, of parent: RunReport) {
    let labels = labels(parent.runbook, child.target)
    add(.outcome, labels, state: child.outcome)
    for step in child.steps { add(.stepOutcome, labels + [("step", step.path.description)], state: step.outcome) }
  }
}

/// A label's value between its quotes.
private func labelSafe(_ text: String) -> String {
  terminalSafe(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
}
