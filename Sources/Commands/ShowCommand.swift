package import ArgumentParser
import Backups
import Journal
import Language
import Modules
import Reports
import Schedules
import Schema
import Steps
import TerminalText

/// `runbook show`.
package struct ShowCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show one runbook, check or backup set as a page to read: parameters, effects, steps.",
    discussion: """
        runbook show daily-health
        runbook show checks/turn-relay
        runbook show backups/coturn-config --format json
      """)

  @Argument(help: "The runbook's name, checks/NAME or backups/NAME.", completion: ProjectCompletion.documents)
  var name: String

  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    let project = try options.load()
    if name.hasPrefix("backups/") {
      try show(backupSet: String(name.dropFirst("backups/".count)), of: project)
      return
    }
    let outline: Outline
    do { outline = try project.outline(name, catalog: .standard) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    switch format {
    case .text: Terminal.standardOutput.write(outline.page(width: Terminal.standardOutput.pageWidth))
    case .json: Terminal.standardOutput.write(outline.json.text(.indented) + "\n")
    }
  }

  private func show(backupSet name: String, of project: Project) throws {
    let set: BackupSet
    do throws(Issues) { set = try project.backupSet(name) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    switch format {
    case .text: Terminal.standardOutput.write(set.page(width: Terminal.standardOutput.pageWidth))
    case .json: Terminal.standardOutput.write(set.json.text(.indented) + "\n")
    }
  }
}

extension Outline {
  fileprivate func page(width: Int) -> String {
    var page = paragraph("\(name)  \(terminalSafe(title))", width)
    if let doc { page += "\n\(paragraph(doc, width))" }
    var facts: [[String]] = []
    if let severity { facts.append(["severity", severity]) }
    if let owner { facts.append(["owner", terminalSafe(owner)]) }
    facts.append(["effects", effects.sorted().map(\.rawValue).joined(separator: ", ")])
    facts.append(["target", usesTarget ? "one server, or one run for each with --target" : "not used"])
    if let confirm { facts.append(["confirm", terminalSafe(confirm)]) }
    if let timeout { facts.append(["timeout", shortDuration(timeout)]) }
    if let lock { facts.append(["lock", terminalSafe(lock)]) }
    if let period { facts.append(["due", period.text]) }
    if let alert { facts.append(["alert", "after \(alert.after) runs in a row that do not pass"]) }
    if rollback == .onFailure { facts.append(["rollback", "if the run fails, undo is done, the newest first"]) }
    page += "\n" + columns(facts, width: width)
    page += fields(name.hasPrefix("checks/") ? "Inputs" : "Parameters", params, width)
    page += fields("Outputs", outputs, width)
    if !secrets.isEmpty { page += "\nSecrets\n" + columns(secrets.map(\.row), width: width) }
    for (heading, steps) in [
      ("Hypothesis, before the steps and after them", hypothesis), ("Steps", steps), ("Finally", finally),
    ] where !steps.isEmpty {
      page += "\n\(heading)\n" + columns(steps.flatMap { $0.rows(depth: 1) }, width: width)
    }
    return page
  }

  private func fields(_ heading: String, _ fields: [FieldDeclaration], _ width: Int) -> String {
    guard !fields.isEmpty else { return "" }
    let rows = fields.map { field in
      ["  \(field.name)", field.type.description, given(field), terminalSafe(field.summary)]
    }
    return "\n\(heading)\n" + columns(rows, width: width)
  }

  private func given(_ field: FieldDeclaration) -> String {
    guard let fallback = field.fallback else { return outputs.contains(field) ? "" : "required" }
    return fallback == .null ? "optional" : terminalSafe(field.type.shown(fallback))
  }

  private func paragraph(_ text: String, _ width: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false)
      .flatMap { wrapped(terminalSafe(String($0)), width: width) }.map { $0 + "\n" }.joined()
  }
}

extension Outline.DeclaredSecret {
  fileprivate var row: [String] {
    ["  \(name)", "from \(terminalSafe(origin))", isOptional ? "optional" : "required", terminalSafe(doc)]
  }
}

extension Outline.Step {
  /// The step's own line, below it what decides how it runs, under the names that a runbook gives it.
  fileprivate func rows(depth: Int) -> [[String]] {
    let indent = String(repeating: "  ", count: depth)
    let settings = group.map { ["\(indent)  \($0.name)", terminalSafe($0.value)] }
    let details = settings + details.map { ["\(indent)  \($0.key.name)", terminalSafe($0.text)] }
    let shownEffect = effects.sorted().map(\.rawValue).joined(separator: ", ") + (claimsToObserve ? " (claimed)" : "")
    return [["\(indent)\(id)", use, shownEffect, terminalSafe(title)]] + details
      + steps.flatMap { $0.rows(depth: depth + 1) } + (undo.isEmpty ? [] : [["\(indent)  undo"]])
      + undo.flatMap { $0.rows(depth: depth + 2) }
  }

