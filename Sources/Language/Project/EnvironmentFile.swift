internal import Schema

/// A file of `NAME=VALUE` lines, as `.env` holds them.
struct EnvironmentFile {
  private(set) var values: [String: String] = [:]
  /// Where each name stands.
  private(set) var places: [String: SourceRange] = [:]

  /// Reads lines of `NAME=VALUE`, with `export` before them or not.
  ///
  /// A value in single quotes is taken as it stands; in double quotes `\n`, `\t`, `\"`, `\\` and `\$` are escapes; without
  /// quotes it ends before ` #`. Nothing is expanded. The last of two lines with one name counts.
  init(_ bytes: [UInt8], file: String, log: IssueLog) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      log.error(
        "not-utf-8", "the file is not UTF-8", at: SourceRange(file: file, line: 1, column: 1),
        suggestion: "save the file as UTF-8")
      return
    }
    let source = SourceText(file: file, text: text)
    for number in 1...source.lineCount { read(source.scalars(ofLine: number), source, log) }
  }

  /// Leaves out these names.
  mutating func forget(_ names: [String]) {
    for name in names { (values[name], places[name]) = (nil, nil) }
  }

  private mutating func read(_ line: ArraySlice<Unicode.Scalar>, _ source: SourceText, _ log: IssueLog) {
    var rest = line.drop(while: isBlank)
    guard let first = rest.first, first != "#" else { return }
    if rest.starts(with: "export ".unicodeScalars) { rest = rest.dropFirst(7).drop(while: isBlank) }
    let name = rest.prefix { isNameScalar($0) }
    let behind = rest[name.endIndex...]
    guard !name.isEmpty, !("0"..."9").contains(name[name.startIndex]), behind.first == "=" else {
      log.error(
        "environment-line", "expected NAME=VALUE", at: source.range(rest.startIndex, line.endIndex),
        suggestion: "a comment begins with #")
      return
    }
    let key = String(String.UnicodeScalarView(name))
    places[key] = source.range(name.startIndex, name.endIndex)
    do throws(LineError) {
      values[key] = try value(behind.dropFirst())
    } catch {
      log.error("environment-line", error.message, at: source.range(error.index, line.endIndex))
    }
  }

  private struct LineError: Error {
    var message: String
    var index: Int
  }

  private func value(_ text: ArraySlice<Unicode.Scalar>) throws(LineError) -> String {
    let text = text.drop(while: isBlank)
    guard let quote = text.first, quote == "\"" || quote == "'" else { return plain(text) }
    var result = String.UnicodeScalarView()
    var index = text.startIndex + 1
    while index < text.endIndex, text[index] != quote {
      if quote == "\"", text[index] == "\\", index + 1 < text.endIndex {
        index += 1
        result.append(contentsOf: Self.escape(text[index]))
      } else {
        result.append(text[index])
      }
      index += 1
    }
    guard index < text.endIndex else { throw LineError(message: "the quote is not closed", index: text.startIndex) }
    let rest = text[(index + 1)...].drop(while: isBlank)
    guard rest.isEmpty || rest.first == "#" else {
      throw LineError(message: "unexpected text behind the closing quote", index: rest.startIndex)
    }
    return String(result)
  }

  private static func escape(_ scalar: Unicode.Scalar) -> [Unicode.Scalar] {
    switch scalar {
    case "n": ["\n"]
    case "t": ["\t"]
    case "\"", "\\", "$": [scalar]
    default: ["\\", scalar]
    }
  }

  private func plain(_ text: ArraySlice<Unicode.Scalar>) -> String {
    var end = text.endIndex
    for index in text.indices where text[index] == "#" && (index == text.startIndex || isBlank(text[index - 1])) {
      end = index
      break
    }
    while end > text.startIndex, isBlank(text[end - 1]) { end -= 1 }
    return String(String.UnicodeScalarView(text[text.startIndex..<end]))
  }
}

private func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }

private func isNameScalar(_ scalar: Unicode.Scalar) -> Bool {
  ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
}
