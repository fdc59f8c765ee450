internal import Schema

/// Where in a file each part of a scalar's text stands: through escapes, folded lines and the indentation of blocks.
struct ScalarPositions {
  private let source: SourceText
  /// For each octet of the text's UTF-8 the index in the source of the scalar that it is part of; one more for the end.
  private let indices: [Int]

  init(_ scalar: YAMLNode.Scalar) {
    var scanner = Scanner(scalar)
    source = scalar.source
    indices = scanner.indices()
  }

  /// The range in the file of a range of UTF-8 offsets of the text.
  func range(_ start: Int, _ end: Int) -> SourceRange {
    let first = index(ofOffset: start)
    // The end is taken from the last character inside, so that an escape at the end is underlined whole.
    return source.range(first, max(first + 1, end > start ? index(ofOffset: end) : first + 1))
  }

  private func index(ofOffset offset: Int) -> Int {
    indices[min(max(0, offset), indices.count - 1)]
  }
}

/// Walks through the written form of a scalar and its text side by side.
private struct Scanner {
  private let scalars: [Unicode.Scalar]
  private let style: YAMLNode.Scalar.ScalarStyle
  private let text: String.UnicodeScalarView
  private var position: Int
  private let end: Int

  init(_ scalar: YAMLNode.Scalar) {
    scalars = scalar.source.scalars
    style = scalar.style
    text = scalar.text.unicodeScalars
    end = min(scalar.end, scalars.count)
    position = min(scalar.start, end)
    switch style {
    case .plain: break
    case .singleQuoted, .doubleQuoted: position += 1
    case .literal, .folded:
      while position < end, scalars[position] != "\n" { position += 1 }
      position += 1
    }
  }

  mutating func indices() -> [Int] {
    var indices: [Int] = []
    for wanted in text {
      skip(to: wanted)
      indices += repeatElement(position, count: UTF8.width(wanted))
      position = min(end, position + length(of: wanted))
    }
    indices.append(style == .singleQuoted || style == .doubleQuoted ? min(position, end - 1) : position)
    return indices
  }

  /// Passes by what is written and is not part of the text: indentation, breaks that a space stands for.
  private mutating func skip(to wanted: Unicode.Scalar) {
    while position < end {
      let here = scalars[position]
      if style == .doubleQuoted, here == "\\" {
        guard position + 1 < end, isBreak(scalars[position + 1]) else { return }
        position += 2
      } else if here == wanted || (wanted == " " && isBreak(here)) || !(here == " " || here == "\t" || isBreak(here)) {
        return
      } else {
        position += 1
      }
    }
  }

  private func isBreak(_ scalar: Unicode.Scalar) -> Bool { scalar == "\n" || scalar == "\r" }

  /// How many scalars are written for the one at hand.
  private func length(of wanted: Unicode.Scalar) -> Int {
    guard position < end else { return 0 }
    switch (style, scalars[position]) {
    case (.singleQuoted, "'"): return 2
    case (.doubleQuoted, "\\"):
      guard position + 1 < end else { return 1 }
      switch scalars[position + 1] {
      case "x": return 4
      case "u": return 6
      case "U": return 10
      default: return 2
      }
    default: return 1
    }
  }
}
