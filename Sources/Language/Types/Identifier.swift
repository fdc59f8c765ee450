/// True for names of steps, params, secrets and fields: a lower-case letter, then letters and digits of ASCII. A word that
/// CEL keeps for itself is none, since expressions could not name it.
func isIdentifier(_ name: String) -> Bool { hasIdentifierForm(name) && !isReservedWord(name) }

/// True for a lower-case letter, then letters and digits of ASCII.
func hasIdentifierForm(_ name: String) -> Bool {
  guard let first = name.unicodeScalars.first, ("a"..."z").contains(first) else { return false }
  return name.unicodeScalars.allSatisfy {
    ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
  }
}

/// The name that stands for an unfit one: `stunCheck` for `stun-check`, `maxRtt` for `MAX_RTT`; nil if there is none.
func fittingIdentifier(for name: String) -> String? {
  let parts = name.split { !$0.isASCII || !($0.isLetter || $0.isNumber) }.map { part in
    part.contains(where: \.isLowercase) ? String(part) : part.lowercased()
  }
  guard let first = parts.first else { return nil }
  let rest = parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
  let identifier = first.prefix(1).lowercased() + first.dropFirst() + rest.joined()
  return isIdentifier(identifier) ? identifier : nil
}

/// The keywords and reserved words of CEL's grammar.
func isReservedWord(_ name: String) -> Bool {
  [
    "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
    "namespace", "null", "package", "return", "true", "var", "void", "while",
  ].contains(name)
}

/// True for the names of runbooks and checks, which are file names: lower-case letters, digits, and hyphens between them.
func isDocumentName(_ name: String) -> Bool {
  !name.isEmpty && name.utf8.count <= 100
    && name.split(separator: "-", omittingEmptySubsequences: false).allSatisfy { part in
      !part.isEmpty
        && part.unicodeScalars.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) }
    }
}
