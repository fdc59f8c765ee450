import ArgumentParser

/// How a command that makes no report of a run shows what it found.
package enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case text
  case json
}

/// `KEY=VALUE`: the value of a parameter, as text.
package struct GivenParameter: ExpressibleByArgument, Hashable, Sendable {
  package let name: String
  package let value: String

  package init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
    name = String(argument[..<equals])
    value = String(argument[argument.index(after: equals)...])
  }

  /// Throws `ValidationError` if a name is given two values: neither is the one that was meant for sure.
  static func refuseRepetition(in given: [GivenParameter], option: String = "-p") throws {
    var names: Set<String> = []
    for parameter in given where !names.insert(parameter.name).inserted {
      throw ValidationError("\(option) \(parameter.name) is given more than once")
    }
  }
}
