internal import Schema

extension Node.Scalar {
  /// The comment on the scalar's last line behind it, or on the header line of a block; nil where there is none.
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
