import ArgumentParser

/// Where a report goes, and how it looks.
package enum ReportFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case text
  case json
}

/// `F=FILE`: one more report, into a file.
package struct ReportFile: ExpressibleByArgument, Hashable, Sendable {
  package let format: ReportFormat
  package let path: String

  package init?(argument: String) {
    guard let equals = argument.firstIndex(of: "="), let format = ReportFormat(rawValue: String(argument[..<equals]))
    else { return nil }
    path = String(argument[argument.index(after: equals)...])
    guard !path.isEmpty else { return nil }
    self.format = format
  }
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
}
