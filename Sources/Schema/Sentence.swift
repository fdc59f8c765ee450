/// A sentence of this tool about what it saw. It knows which of its parts are words of the source code and which came from outside, so
/// that ``SecretMasking`` leaves the first alone: a password such as `refused` must not blacken the word in "refused Allocate", which
/// would tell everybody what the password is.
///
/// In an interpolation the literal parts are the tool's own; what is interpolated came from outside, unless it is a sentence itself. A text
/// that is not built in place counts as coming from outside as a whole.
package struct Sentence: Hashable, Sendable {
  package private(set) var text: String
  /// The tool's own parts: ranges of ``text`` in UTF-8, ascending, none empty.
  private(set) var own: [Range<Int>]

  /// A text that came from outside, or of which that is not known.
  package init(outside text: String) {
    self.text = text
    own = []
  }

  package var isEmpty: Bool { text.isEmpty }

  package mutating func append(_ other: Sentence) {
    let offset = text.utf8.count
    text += other.text
    own += other.own.map { ($0.lowerBound + offset)..<($0.upperBound + offset) }
  }

  package static func + (left: Sentence, right: Sentence) -> Sentence {
    var sum = left
    sum.append(right)
    return sum
  }

  /// Puts another sentence in the place of the one at the end, where that stands there.
  package mutating func replaceEnd(_ end: Sentence, with other: Sentence) {
    guard text.hasSuffix(end.text) else { return }
    let kept = text.utf8.count - end.text.utf8.count
    text = String(decoding: text.utf8.prefix(kept), as: UTF8.self)
    own = own.compactMap { part in part.lowerBound < kept ? part.lowerBound..<min(part.upperBound, kept) : nil }
    append(other)
  }

  /// The same without its last character, which is its full stop.
  package var withoutFullStop: Sentence {
    var rest = self
    rest.replaceEnd(".", with: "")
    return rest
  }

  fileprivate mutating func append(own literal: String) {
    guard !literal.isEmpty else { return }
    let start = text.utf8.count
    text += literal
    own.append(start..<text.utf8.count)
  }
}

extension Sentence: ExpressibleByStringInterpolation {
  package init(stringLiteral literal: String) {
    self.init(outside: "")
    append(own: literal)
  }

  package init(stringInterpolation: StringInterpolation) { self = stringInterpolation.sentence }

  package struct StringInterpolation: StringInterpolationProtocol {
    fileprivate var sentence = Sentence(outside: "")

    package init(literalCapacity: Int, interpolationCount: Int) {}

    package mutating func appendLiteral(_ literal: String) { sentence.append(own: literal) }

    package mutating func appendInterpolation(_ sentence: Sentence) { self.sentence.append(sentence) }

    package mutating func appendInterpolation(_ value: some Any) {
      sentence.append(Sentence(outside: String(describing: value)))
    }
  }
}

extension Sentence: CustomStringConvertible {
  package var description: String { text }
}

extension [Sentence] {
  /// One sentence behind the other, with a blank between.
  package var joined: Sentence {
    reduce(into: Sentence(outside: "")) { whole, sentence in
      if !whole.isEmpty { whole.append(" ") }
      whole.append(sentence)
    }
  }
}

extension String {
  /// The same without a full stop at its end.
  package var withoutFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
