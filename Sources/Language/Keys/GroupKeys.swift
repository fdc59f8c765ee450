internal import Schema

/// The keys of `parallel`.
package enum ParallelKey: String, DocumentKey {
  case limit, steps

  package static let mappingName = "parallel group"

  package var declaration: KeyDeclaration {
    switch self {
    case .limit: .init(.count, "How many go on at the same time at most. Without it, all.", example: 4)
    case .steps: .init(.list(StepKey.self), "The branches; none sees another.", .required)
    }
  }
}

/// The keys of `forEach`.
package enum ForEachKey: String, DocumentKey {
  case `in`, `as`, limit

  package static let mappingName = "loop"

  package var declaration: KeyDeclaration {
    switch self {
    case .in: .init(.expression(.list(.any)), "The list, evaluated once.", .required, example: "['udp', 'tcp']")
    case .as:
      .init(
        .name(.identifier), "The name of the element in the expressions of `steps`.", .required, example: "transport")
    case .limit: .init(.count, "How many elements go on at the same time at most. Without it, 1.", example: 4)
    }
  }
}

/// The keys of `phase`.
package enum PhaseKey: String, DocumentKey {
  case title, deadline, steps

  package static let mappingName = "phase"

  package var declaration: KeyDeclaration {
    switch self {
    case .title: .init(.template(.string), "What it is called, unless the step has a `title`.", example: "Contain")
    case .deadline:
      .init(.plain(.duration), "When it is to have ended, from the run's start.", .required, example: "15m")
    case .steps: .init(.list(StepKey.self), "What is done, in this order.", .required)
    }
  }
}
