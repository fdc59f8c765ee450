internal import Schema

/// A node of a YAML document: the text, where it stands, and nothing guessed.
indirect enum YAMLNode {
  case scalar(Scalar)
  case mapping(Mapping)
  case sequence(Sequence)
  /// Something that was refused and reported; whoever meets it says nothing more.
  case refused(SourceRange)

  struct Scalar {
    /// What the scalar stands for, escapes and folding resolved.
    var text: String
    var style: ScalarStyle
    /// Indices of scalars in ``source``, quotes and block headers included.
    var start: Int
    var end: Int
    var source: SourceText

    enum ScalarStyle {
      case plain
      case singleQuoted
      case doubleQuoted
      case literal
      case folded
    }

    var range: SourceRange { source.range(start, end) }

    /// True for `key:` with nothing behind it.
    var isMissing: Bool { style == .plain && text.isEmpty }
  }

  struct Mapping {
    var entries: [Entry]
    var range: SourceRange

    struct Entry {
      var key: Scalar
      var value: YAMLNode
    }

    /// The value of the first entry with this key.
    subscript(_ key: String) -> YAMLNode? { entries.first { $0.key.text == key }?.value }
  }

  struct Sequence {
    var elements: [YAMLNode]
    var range: SourceRange
  }

  /// True for `key:` with nothing behind it, and for a word between commas of a flow mapping.
  var isMissingScalar: Bool { if case .scalar(let scalar) = self { scalar.isMissing } else { false } }

  /// Where the node begins; of a mapping or sequence its first line.
  var range: SourceRange {
    switch self {
    case .scalar(let scalar): scalar.range
    case .mapping(let mapping): mapping.range
    case .sequence(let sequence): sequence.range
    case .refused(let range): range
    }
  }

  /// What the node is, as a sentence names it.
  var kind: String {
    switch self {
    case .scalar(let scalar): scalar.isMissing ? "nothing" : "text"
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .refused: "something that was refused"
    }
  }
}

extension YAMLNode.Scalar {
  /// The comment on the scalar's last line behind it, or on the header line of a block; nil if there is none.
  var comment: SourceRange? {
    let isBlock = style == .literal || style == .folded
    let line = source.line(at: isBlock ? start : max(start, end - 1))
    let scalars = source.scalars(ofLine: line)
    var index = isBlock ? start : min(end, scalars.endIndex)
    var quote: Unicode.Scalar?
    while index < scalars.endIndex {
      let scalar = scalars[index]
      if let open = quote {
        if scalar == open { quote = nil }
      } else if scalar == "#", index > scalars.startIndex, scalars[index - 1] == " " || scalars[index - 1] == "\t" {
        return source.range(index, scalars.endIndex)
      } else if scalar == "\"" || scalar == "'" {
        quote = scalar
      }
      index += 1
    }
    return nil
  }
}
