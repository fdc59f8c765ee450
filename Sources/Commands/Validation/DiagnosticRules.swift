/// What `docs/language.md` says of the codes of diagnostics: each stands in the paragraph of the rule that it belongs to.
///
/// The package manager puts the document's bytes into the executable, so that nothing is said twice.
struct DiagnosticRules {
  struct Rule {
    /// `L18 Only what has surely been evaluated before may be used`; nil for a paragraph that is no numbered rule.
    let heading: String?
    /// In Markdown, without the codes at its end.
    let text: String
  }

  private let paragraphs: [String]

  init() {
    let document = String(decoding: PackageResources.language_md, as: UTF8.self)
    paragraphs = document.split(separator: "\n\n").map { String($0).replacing("\n", with: " ") }
  }

  /// The numbered rules that a code belongs to, or else the first paragraph that names it; empty if none does.
  func rules(of code: String) -> [Rule] {
    let naming = paragraphs.filter { $0.contains("`\(code)`") }
    let numbered = naming.filter { $0.hasPrefix("**L") }
    return (numbered.isEmpty ? Array(naming.prefix(1)) : numbered).map(Self.rule)
  }

  private static func rule(_ paragraph: String) -> Rule {
    var text = paragraph
    for opening in [" Codes: ", " Code: "] {
      if let list = text.firstRange(of: opening) { text = String(text[..<list.lowerBound]) }
    }
    guard text.hasPrefix("**L"), let end = text.dropFirst(2).firstRange(of: "**") else {
      return Rule(heading: nil, text: text)
    }
    var heading = String(text.dropFirst(2)[..<end.lowerBound])
    while let last = heading.last, ".,".contains(last) { heading.removeLast() }
    return Rule(heading: heading.replacing("`", with: ""), text: text)
  }
}
