/// Text in the macros of man(7), which groff and mandoc both read.
struct Roff {
  private(set) var text = ""

  /// A macro with its arguments, each of them quoted.
  mutating func macro(_ name: String, _ arguments: String...) {
    text += ".\(name)\(arguments.map { " \"\($0)\"" }.joined())\n"
  }

  /// Text that stands as it is written: `--option` can be copied.
  static func literal(_ text: String) -> String {
    text.unicodeScalars.map { scalar in
      switch scalar {
      case "\\": "\\e"
      case "-": "\\-"
      case "\"": "\\(dq"
      case "'": "\\(aq"
      case "`": "\\(ga"
      case "^": "\\(ha"
      case "~": "\\(ti"
      case _ where scalar.isASCII: String(scalar)
      default: "\\[u\(hexadecimal(scalar.value))]"
      }
    }.joined()
  }

  /// Running text, in which what stands between grave accents is shown bold.
  static func prose(_ text: String) -> String {
    text.split(separator: "`", omittingEmptySubsequences: false).enumerated()
      .map { $0 % 2 == 0 ? literal(String($1)) : "\\fB\(literal(String($1)))\\fR" }.joined()
  }

  /// At least four digits, as both programs want it.
  private static func hexadecimal(_ number: UInt32) -> String {
    let digits = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// A line as it is: at its beginning a full stop would be taken for a macro.
  mutating func line(_ roff: some StringProtocol) { text += (roff.hasPrefix(".") ? "\\&" : "") + roff + "\n" }

  /// Running text in lines that people can read in the file too.
  mutating func fill(_ roff: String) {
    var rest = roff[...]
    while rest.count > Self.width, let space = rest.prefix(Self.width).lastIndex(of: " ") {
      line(rest[..<space])
      rest = rest[rest.index(after: space)...]
    }
    line(rest)
  }

  private static let width = 79

  /// A word in bold, and what it means, indented below it.
  mutating func entry(_ term: String, _ meaning: String) {
    macro("TP")
    line(term)
    fill(meaning)
  }

  /// Paragraphs, and among them examples: lines that are indented, shown as they are.
  ///
  /// - Parameter goesOn: a paragraph stands before them already.
  mutating func paragraphs(_ text: String, goesOn: Bool) {
    var isExample = false
    var isNew = goesOn
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
      guard !line.isEmpty else {
        isNew = true
        continue
      }
      let wasExample = isExample
      isExample = line.hasPrefix("  ")
      if wasExample, !isExample { macro("EE") }
      if isNew || isExample != wasExample { macro("PP") }
      if isExample, !wasExample { macro("EX") }
      isNew = false
      if isExample { self.line(Roff.literal(line)) } else { fill(Roff.prose(line)) }
    }
    if isExample { macro("EE") }
  }
}
