package import ArgumentParser
import Journal
import Language
import Modules
import Reports
import Schema
import Steps

/// `runbook show`.
package struct ShowCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "show", abstract: "Show one runbook or check as a page to read: parameters, effects, steps.")

  @Argument(help: "The runbook's name, or checks/NAME.", completion: .custom { _, _, _ in documentNames() })
  var name: String

  @Option(help: "text or json.") var format: ReportFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() throws {
    let project = try options.load()
    let outline: Outline
    do { outline = try project.outline(name, catalog: .standard) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    switch format {
    case .text: Terminal.standardOutput.write(outline.page)
    case .json: Terminal.standardOutput.write(outline.json.text(.indented) + "\n")
    }
  }
}

/// The names that `run` and `show` take, for completion; empty where there is no project.
func documentNames() -> [String] {
  guard let options = try? ProjectOptions.parse([]), let project = try? options.load() else { return [] }
  return project.runbookNames + project.checkNames.map { "checks/\($0)" }
}

extension Outline {
  fileprivate var page: String {
    var page = "\(name)  \(terminalSafe(title))\n"
    if let doc { page += "\n\(paragraph(doc))\n" }
    var facts: [[String]] = []
    if let severity { facts.append(["severity", severity]) }
    if let owner { facts.append(["owner", terminalSafe(owner)]) }
    facts.append(["effects", effects.sorted().map(\.rawValue).joined(separator: ", ")])
    facts.append(["target", usesTarget ? "one server, or one run for each with --target" : "not used"])
    if let timeout { facts.append(["timeout", shortDuration(timeout)]) }
    if !secrets.isEmpty { facts.append(["secrets", secrets.joined(separator: ", ")]) }
    page += "\n" + columns(facts)
    page += fields(name.hasPrefix("checks/") ? "Inputs" : "Parameters", params)
    page += fields("Outputs", outputs)
    page += "\nSteps\n" + columns(steps.flatMap { $0.rows(depth: 1) })
    return page
  }

  private func fields(_ heading: String, _ fields: [FieldDeclaration]) -> String {
    guard !fields.isEmpty else { return "" }
    let rows = fields.map { field in
      ["  \(field.name)", field.type.description, given(field), terminalSafe(field.summary)]
    }
    return "\n\(heading)\n" + columns(rows)
  }

  private func given(_ field: FieldDeclaration) -> String {
    guard let fallback = field.fallback else { return outputs.contains(field) ? "" : "required" }
    return terminalSafe(fallback.plainText)
  }

  private func paragraph(_ text: String) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).map { terminalSafe(String($0)) }
      .joined(separator: "\n")
  }
}

extension Outline.Step {
  fileprivate func rows(depth: Int) -> [[String]] {
    let indent = String(repeating: "  ", count: depth)
    let condition = isConditional ? "  (if)" : ""
    var rows = [["\(indent)\(id)", use, effect.rawValue, terminalSafe(title) + condition]]
    for expectation in expectations { rows.append(["\(indent)  expects", "", "", terminalSafe(expectation)]) }
    return rows + steps.flatMap { $0.rows(depth: depth + 1) }
  }
}

extension Outline {
  fileprivate var json: JSON {
    [
      "name": .string(name), "title": .string(title), "doc": doc.map(JSON.string) ?? .null,
      "severity": severity.map(JSON.string) ?? .null, "owner": owner.map(JSON.string) ?? .null,
      "effects": .array(effects.sorted().map { .string($0.rawValue) }), "usesTarget": .bool(usesTarget),
      "secrets": .array(secrets.map(JSON.string)), "params": .array(params.map(\.json)),
      "outputs": .array(outputs.map(\.json)), "steps": .array(steps.map(\.json)),
    ]
  }
}

extension Outline.Step {
  fileprivate var json: JSON {
    [
      "id": .string(id), "title": .string(title), "use": .string(use), "effect": .string(effect.rawValue),
      "conditional": .bool(isConditional), "timeoutMs": .int(Int64(timeout / .milliseconds(1))),
      "expectations": .array(expectations.map(JSON.string)), "steps": .array(steps.map(\.json)),
    ]
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