  private var details: [(key: StepKey, text: String)] {
    var details: [(key: StepKey, text: String)] = []
    if let condition { details.append((.if, condition)) }
    details += inputs.map { (.with, "\($0.name): \($0.value)") }
    if let until { details.append((.until, until)) }
    if let retry { details.append((.retry, retry.text)) }
    details += expectations.map { (.expect, $0.text) }
    details.append((.timeout, shortDuration(timeout)))
    if onFailure != .stop { details.append((.onFailure, onFailure.rawValue)) }
    if isDiagnostic { details.append((.diagnostic, "recorded, never counted")) }
    return details
  }
}

extension Outline.DeclaredExpectation {
  fileprivate var text: String {
    let otherwise = message.map { ", else \(severity.rawValue): \($0)" } ?? ", else \(severity.rawValue)"
    return that + otherwise
  }
}

extension RetryPolicy {
  fileprivate var text: String {
    let growth = factor > 1 ? ", each wait \(Value.double(factor).plainText) times the one before" : ""
    let random = jitter > 0 ? ", \(Value.double(jitter).plainText) of it at random" : ""
    return
      "\(times) more, the first after \(shortDuration(backoff))\(growth), at most \(shortDuration(maxDelay))\(random)"
  }

  fileprivate var json: JSON {
    [
      "times": .int(Int64(times)), "backoffMs": .int(Int64(backoff / .milliseconds(1))), "factor": .double(factor),
      "maxDelayMs": .int(Int64(maxDelay / .milliseconds(1))), "jitter": .double(jitter),
    ]
  }
}

extension Outline {
  fileprivate var json: JSON {
    [
      "name": .string(name), "title": .string(title), "doc": doc.map(JSON.string) ?? .null,
      "severity": severity.map(JSON.string) ?? .null, "owner": owner.map(JSON.string) ?? .null,
      "effects": .array(effects.sorted().map { .string($0.rawValue) }), "usesTarget": .bool(usesTarget),
      "confirm": confirm.map(JSON.string) ?? .null,
      "timeoutMs": timeout.map { .int(Int64($0 / .milliseconds(1))) } ?? .null,
      "secrets": .array(secrets.map(\.json)), "params": .array(params.map(\.json)),
      "outputs": .array(outputs.map(\.json)), "steps": .array(steps.map(\.json)),
      "rollback": .string(rollback.rawValue), "hypothesis": .array(hypothesis.map(\.json)),
      "finally": .array(finally.map(\.json)),
    ]
  }
}

extension Outline.DeclaredSecret {
  fileprivate var json: JSON {
    ["name": .string(name), "from": .string(origin), "optional": .bool(isOptional), "doc": .string(doc)]
  }
}

extension Outline.Step {
  fileprivate var json: JSON {
    [
      "id": .string(id), "title": .string(title), "use": .string(use), "effect": .string(effect.rawValue),
      "effects": .array(effects.sorted().map { .string($0.rawValue) }),
      "group": .object(group.map { JSON.Member($0.name, .string($0.value)) }),
      "claimed": .bool(claimsToObserve),
      "with": .object(inputs.map { JSON.Member($0.name, .string($0.value)) }),
      "if": condition.map(JSON.string) ?? .null, "until": until.map(JSON.string) ?? .null,
      "retry": retry?.json ?? .null, "timeoutMs": .int(Int64(timeout / .milliseconds(1))),
      "onFailure": .string(onFailure.rawValue), "diagnostic": .bool(isDiagnostic),
      "expect": .array(expectations.map(\.json)), "steps": .array(steps.map(\.json)),
      "undo": .array(undo.map(\.json)),
    ]
  }
}

extension Outline.DeclaredExpectation {
  fileprivate var json: JSON {
    ["that": .string(that), "severity": .string(severity.rawValue), "message": message.map(JSON.string) ?? .null]
  }
}

extension FieldDeclaration {
  fileprivate var json: JSON {
    [
      "name": .string(name), "type": .string(type.description), "required": .bool(isRequired),
      "default": fallback?.json ?? .null, "doc": .string(summary),
    ]
  }
}
