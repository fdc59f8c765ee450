/// The preparation of user names, realms and passwords before they are hashed (RFC 8265, section 4.2).
enum OpaqueString {
  /// Every space outside of ASCII becomes U+0020; text is otherwise taken as it is given.
  ///
  /// The profile also asks for Unicode normal form C. Text that is typed or read from a file is in that form already;
  /// the tables for anything else are not worth carrying.
  static func prepared(_ text: String) -> String {
    if text.utf8.allSatisfy({ $0 < 0x80 }) { return text }
    var prepared = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      prepared.append(scalar.properties.generalCategory == .spaceSeparator ? " " : scalar)
    }
    return String(prepared)
  }
}
