package import Schema

/// Why a probe could not find what it looked for: a code for machines, and for people what happened, on what, and where
/// to look next.
package struct ProbeFailure: Error, Sendable, Hashable {
  /// What went wrong, as a stable name like `turn.unauthorized`.
  package struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
  }

  /// One thing that the probe itself saw.
  package struct Evidence: Sendable, Hashable {
    package let name: String
    package let value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }

    /// As many of a list as somebody may want to read; a server can make it as long as it likes.
    init(_ name: String, list: some Collection<some CustomStringConvertible>) {
      self.init(name, Self.text(of: list, separator: " "))
    }

    /// The first of a list, and how many more there are.
    static func text(of list: some Collection<some CustomStringConvertible>, separator: String) -> String {
      let shown = list.prefix(most).map(\.description).joined(separator: separator)
      return list.count > most ? "\(shown) and \(list.count - most) more" : shown
    }

    private static let most = 16
  }

  package let code: Code
  /// What failed, and on what; one sentence.
  package var message: String { sentence.text }
  /// What to look at next; one or two sentences. Empty if there is nothing to look at.
  package var advice: String { advisory.text }
  /// ``message``, which knows what of it came from outside.
  package let sentence: Sentence
  /// ``advice``, which knows what of it came from outside.
  package let advisory: Sentence
  /// What the probe saw, in the order of its seeing it. Never a secret.
  package var evidence: [Evidence]

  /// A failure whose texts are built in place: their literal parts are the tool's own.
  package init(_ code: Code, _ message: Sentence, advice: Sentence = "", evidence: [Evidence] = []) {
    self.code = code
    sentence = message
    advisory = advice
    self.evidence = evidence
  }

  /// A failure whose texts were built elsewhere: all of them counts as coming from outside.
  @_disfavoredOverload
  package init(_ code: Code, _ message: String, advice: String = "", evidence: [Evidence] = []) {
    self.init(code, Sentence(outside: message), advice: Sentence(outside: advice), evidence: evidence)
  }

  /// The value of the first evidence of this name.
  package func evidence(_ name: String) -> String? { evidence.first { $0.name == name }?.value }
}

extension ProbeFailure: CustomStringConvertible {
  /// Code, message and advice, in one line.
  package var description: String { "\(code): \(message)" + (advice.isEmpty ? "" : " \(advice)") }
}
