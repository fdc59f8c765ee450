package import Schema

/// A file that must be there when a step begins.
package struct RequiredFile: Hashable, Sendable {
  package let path: String
  /// The step's path: `configuration/audit`.
  package let step: String
  /// Where it is named.
  package var place: SourceRange

  package init(path: String, step: String, place: SourceRange) {
    (self.path, self.step, self.place) = (path, step, place)
  }
}

extension [RequiredFile] {
  /// Those that were given by hand, each at its `-p`.
  func given(by values: [String: Value]) -> [RequiredFile] {
    flatMap { file in
      values.filter { $0.value.names(file.path) }.keys.sorted().prefix(1).map { name in
        var file = file
        file.place = SourceRange(file: "-p \(name)", line: 1, column: 1)
        return file
      }
    }
  }
}

extension Value {
  fileprivate func names(_ path: String) -> Bool {
    switch self {
    case .string(let text): text == path
    case .list(let values): values.contains { $0.names(path) }
    default: false
    }
  }
}
