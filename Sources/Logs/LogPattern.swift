/// What is looked for in the lines of a log, by a name.
package struct LogPattern: Hashable, Sendable {
  package var name: String
  /// A regular expression of RE2, found anywhere in the message; bytes stand for themselves. Nil if `all` decides.
  package var match: String?
  /// Each of these texts is in the line.
  package var all: [String]
  /// None of these texts is in the line.
  package var none: [String]

  package init(name: String, match: String? = nil, all: [String] = [], none: [String] = []) {
    self.name = name
    self.match = match
    self.all = all
    self.none = none
  }
}

/// A pattern that cannot be looked for.
package struct LogPatternError: Error, Hashable, Sendable {
  package let pattern: String
  package let message: String
}
