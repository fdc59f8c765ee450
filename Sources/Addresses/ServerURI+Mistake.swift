extension ServerURI {
  /// Why a text is no URI of a server, as people need it said.
  package struct Mistake: Sendable, Hashable {
    /// What is wrong with it, as the end of a sentence: "no // stands behind the scheme".
    package var reason: String
    /// What to do instead, if that is known: "write turn:turn.example.com".
    package var advice: String?
  }

  /// What keeps a text from being the URI of a server; nil if it is one. No user name and no password that stands in
  /// the text is repeated.
  package static func mistake(in text: String) -> Mistake? {
    let failure: ParsingError
    do {
      _ = try ServerURI(parsing: text)
      return nil
    } catch { failure = error }
    return surroundings(text) ?? several(text) ?? userInformation(text) ?? web(text) ?? mistake(text, failure)
  }

  /// The text without the user name and password in it, for messages.
  package static func withoutUserInformation(_ text: String) -> String {
    guard let at = text.lastIndex(of: "@") else { return text }
    let schemes = Scheme.allCases.map { "\($0.rawValue):" } + ["//"]
    let start = schemes.compactMap { text.firstRange(of: $0)?.upperBound }.max() ?? text.startIndex
    return String(text[..<min(start, at)]) + "…" + text[at...]
  }

  private static func isURI(_ text: some StringProtocol) -> Bool { (try? ServerURI(parsing: String(text))) != nil }

  private static func write(_ text: String) -> String? { isURI(text) ? "write \(text)" : nil }

  private static func surroundings(_ text: String) -> Mistake? {
    let inner = text.drop { $0.isWhitespace || $0 == "\"" || $0 == "'" }
    guard let last = inner.lastIndex(where: { !$0.isWhitespace && $0 != "\"" && $0 != "'" }) else { return nil }
    let bare = String(inner[...last])
    guard bare != text, let advice = write(bare) else { return nil }
    let hasQuotes = text.contains("\"") || text.contains("'")
    return Mistake(reason: "\(hasQuotes ? "quotes" : "blanks") stand around it", advice: advice)
  }

  private static func several(_ text: String) -> Mistake? {
    let parts = text.split { $0 == "," || $0 == ";" || $0.isWhitespace }
    guard parts.count > 1, parts.allSatisfy(isURI) else { return nil }
    return Mistake(
      reason: "it holds \(parts.count) URIs, and one is due",
      advice: "write \(parts[0]); further servers are targets of their own")
  }

  private static func userInformation(_ text: String) -> Mistake? {
    guard let at = text.lastIndex(of: "@") else { return nil }
    let scheme = Scheme.allCases.last { text.lowercased().hasPrefix("\($0.rawValue):") }
    let bare = scheme.map { "\($0.rawValue):\(text[text.index(after: at)...])" }
    let home =
      "user name and password stand apart, as username and credential of the target (TURN_USERNAME, TURN_CREDENTIAL)"
    return Mistake(
      reason: "no user name or password stands in it",
      advice: bare.flatMap(write).map { "\($0); \(home)" } ?? home)
  }

  private static func web(_ text: String) -> Mistake? {
    guard let end = text.firstRange(of: "://"), Scheme(rawValue: text[..<end.lowerBound].lowercased()) == nil else {
      return nil
    }
    return Mistake(
      reason:
        "\(text[..<end.lowerBound]): is not what STUN and TURN servers speak; it begins with stun:, stuns:, turn: or turns:",
      advice: nil)
  }

  private static func mistake(_ text: String, _ failure: ParsingError) -> Mistake {
    switch failure {
    case .unknownScheme:
      return Mistake(reason: "it begins with none of stun:, stuns:, turn: and turns:", advice: nil)
    case .missingHost: return Mistake(reason: "the host is missing", advice: nil)
    case .invalidPort:
      return bareAddress(text) ?? path(text) ?? Mistake(reason: "the port is not from 1 to 65535", advice: nil)
    case .invalidHost: return host(text)
    case .invalidTransport: return transport(text)
    case .unexpectedQuery:
      let rest = text.lowercased().hasSuffix("?transport=udp") ? String(text.dropLast("?transport=udp".count)) : nil
      return Mistake(
        reason: "only ?transport=udp and ?transport=tcp may follow, and only behind turn: and turns:",
        advice: rest.flatMap(write))
    }
  }

  private static func transport(_ text: String) -> Mistake {
    let lower = text.lowercased()
    guard let query = lower.firstRange(of: "?transport=") else {
      return Mistake(reason: "the transport is neither udp nor tcp", advice: nil)
    }
    let transport = ["tls": "tcp", "ssl": "tcp", "dtls": "udp"][String(lower[query.upperBound...])]
    guard let transport, let colon = lower.firstIndex(of: ":"), colon < query.lowerBound else {
      return Mistake(reason: "the transport is neither udp nor tcp", advice: nil)
    }
    let meant = "turns\(lower[colon..<query.lowerBound])?transport=\(transport)"
    return Mistake(reason: "encryption is not named as the transport: it is the scheme turns:", advice: write(meant))
  }

  private static func host(_ text: String) -> Mistake {
    if let found = doubleSlash(text) ?? bareAddress(text) ?? path(text) ?? brackets(text) ?? foreignLetters(text) {
      return found
    }
    return Mistake(reason: "the host is neither a name nor an address", advice: nil)
  }

  private static func doubleSlash(_ text: String) -> Mistake? {
    guard let slashes = text.firstRange(of: "://") else { return nil }
    let bare = text[..<slashes.lowerBound] + ":" + text[slashes.upperBound...]
    let rest = bare.hasSuffix("/") ? bare.dropLast() : bare[...]
    return Mistake(reason: "no // stands behind the scheme", advice: write(String(rest)))
  }

  private static func path(_ text: String) -> Mistake? {
    guard let slash = text.firstIndex(of: "/") else { return nil }
    return Mistake(reason: "no path stands behind the host", advice: write(String(text[..<slash])))
  }

  /// An IPv6 address without brackets; its last group may have been meant as the port.
  private static func bareAddress(_ text: String) -> Mistake? {
    guard let colon = text.firstIndex(of: ":") else { return nil }
    let query = text.firstIndex(of: "?") ?? text.endIndex
    guard colon < query else { return nil }
    let (scheme, authority, rest) = (text[...colon], text[text.index(after: colon)..<query], text[query...])
    guard authority.count(where: { $0 == ":" }) > 1, let last = authority.lastIndex(of: ":") else { return nil }
    let port = authority[authority.index(after: last)...]
    var readings: [String] = []
    if case .v6? = IPAddress(authority) { readings.append("\(scheme)[\(authority)]\(rest)") }
    if case .v6? = IPAddress(authority[..<last]), port.count > 3 {
      readings.append("\(scheme)[\(authority[..<last])]:\(port)\(rest)")
    }
    readings = readings.filter(isURI)
    guard !readings.isEmpty else { return nil }
    return Mistake(
      reason: "an IPv6 address stands in brackets", advice: "write " + readings.joined(separator: ", or with the port ")
    )
  }

  private static func brackets(_ text: String) -> Mistake? {
    guard text.contains("["), text.contains("]") else { return nil }
    let advice = write(text.filter { $0 != "[" && $0 != "]" })
    return Mistake(reason: "only an IPv6 address stands in brackets", advice: advice)
  }

  private static func foreignLetters(_ text: String) -> Mistake? {
    guard !text.unicodeScalars.allSatisfy(\.isASCII), let colon = text.firstIndex(of: ":") else { return nil }
    let rest = text[text.index(after: colon)...]
    let host = rest.prefix { $0 != ":" && $0 != "?" }
    guard let name = asciiHostName(String(host)) else { return nil }
    return Mistake(
      reason: "a host name is written in ASCII", advice: write("\(text[...colon])\(name)\(rest[host.endIndex...])"))
  }
}
