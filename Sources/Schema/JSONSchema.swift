/// How values are written where a JSON Schema describes them.
package enum JSONNotation: Hashable, Sendable {
  /// In a runbook: with units, and with `${…}` wherever a value may stand.
  case runbook
  /// In a document where no expression may stand: with units.
  case plain
  /// In a journal or a report: sizes and percentages as numbers, durations and moments as literals, absent values as null.
  case report
}

/// JSON Schema, draft 2020-12, of declared types.
package enum JSONSchema {
  /// A whole schema document.
  ///
  /// - Parameters:
  ///   - schema: what ``ValueType/jsonSchema(_:)`` or ``RecordType/jsonSchema(_:)`` gives, or a schema made of those.
  ///   - definitions: further entries of `$defs`.
  package static func document(
    title: String, description: String? = nil, _ schema: JSON, definitions: [JSON.Member] = []
  ) -> JSON {
    guard case .object(let members) = schema else { return schema }
    var all: [JSON.Member] = [
      .init("$schema", "https://json-schema.org/draft/2020-12/schema"), .init("title", .string(title)),
    ]
    if let description { all.append(.init("description", .string(description))) }
    all += members.filter { $0.name != "title" && $0.name != "description" }
    all.append(.init("$defs", .object([.init(expressionName, expression)] + definitions)))
    return .object(all)
  }

  private static let expressionName = "expression"

  /// A text that holds an expression; every document of ours defines it.
  static let expressionReference: JSON = ["$ref": .string("#/$defs/\(expressionName)")]

  private static let expression: JSON = [
    "description": "Text that holds an expression, such as ${params.packets}.", "type": "string",
    "pattern": #"\$\{[\s\S]*\}"#,
  ]
}

extension RecordType {
  /// An object with these fields and no others.
  package func jsonSchema(_ notation: JSONNotation) -> JSON {
    // What a journal holds has every field; in a runbook a field with a fallback may be left out.
    let required = fields.filter { notation == .report || $0.isRequired }
    var members: [JSON.Member] = [
      .init("type", "object"),
      .init("properties", .object(fields.map { JSON.Member($0.name, $0.jsonSchema(notation)) })),
      .init("additionalProperties", false),
    ]
    if !required.isEmpty { members.append(.init("required", .array(required.map { .string($0.name) }))) }
    return .object(members)
  }
}

extension FieldDeclaration {
  /// The field's type with its summary, limits and fallback.
  package func jsonSchema(_ notation: JSONNotation) -> JSON {
    var members: [JSON.Member] = [.init("description", .string(description))]
    if notation != .report, let fallback, fallback != .null {
      members.append(.init("default", type.literal(fallback)))
    }
    guard case .object(let rest) = type.jsonSchema(notation, bounds: bounds) else { return .object(members) }
    if mustHoldSomething { members.append(.init("minItems", 1)) }
    return .object(members + rest)
  }

  /// The summary, with the limits that a schema can not express.
  private var description: String {
    guard let bounds else { return summary }
    return summary + " From \(type.shown(bounds.minimum)) to \(type.shown(bounds.maximum))."
  }
}

extension ValueType {
  /// What values of the type look like. Where text and type share a form, as hosts and paths do with any text, the schema
  /// is wider than the type; it refuses nothing that is valid.
  package func jsonSchema(_ notation: JSONNotation) -> JSON { jsonSchema(notation, bounds: nil) }

  fileprivate func jsonSchema(_ notation: JSONNotation, bounds: Bounds?) -> JSON {
    switch (self, notation) {
    case (.optional(let wrapped), .report):
      ["anyOf": [wrapped.jsonSchema(.report, bounds: bounds), ["type": "null"]]]
    case (.secret, .report): ["const": .string(Secret.mask)]
    case (.optional(let wrapped), _), (.secret(let wrapped), _): wrapped.jsonSchema(notation, bounds: bounds)
    case (_, .report), (_, .plain): value(notation, bounds)
    case (_, .runbook) where admitsAnyText: value(.runbook, bounds)
    case (_, .runbook): ["anyOf": [value(.runbook, bounds), JSONSchema.expressionReference]]
    }
  }

