internal import Schema

extension ArgumentVector {
  /// Something in the vector that only a shell would understand.
  struct Misreading {
    var range: SourceRange
    var message: String
    var advice: String
  }

  /// What was most likely written for a shell, though none reads it. What a shell does read, and what programs take that
  /// have such characters in their own languages, is passed over.
  var misreadings: [Misreading] {
    guard let first = words.first else { return [] }
    if let misreading = wholeLine(first) ?? builtin(first) { return [misreading] }
    let parsed = parsedByShell
    return words.indices.dropFirst().compactMap { parsed.contains($0) ? nil : misreading(at: $0) }
  }

  private static let operators: Set = [
    "|", "||", "&&", ";", "&", ">", ">>", "<", "2>", "2>>", "&>", "2>&1", ">&2", "|&",
  ]

  /// A whole command line in one element.
  private func wholeLine(_ word: Word) -> Misreading? {
    let text = word.text
    let literal = text.firstRange(of: "${").map { text[..<$0.lowerBound] } ?? text[...]
    guard literal.contains(where: \.isWhitespace), !isPathWithBlanks(text) else { return nil }
    let message = "\"\(text)\" is one word: it is taken as the name of a program, blanks included"
    let parts = text.split(whereSeparator: \.isWhitespace).map(String.init)
    let needsShell = text.contains { "|&;<>()$`\\\"'*?~\n".contains($0) } && !word.hasExpression
    guard !needsShell else {
      return Misreading(range: word.range, message: message, advice: "let a shell run it: [sh, -c, \(quoted(text))]")
    }
    guard !word.hasExpression else {
      return Misreading(
        range: word.range, message: message, advice: "write each word as an element of the list: [a, b]")
    }
    let rest = words.count > 1 ? ", …" : ""
    let list = parts.map { $0.allSatisfy(Self.isPlain) ? $0 : quoted($0) }.joined(separator: ", ")
    return Misreading(range: word.range, message: message, advice: "write each word as an element: [\(list)\(rest)]")
  }

  private static func isPlain(_ character: Character) -> Bool {
    character.isASCII && (character.isLetter || character.isNumber || "-_./=+".contains(character))
  }

  /// True for `/opt/my tools/run`: behind the first blank the path goes on.
  private func isPathWithBlanks(_ text: String) -> Bool {
    guard text.hasPrefix("/") || text.hasPrefix("."), let blank = text.firstIndex(where: \.isWhitespace) else {
      return false
    }
    let rest = text[text.index(after: blank)...]
    guard let slash = rest.firstIndex(of: "/"), slash > rest.startIndex else { return false }
    return !rest[..<slash].contains { $0.isWhitespace || $0 == "-" } && !rest.contains { "|&;<>".contains($0) }
  }

  /// A command of the shell in the place of a program.
  private func builtin(_ word: Word) -> Misreading? {
    let advice: String
    switch word.text {
    case "cd", "pushd": advice = "\"directory\" says where a program starts"
    case "export", "set", "unset": advice = "\"env\" gives a program its environment"
    case "source", ".", "alias", "ulimit", "umask", "eval", "exec", "trap", "wait", "if", "for", "while", "until",
      "case":
      advice = "let a shell run the whole: [bash, -c, '…']"
    default:
      guard let equals = word.text.firstIndex(of: "="), equals > word.text.startIndex,
        word.text[..<equals].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
      else { return nil }
      let name = word.text[..<equals]
      return Misreading(
        range: word.range, message: "\"\(name)=…\" before a program is read by a shell, and there is none",
        advice: "write env: {\(name): …}")
    }
    return Misreading(
      range: word.range, message: "\"\(word.text)\" is a command of the shell, and no program", advice: advice)
  }

