/// A place where a version of coturn was found.
package struct VersionEvidence: Hashable, Sendable {
  package enum Source: String, Hashable, Sendable, CaseIterable {
    /// What runs.
    case process
    /// What it calls itself to clients.
    case software
    /// The last start in its log.
    case log
    /// What would run after a restart.
    case binary
    case package
  }

  package let source: Source
  /// As it stands there: `Coturn-4.6.1 'Gorst'`, `4.6.1-1+deb12u1`.
  package let text: String
  package let version: CoturnVersion

  /// nil if the text holds no version of coturn.
  package init?(_ source: Source, _ text: String) {
    var rest = text[...]
    switch source {
    case .package:
      // An epoch says nothing of coturn.
      if let colon = rest.firstIndex(of: ":") { rest = rest[rest.index(after: colon)...] }
    case .process, .software, .log, .binary:
      guard let place = rest.range(of: "Coturn-") else { return nil }
      rest = rest[place.upperBound...]
    }
    guard let version = CoturnVersion(rest) else { return nil }
    (self.source, self.text, self.version) = (source, text, version)
  }

  /// What a distribution added to the version: `1+deb12u1` of `4.6.1-1+deb12u1`; nil if nothing.
  package var revision: String? {
    guard source == .package, let dash = text.lastIndex(of: "-") else { return nil }
    return String(text[text.index(after: dash)...])
  }

  /// The last place in bytes where a program or a log names itself, `Coturn-4.6.1 'Gorst'`, up to the end of its line.
  package static func name(in bytes: some BidirectionalCollection<UInt8>) -> String? {
    let mark = Array("Coturn-".utf8)
    var end = bytes.endIndex
    while let dash = bytes[..<end].lastIndex(of: UInt8(ascii: "-")) {
      end = dash
      let after = bytes.index(after: dash)
      guard after < bytes.endIndex, (0x30...0x39).contains(bytes[after]),
        bytes[..<after].suffix(mark.count).elementsEqual(mark)
      else { continue }
      let name = bytes[after...].prefix(60).prefix { $0 >= 0x20 && $0 < 0x7F }
      return "Coturn-" + String(decoding: Array(name), as: UTF8.self)
    }
    return nil
  }
}
