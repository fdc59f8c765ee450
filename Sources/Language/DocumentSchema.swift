internal import Journal
package import Schema
package import Steps

/// JSON Schema (draft 2020-12) of a runbook, a check or `runbook.yaml`, for editors.
///
/// It knows every module's inputs. What only the checker can tell, such as names that expressions use, it lets pass.
package func documentSchema(catalog: Catalog) -> JSON {
  JSONSchema.document(
    title: "runbook", description: "A document of runbook: a runbook, a check, or runbook.yaml.",
    [
      "oneOf": [
        ["$ref": "#/$defs/runbookDocument"], ["$ref": "#/$defs/checkDocument"], ["$ref": "#/$defs/projectDocument"],
      ]
    ],
    definitions: [
      .init("runbookDocument", object(RunbookCompiler.keys, runbookProperties)),
      .init("checkDocument", object(CheckCompiler.keys, checkProperties)),
      .init("projectDocument", object(Project.keys, projectProperties)),
      .init("step", step(catalog)),
      .init("expectation", expectation),
      .init("parameter", object(ParameterReader.keys, ["type": text, "default": [:], "doc": text])),
      .init("secretSource", object(SecretSource.keys, ["env": text, "file": text, "credential": text])),
      .init("target", object(TargetDeclaration.keys, targetProperties)),
    ])
}

private let text: JSON = ["type": "string"]
private let duration: JSON = ValueType.duration.jsonSchema(.runbook)

private func map(of schema: JSON) -> JSON { ["type": "object", "additionalProperties": schema] }

private func choice(_ names: [String]) -> JSON { ["enum": .array(names.map(JSON.string))] }

/// The keys of a table with what is said of each: a key of which nothing is said takes anything.
private func object(_ keys: KeyTable, _ properties: [String: JSON]) -> JSON {
  [
    "type": "object", "required": .array(keys.required.map(JSON.string)), "additionalProperties": false,
    "properties": .object(keys.known.map { JSON.Member($0, properties[$0] ?? [:]) }),
  ]
}

private let steps: JSON = ["type": "array", "minItems": 1, "items": ["$ref": "#/$defs/step"]]

private let runbookProperties: [String: JSON] = [
  "runbook": text, "title": text, "doc": text, "severity": choice(["P1", "P2", "P3", "P4"]), "owner": text,
  "allow": ["type": "array", "items": choice(["observe", "record", "notify", "change"])],
  "params": map(of: ["$ref": "#/$defs/parameter"]), "timeout": duration, "steps": steps,
  "secrets": map(of: ["type": "object"]),
]

private let checkProperties: [String: JSON] = [
  "check": text, "title": text, "doc": text, "inputs": map(of: ["$ref": "#/$defs/parameter"]), "timeout": duration,
  "outputs": map(of: ["type": "object", "required": ["type", "value"]]), "steps": steps,
]

private let projectProperties: [String: JSON] = [
  "project": text, "targets": map(of: ["$ref": "#/$defs/target"]), "state": text,
  "retention": [
    "type": "object", "additionalProperties": false,
    "properties": [
      "olderThan": duration, "keep": ["type": "integer", "minimum": 1], "keepFailed": ["type": "boolean"],
    ],
  ],
]

private let targetProperties: [String: JSON] = [
  "server": text, "tlsServer": text, "username": text, "credential": ["$ref": "#/$defs/secretSource"],
  "secret": ["$ref": "#/$defs/secretSource"], "realm": text, "ca": text, "certificate": text, "key": text, "host": text,
  "labels": map(of: text),
]

private let expectation: JSON = [
  "oneOf": [
    text,
    [
      "type": "object", "required": ["that"], "additionalProperties": false,
      "properties": ["that": text, "severity": choice(["warn", "fail"]), "message": text],
    ],
  ]
]

private func step(_ catalog: Catalog) -> JSON {
  let properties: [String: JSON] = [
    "id": ["type": "string", "pattern": "^[a-z][A-Za-z0-9]*$"], "title": text, "doc": text,
    "use": [
      "anyOf": [
        choice(catalog.names), ["type": "string", "pattern": "^checks/"],
      ]
    ],
    "with": ["type": "object"], "if": text, "until": text, "timeout": duration, "diagnostic": ["type": "boolean"],
    "effect": choice([Effect.observe.rawValue]),
    "expect": ["type": "array", "minItems": 1, "items": ["$ref": "#/$defs/expectation"]],
    "retry": RetryPolicy.record.type.jsonSchema(.runbook), "onFailure": choice(["stop", "continue"]),
  ]
  guard case .object(let members) = object(StepDeclaration.keys, properties) else { return [:] }
  let inputs = catalog.modules.map { module -> JSON in
    [
      "if": ["properties": ["use": ["const": .string(module.name)]], "required": ["use"]],
      "then": ["properties": ["with": module.input.jsonSchema(.runbook)]],
    ]
  }
  return .object(members + [.init("allOf", .array(inputs))])
}
