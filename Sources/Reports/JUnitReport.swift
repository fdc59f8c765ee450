import Journal
import Schema

extension RunReport {
  /// JUnit's XML, as CI servers read it: a `testsuite` for the run, or one for each target, and a `testcase` for each step
  /// that does something.
  ///
  /// A step that failed has a `failure`; one that could not find out, or has no end, an `error`; one that was not run, or is
  /// not counted, is `skipped`. JUnit knows no warnings: they pass, and stand in `system-out`.
  package var junit: String {
    let suites = suites
    let counts = Counts(suites.flatMap(\.cases)).attributes
    let time = duration.map { " time=\"\(decimalSeconds($0))\"" } ?? ""
    let body = suites.map { $0.xml(of: self) }.joined()
    return """
      <?xml version="1.0" encoding="UTF-8"?>
      <testsuites name="\(markupSafe(runbook))"\(counts)\(time)>
      \(body)</testsuites>

      """
  }

  fileprivate var properties: [(name: String, value: String)] {
    var properties = [
      ("title", title), ("run", run), ("outcome", verdict.rawValue), ("user", user), ("tool", "runbook \(tool)"),
      ("journal", journal),
    ]
    if let number { properties.append(("number", "\(number)")) }
    if let severity { properties.append(("severity", severity)) }
    if let parent { properties.append(("parent", parent)) }
    if !only.isEmpty { properties.append(("only", only.joined(separator: ", "))) }
    properties += warnings.map { ("note", $0) }
    return properties
  }
}

extension Suite {
  fileprivate func xml(of whole: RunReport) -> String {
    let name = whole.runbook + (target.map { " on \($0)" } ?? "")
    let told = report ?? whole
    var attributes = " name=\"\(markupSafe(name))\"" + Counts(cases).attributes
    attributes += " timestamp=\"\(told.startedAt.secondsText)\" hostname=\"\(markupSafe(told.host))\""
    if let time = report?.duration { attributes += " time=\"\(decimalSeconds(time))\"" }
    var text = "  <testsuite\(attributes)>\n"
    if let report {
      text += "    <properties>\n"
      for property in report.properties {
        text += "      <property name=\"\(property.name)\" value=\"\(markupSafe(property.value))\"/>\n"
      }
      text += "    </properties>\n"
    }
    for entry in cases { text += entry.xml(class: name) }
    return text + "  </testsuite>\n"
  }
}

extension Suite.Case {
  /// What JUnit knows of outcomes.
  fileprivate enum State { case passed, failure, error, skipped }

  fileprivate var state: State {
    guard isCounted else { return outcome == .pass ? .passed : .skipped }
    return switch outcome {
    case .pass, .warn: .passed
    case .fail: .failure
    case .error, .indeterminate: .error
    case .skipped: .skipped
    }
  }

  fileprivate func xml(class name: String) -> String {
    let shown = title == path || title.isEmpty ? path : "\(path): \(title)"
    let time = duration.map { " time=\"\(decimalSeconds($0))\"" } ?? ""
    let head = "    <testcase classname=\"\(markupSafe(name))\" name=\"\(markupSafe(shown))\"\(time)"
    let lines = explanation.plainLines
    let message = markupSafe(lines.first ?? outcome.rawValue)
    let text = lines.map(markupSafe).joined(separator: "\n")
    switch state {
    case .passed where outcome == .pass:
      guard let lines = step?.question?.lines.plainLines else { return head + "/>\n" }
      let said = lines.map(markupSafe).joined(separator: "\n")
      return head + ">\n      <system-out>\(said)</system-out>\n    </testcase>\n"
    case .passed: return head + ">\n      <system-out>warning\n\(text)</system-out>\n    </testcase>\n"
    case .skipped:
      let reason = isCounted ? step?.reason ?? lines.first ?? "" : "not counted; \(outcome.rawValue)"
      return head + ">\n      <skipped message=\"\(markupSafe(reason))\"/>\n    </testcase>\n"
    case .failure, .error:
      let element = state == .failure ? "failure" : "error"
      let type = markupSafe(step?.finding?.code ?? outcome.rawValue)
      return head
        + ">\n      <\(element) message=\"\(message)\" type=\"\(type)\">\(text)</\(element)>\n    </testcase>\n"
    }
  }
}

/// How many cases there are of each kind.
private struct Counts {
  let attributes: String

  init(_ cases: [Suite.Case]) {
    func count(_ state: Suite.Case.State) -> Int { cases.count { $0.state == state } }
    attributes =
      " tests=\"\(cases.count)\" failures=\"\(count(.failure))\" errors=\"\(count(.error))\""
      + " skipped=\"\(count(.skipped))\""
  }
}

extension Timestamp {
  /// `2026-11-21T08:00:00`, in UTC, as JUnit's readers want it.
  fileprivate var secondsText: String { String(description.prefix(19)) }
}
