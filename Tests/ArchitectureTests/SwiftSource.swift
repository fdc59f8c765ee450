import Foundation

/// Reads calls out of Swift sources, as far as their texts go: names, labels, and the string literals of arguments.
struct SwiftSource {
  private let characters: [Character]

  init(_ text: String) { characters = Array(text) }

  struct Argument {
    var label: String?
    /// As written.
    var source: String
    /// The string literals in it, `…` for what is put into them; those that `+` joins are one.
    var literals: [String]
  }

  /// The arguments of every call whose text up to its parenthesis the pattern matches, with what it matched.
  func calls(_ pattern: Regex<Substring>) -> [(name: String, arguments: [Argument])] {
    let text = String(characters)
    return text.matches(of: pattern).compactMap { match in
      let open = text.distance(from: text.startIndex, to: match.range.upperBound) - 1
      guard open >= 0, characters[open] == "(", let arguments = arguments(at: open) else { return nil }
      return (String(match.output), arguments)
    }
  }

  private func arguments(at open: Int) -> [Argument]? {
    guard let end = closing(open) else { return nil }
    var arguments: [Argument] = []
    var (start, position) = (open + 1, open + 1)
    while position < end - 1 {
      if characters[position] == "," {
        arguments.append(argument(start..<position))
        start = position + 1
      }
      guard let next = skipped(position) else { return nil }
      position = next
    }
    if start < end - 1 { arguments.append(argument(start..<(end - 1))) }
    return arguments
  }

  private func argument(_ range: Range<Int>) -> Argument {
    let source = String(characters[range]).trimmingCharacters(in: .whitespacesAndNewlines)
    let label = source.prefixMatch(of: /([A-Za-z]+):\s/).map { String($0.1) }
    return Argument(label: label, source: source, literals: literals(in: range))
  }

  private func literals(in range: Range<Int>) -> [String] {
    var found: [String] = []
    var lastEnd: Int?
    var position = range.lowerBound
    while position < range.upperBound {
      guard let (end, text) = literal(at: position) else {
        position += 1
        continue
      }
      let between = lastEnd.map { String(characters[$0..<position]).trimmingCharacters(in: .whitespacesAndNewlines) }
      if between == "+", let last = found.popLast() { found.append(last + text) } else { found.append(text) }
      (lastEnd, position) = (end, end)
    }
    return found
  }

  /// What follows the character, the literal, the comment or the bracket with what is in it; nil at the end of the source.
  private func skipped(_ position: Int) -> Int? {
    if let (end, _) = literal(at: position) { return end }
    if characters[position] == "/", position + 1 < characters.count, characters[position + 1] == "/" {
      return characters[position...].firstIndex(of: "\n")
    }
    return "([{".contains(characters[position]) ? closing(position) : position + 1
  }

  /// What follows the bracket that closes the one here.
  private func closing(_ open: Int) -> Int? {
    var position = open + 1
    while position < characters.count {
      if ")]}".contains(characters[position]) { return position + 1 }
      guard let next = skipped(position) else { return nil }
      position = next
    }
    return nil
  }

  /// The string literal that begins here, and what follows it.
  private func literal(at start: Int) -> (end: Int, text: String)? {
    var position = start
    while position < characters.count, characters[position] == "#" { position += 1 }
    let hashes = position - start
    guard position < characters.count, characters[position] == "\"" else { return nil }
    let isLong = starts(with: "\"\"\"", at: position)
    position += isLong ? 3 : 1
    let end = (isLong ? "\"\"\"" : "\"") + String(repeating: "#", count: hashes)
    let escape = "\\" + String(repeating: "#", count: hashes)
    var text = ""
    while position < characters.count {
      if starts(with: end, at: position) { return (position + end.count, text) }
      guard starts(with: escape, at: position) else {
        text.append(characters[position])
        position += 1
        continue
      }
      position += escape.count
      guard position < characters.count else { return nil }
      if characters[position] == "(" {
        guard let next = closing(position) else { return nil }
        text += "…"
        position = next
      } else {
        text += characters[position] == "n" ? "\n" : characters[position] == "u" ? "" : String(characters[position])
        position += 1
      }
    }
    return nil
  }

  private func starts(with text: String, at position: Int) -> Bool {
    position + text.count <= characters.count && characters[position..<(position + text.count)].elementsEqual(text)
  }
}
