internal import Notices
package import Schema
package import Steps

/// JSON Schema (draft 2020-12) of a runbook, a check, a backup set or `runbook.yaml`, for editors.
///
/// It knows the keys that ``DocumentKey`` declares and every module's inputs. What only the checker can tell, such as names that
/// expressions use, it lets pass.
package func documentSchema(catalog: Catalog) -> JSON {
  JSONSchema.document(
    title: "runbook", description: "A document of runbook: a runbook, a check, a backup set, or runbook.yaml.",
    // Rather than `oneOf`, so that an editor says of a document what is wrong with its own kind alone.
    [
      "if": ["required": [.string(RunbookKey.runbook.name)]], "then": RunbookKey.reference,
      "else": [
        "if": ["required": [.string(CheckKey.check.name)]], "then": CheckKey.reference,
        "else": [
          "if": ["required": [.string(BackupKey.backup.name)]], "then": BackupKey.reference,
          "else": ProjectKey.reference,
        ],
      ],
    ],
    definitions: KeyReference.mappings.map { $0.definition(catalog) })
}

extension DocumentKey {
  /// The entry of `$defs` that the mapping has.
  private static var definitionName: String { mappingName.replacing(" ", with: "-") }

  fileprivate static var reference: JSON { ["$ref": .string("#/$defs/\(definitionName)")] }

  fileprivate static func definition(_ catalog: Catalog) -> JSON.Member {
    let required = supported.filter { $0.declaration.presence == .required }.map { JSON.string($0.name) }
    let alternatives = supported.filter { $0.declaration.presence == .alternative }
    var members: [JSON.Member] = [
      .init("type", "object"),
      .init("properties", .object(supported.map { .init($0.name, $0.declaration.schema(catalog)) })),
      .init("additionalProperties", false),
    ]
    if !required.isEmpty { members.append(.init("required", .array(required))) }
    if !alternatives.isEmpty {
      members.append(.init("oneOf", .array(alternatives.map { ["required": [.string($0.name)]] })))
    }
    let companions = supported.filter { !$0.declaration.companions.isEmpty }
    if !companions.isEmpty {
      let needed = companions.map { JSON.Member($0.name, .array($0.declaration.companions.map(JSON.string))) }
      members.append(.init("dependentRequired", .object(needed)))
    }
    if self == StepKey.self {
      members.append(.init("allOf", .array(catalog.modules.map(inputs) + Question.Kind.allCases.map(asked))))
    }
    if self == ChannelKey.self { members.append(.init("allOf", .array(ChannelKind.allCases.map(keys(of:))))) }
    return .init(definitionName, .object(members))
  }

  /// What a channel of a kind needs, and what it cannot have.
  private static func keys(of kind: ChannelKind) -> JSON {
    func need(_ keys: ChannelKey...) -> JSON { ["required": .array(keys.map { .string($0.name) })] }
    let needed: JSON =
      switch kind {
      case .email: need(.server, .tls, .from, .to)
      case .slack: ["oneOf": [need(.webhook), need(.token, .channel)]]
      case .webhook: ["oneOf": .array([withoutTemplate] + NoticeService.allCases.map(keys(of:)))]
      case .alertmanager: ["allOf": [need(.url), ["not": need(.token, .password)]]]
      case .twilio: need(.account, .token, .from, .to)
      case .command: need(.command)
      case .file: need(.path)
      }
    let others = ChannelKey.allCases.filter { !$0.belongs(to: kind) }
    return [
      "if": ["properties": ["kind": ["const": .string(kind.rawValue)]], "required": ["kind"]],
      "then": ["allOf": [needed, ["properties": .object(others.map { .init($0.name, false) })]]],
    ]
  }

  /// What a webhook needs that has no template.
  private static var withoutTemplate: JSON {
    let others: [ChannelKey] = [.template, .channel]
    return [
      "oneOf": [["required": [.string(ChannelKey.url.name)]], ["required": [.string(ChannelKey.webhook.name)]]],
      "properties": .object(others.map { .init($0.name, false) }),
    ]
  }