  /// Programs whose arguments are a language of their own, in which these characters mean something.
  private static let languages: Set = [
    "test", "[", "expr", "find", "tr", "dc", "bc", "perl", "python", "python3", "ruby", "node", "php", "lua", "psql",
    "mysql", "mariadb", "sqlite3", "redis-cli", "mongosh", "envsubst", "printf", "echo", "logger", "curl", "jq", "yq",
    "xmllint", "nft", "iptables", "tcpdump", "ngrep", "tshark", "ssh", "watch", "parallel", "env", "git", "fd", "rg",
    "pgrep",
    "pkill", "expect", "cut", "sort", "column", "paste", "join", "rsync", "make",
  ]
  /// Programs whose first argument that is no option is a pattern or a program.
  private static let patternFirst: Set = ["grep", "egrep", "fgrep", "zgrep", "sed", "awk", "gawk", "mawk"]
  /// Programs that take names of files and nothing else.
  private static let fileTakers: Set = [
    "ls", "cat", "cp", "mv", "rm", "chmod", "chown", "chgrp", "head", "tail", "wc", "du", "stat", "touch", "ln",
    "md5sum",
    "sha256sum", "sha1sum", "gzip", "gunzip", "zcat", "file", "diff", "cmp", "readlink", "less", "more", "tac", "nl",
  ]

  /// The program that is started in the end, as far as that is known.
  private var isForLanguage: Bool {
    words.contains { word in
      let name = word.text.split(separator: "/").last.map(String.init) ?? ""
      return Self.languages.contains(name) && (word.text == words[0].text || name == "find" || name == "test")
    }
  }

  private var firstOperand: Int? {
    words.indices.dropFirst().first { !words[$0].text.hasPrefix("-") }
  }

  private func misreading(at index: Int) -> Misreading? {
    let text = words[index].text
    guard !isForLanguage else { return nil }
    let isPattern =
      Self.patternFirst.contains(program)
      && (index == firstOperand || (words[index - 1].text.hasPrefix("-") && words[index - 1].text.hasSuffix("e")))
    guard !isPattern else { return nil }
    let shell = "let a shell run the whole: [sh, -c, '…']"
    func misreading(_ what: String, _ advice: String = shell) -> Misreading {
      Misreading(
        range: words[index].range, message: "\(what), and no shell reads it: it is passed as it stands", advice: advice)
    }
    if Self.operators.contains(text) || Self.isRedirection(text) {
      return misreading("\"\(text)\" is an operator of the shell")
    }
    if text.hasSuffix(";"), text.count > 1, !text.contains(where: \.isWhitespace) {
      return misreading("\";\" at the end of \"\(text)\" is an operator of the shell")
    }
    if text == "~" || text.hasPrefix("~/") || text.contains("=~/") {
      return misreading("\"~\" is expanded by a shell", "write the whole path, or \(shell)")
    }
    if let name = Self.variable(in: text) {
      let meant = Root.allCases.contains { "$\($0.rawValue)" == name }
      return misreading(
        "\"\(name)\" is expanded by a shell",
        meant ? "an expression is written ${\(name.dropFirst())}" : "write ${…} with a param or an output, or \(shell)")
    }
    if Self.fileTakers.contains(program), !text.hasPrefix("-"), text.contains(where: { "*?[".contains($0) }) {
      return misreading("\"\(text)\" is a pattern that a shell expands", "name the files, or \(shell)")
    }
    return nil
  }

  private static func isRedirection(_ text: String) -> Bool {
    let rest = text.drop { $0.isNumber || $0 == "&" }
    guard rest.hasPrefix(">"), text.count - rest.count <= 1 else { return false }
    let target = rest.drop { $0 == ">" }
    return target.hasPrefix("/") || target.hasPrefix("&")
  }

  /// `$HOME`, `$(`, or a backtick; nil if there is none. `$1` and `$` at the end stand in patterns.
  private static func variable(in text: String) -> String? {
    if text.contains("`"), text.count(where: { $0 == "`" }) > 1 { return "`" }
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      rest = rest[rest.index(after: dollar)...]
      guard let next = rest.first else { return nil }
      if next == "(" { return "$(" }
      if next.isASCII, next.isLetter || next == "_" {
        return "$" + rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
      }
    }
    return nil
  }
}
