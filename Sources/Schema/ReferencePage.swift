/// One subject of the reference: a module, a check or a runbook, with its fields. Commands prints it, and the generated
/// documents are made of it.
package struct ReferencePage: Hashable, Sendable {
  package var name: String
  /// One line with a full stop.
  package var summary: String
  /// More, in Markdown; may be empty.
  package var discussion: String
  /// What else is known, by label: its effect, its deadline.
  package var facts: [Fact]
  /// Groups of fields, such as its input and its output.
  package var sections: [Section]
  package var examples: [Example]

  package struct Fact: Hashable, Sendable {
    package var label: String
    package var text: String

    package init(_ label: String, _ text: String) {
      self.label = label
      self.text = text
    }
  }

  package struct Section: Hashable, Sendable {
    package var title: String
    package var fields: RecordType
    /// True for what is given, where a field is required or has a default; false for what is received.
    package var isGiven: Bool

    package init(_ title: String, _ fields: RecordType, isGiven: Bool) {
      self.title = title
      self.fields = fields
      self.isGiven = isGiven
    }
  }

  package struct Example: Hashable, Sendable {
    package var title: String
    /// YAML.
    package var text: String

    package init(title: String, text: String) {
      self.title = title
      self.text = text
    }
  }

  package init(
    name: String, summary: String, discussion: String = "", facts: [Fact] = [], sections: [Section],
    examples: [Example] = []
  ) {
    self.name = name
    self.summary = summary
    self.discussion = discussion
    self.facts = facts
    self.sections = sections
    self.examples = examples
  }
}

/// One line of a table of fields.
struct FieldRow: Hashable {
  /// `rtt.p95`, `nodes[].host`.
  var name: String
  var type: String
  /// `required`, or the default; empty if it is neither.
  var presence: String
  var summary: String
}

extension RecordType {
  /// The fields, those of nested records below their own.
  func rows(isGiven: Bool, inside prefix: String = "") -> [FieldRow] {
    fields.flatMap { field in
      let name = prefix + field.name
      let row = FieldRow(
        name: name, type: field.type.referenceName, presence: isGiven ? field.presence : "", summary: field.meaning)
      let nested = field.type.nestedFields(of: name)
      return [row] + (nested?.record.rows(isGiven: isGiven, inside: nested?.prefix ?? "") ?? [])
    }
  }
}

extension FieldDeclaration {
  fileprivate var presence: String {
    guard let fallback else { return "required" }
    return fallback == .null ? "" : type.shown(fallback)
  }

  /// The summary with the limits.
  fileprivate var meaning: String {
    guard let bounds else { return summary + (mustHoldSomething ? " Not empty." : "") }
    return "\(summary) From \(type.shown(bounds.minimum)) to \(type.shown(bounds.maximum))."
  }
}

extension ValueType {
  /// The type in a table, where a record's fields stand in rows of their own.
  fileprivate var referenceName: String {
    switch self {
    case .record: "record"
    case .list(let element): "list<\(element.referenceName)>"
    case .map(let element): "map<\(element.referenceName)>"
    case .optional(let wrapped): "optional<\(wrapped.referenceName)>"
    default: description
    }
  }

  /// The record inside, and what its fields' names begin with.
  fileprivate func nestedFields(of name: String) -> (record: RecordType, prefix: String)? {
    switch self {
    case .record(let record): (record, name + ".")
    case .list(let element): element.nestedFields(of: name + "[]")
    case .map(let element): element.nestedFields(of: name + ".*")
    case .optional(let wrapped): wrapped.nestedFields(of: name)
    default: nil
    }
  }
}
