internal import Schema

/// The keys of a check.
package enum CheckKey: String, DocumentKey {
  case check, title, doc, inputs, outputs, steps
  case lock, timeout

  package static let mappingName = "check"

  package var declaration: KeyDeclaration {
    switch self {
    case .check: .init(.name(.hyphenated), "Its name, that of its file.", .required, example: "answers")
    case .title: .init(.plain(.string), "What it is called.", example: "The server answers in time")
    case .doc: .init(.prose, "What it is for.")
    case .inputs:
      .init(
        .named(ParameterKey.self), "What the step gives that uses it, see L30.",
        example: ["server": ["type": "turn-server", "doc": "The server under test"]])
    case .outputs:
      .init(
        .named(OutputKey.self), "What that step gets, see L30.",
        example: ["rtt": ["type": "duration", "value": "steps.binding.output.rtt.p95"]])
    case .steps: .init(.list(StepKey.self), "What is done, in this order.", .required)
    case .lock:
      .init(
        .template(.string), "What only one run at a time may work on, see L44. `inputs` may be used.",
        example: "${inputs.container}")
    case .timeout: .unsupported
    }
  }
}

/// The keys of one output of a check.
package enum OutputKey: String, DocumentKey {
  case type, value, doc

  package static let mappingName = "output"

  package var declaration: KeyDeclaration {
    switch self {
    case .type: .init(.typeName, "Its type, see L11.", .required, example: "duration")
    case .value:
      .init(
        .expression(.any), "Evaluated once all steps have ended.", .required, example: "steps.binding.output.rtt.p95")
    case .doc: .init(.prose, "What it means.")
    }
  }
}

/// The keys of one param of a runbook, and of one input of a check.
package enum ParameterKey: String, DocumentKey {
  case type, `default`, doc

  package static let mappingName = "parameter"

  package var declaration: KeyDeclaration {
    switch self {
    case .type: .init(.typeName, "Its type, see L11.", .required, example: "duration")
    case .default:
      .init(.anything, "Taken if none is given. Without it a value must be given, unless the type is optional.")
    case .doc: .init(.prose, "What it is for.")
    }
  }
}