  /// True for types whose runbook form is any scalar, so that text with an expression needs no word of its own.
  private var admitsAnyText: Bool {
    switch self {
    case .any, .string, .host, .path: true
    default: false
    }
  }

  private func value(_ notation: JSONNotation, _ bounds: Bounds?) -> JSON {
    switch self {
    case .any: [:]
    case .bool: scalar("boolean", quoted: "true|false", notation)
    case .int: scalar("integer", quoted: "[-+]?[0-9]+", notation, limits(bounds))
    case .double where notation == .report: limited(["number", "string"], bounds)
    case .double: scalar("number", quoted: "[-+.eE0-9]+", notation, limits(bounds))
    case .port: scalar("integer", quoted: "[0-9]+", notation, [.init("minimum", 1), .init("maximum", 65_535)])
    case .byteSize, .bandwidth: notation == .report ? limited("integer", bounds) : literal
    case .percent: notation == .report ? limited(["number", "string"], bounds) : literal
    case .duration: literal
    // YAML reads 42 and true as other types; in a runbook the declared type decides.
    case .string, .host, .path: text(notation)
    case .bytes: ["type": "string", "contentEncoding": "base64"]
    case .timestamp: ["type": "string", "format": "date-time"]
    case .ip: ["type": "string", "anyOf": [["format": "ipv4"], ["format": "ipv6"]]]
    case .cidr: ["type": "string", "pattern": "^[0-9A-Fa-f:.]+/[0-9]{1,3}$"]
    case .url: ["type": "string", "pattern": "^[A-Za-z]+://"]
    case .turnURI: ["type": "string", "pattern": "^(stuns?|turns?):"]
    case .cron: ["type": "string", "pattern": #"^\S+( +\S+){4}$"#]
    case .turnServer: TURNServer.recordType.jsonSchema(notation)
    case .enumeration(let names): ["enum": .array(names.map(JSON.string))]
    case .list(let element): ["type": "array", "items": element.jsonSchema(notation)]
    case .map(let element): ["type": "object", "additionalProperties": element.jsonSchema(notation)]
    case .record(let record): record.jsonSchema(notation)
    case .optional(let wrapped), .secret(let wrapped): wrapped.value(notation, bounds)
    }
  }

  private func text(_ notation: JSONNotation) -> JSON {
    switch notation {
    case .report: ["type": "string"]
    case .runbook: ["type": ["string", "number", "boolean"]]
    // `${` is refused, and `$${` stands for it.
    case .plain: ["type": ["string", "number", "boolean"], "pattern": #"^([^$]|\$\$\{|\$(?!\{))*$"#]
    }
  }

  /// A scalar; in a document quotes make no difference.
  private func scalar(_ type: JSON, quoted pattern: String, _ notation: JSONNotation, _ limits: [JSON.Member] = [])
    -> JSON
  {
    guard notation != .report else { return .object([.init("type", type)] + limits) }
    return .object([.init("type", [type, "string"]), .init("pattern", .string("^(\(pattern))$"))] + limits)
  }

  private func limited(_ type: JSON, _ bounds: Bounds?) -> JSON { .object([.init("type", type)] + limits(bounds)) }

  private func limits(_ bounds: Bounds?) -> [JSON.Member] {
    bounds.map { [.init("minimum", $0.minimum.json), .init("maximum", $0.maximum.json)] } ?? []
  }

  /// Text with a unit.
  private var literal: JSON {
    let number = #"[0-9]+(\.[0-9]+)?"#
    let pattern =
      switch self {
      case .byteSize: "\(number)(B|[kK]B|[MGT]B|[KMGT]iB)"
      case .bandwidth: "\(number)[kMG]?bps"
      case .percent: "\(number)%"
      default: "-?(\(number)(ns|us|µs|ms|s|m|h|d|w))+"
      }
    return ["type": "string", "pattern": .string("^\(pattern)$")]
  }

  /// A value as people write it where the type is due.
  package func shown(_ value: Value) -> String {
    let literal = literal(value)
    return literal.string ?? literal.text()
  }
}