  /// What a webhook with a template needs, and what it cannot have.
  private static func keys(of service: NoticeService) -> JSON {
    let (needed, others): ([ChannelKey], [ChannelKey]) =
      switch service {
      case .matrix: ([.url, .token, .channel], [.webhook])
      case .ntfy: ([.channel], [])
      case .pagerduty: ([.token], [.webhook, .channel])
      case .teams: ([.webhook], [.url, .token, .channel])
      }
    let refused = others + [.body, .method, .headers]
    return [
      "required": .array((needed + [.template]).map { .string($0.name) }),
      "properties": .object(
        [.init(ChannelKey.template.name, ["const": .string(service.rawValue)])]
          + refused.map { .init($0.name, false) }),
    ]
  }

  /// What a step needs that asks people.
  private static func asked(_ kind: Question.Kind) -> JSON {
    let others: [QuestionKey] =
      switch kind {
      case .confirm: [.fields, .approvers]
      case .form: [.approvers]
      case .approve: [.fields]
      }
    var with: [JSON.Member] = [.init("properties", .object(others.map { .init($0.name, false) }))]
    if kind == .form { with.append(.init("required", ["fields"])) }
    let steps: [StepKey] = [.retry, .until, .effect, .diagnostic]
    return [
      "if": ["properties": ["use": ["const": .string(kind.use)]], "required": ["use"]],
      "then": [
        "required": ["with", "timeout"],
        "properties": .object(
          [.init("with", ["allOf": [QuestionKey.reference, .object(with)]])]
            + steps.map { .init($0.name, false) }),
      ],
    ]
  }

  /// What `with` takes where the step uses a module.
  private static func inputs(_ module: AnyStepModule) -> JSON {
    let needed: JSON = module.input.fields.contains(where: \.isRequired) ? [.string(StepKey.with.name)] : []
    return [
      "if": ["properties": ["use": ["const": .string(module.name)]], "required": ["use"]],
      "then": ["properties": ["with": module.input.jsonSchema(.runbook)], "required": needed],
    ]
  }
}

extension KeyDeclaration {
  /// What stands behind the key, with its description and example.
  fileprivate func schema(_ catalog: Catalog) -> JSON {
    var members: [JSON.Member] = [.init("description", .string(summary))]
    if let example { members.append(.init("examples", [example])) }
    guard case .object(let rest) = value.schema(catalog) else { return .object(members) }
    return .object(members + rest)
  }
}

extension KeyValue {
  fileprivate func schema(_ catalog: Catalog) -> JSON {
    switch self {
    case .prose: ValueType.string.jsonSchema(.runbook)
    case .plain(let type): type.jsonSchema(.plain)
    case .template(let type): type.jsonSchema(.runbook)
    case .expression: ["type": ["string", "boolean", "number"]]
    case .name(let form): form.schema
    case .typeName: ["type": "string", "pattern": .string(ValueType.writtenPattern)]
    case .count: ["type": "integer", "minimum": 1]
    case .moduleOrCheck:
      [
        "anyOf": [
          ["enum": .array((catalog.names + Question.Kind.allCases.map(\.use)).map(JSON.string))],
          ["type": "string", "pattern": "^checks/"],
        ]
      ]
    case .anything: [:]
    case .inputs: ["type": "object"]
    case .record(let record): record.jsonSchema(.plain)
    case .mapping(let keys): keys.reference
    case .named(let keys, let form):
      ["type": "object", "propertyNames": form.schema, "additionalProperties": keys.reference]
    case .list(let keys): ["type": "array", "minItems": 1, "items": keys.reference]
    case .conditions(let keys):
      [
        "type": "array", "minItems": 1,
        "items": ["if": ["type": "object"], "then": keys.reference, "else": ["type": ["string", "boolean"]]],
      ]
    }
  }
}

extension NameForm {
  fileprivate var schema: JSON {
    switch self {
    case .identifier: ["type": "string", "pattern": "^[a-z][A-Za-z0-9]*$"]
    case .hyphenated: ["type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"]
    }
  }
}
