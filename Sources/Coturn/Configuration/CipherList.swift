/// A `cipher-list` judged without the library that will read it: which of its words OpenSSL knows, and which are weak.
package struct CipherList: Sendable {
  /// Whether a word selects a suite of TLS 1.2 or before that a server with a certificate can offer.
  package private(set) var selectsSuites = false
  /// Whether a suite of TLS 1.3 is named.
  package private(set) var namesTLS13 = false
  /// The words that select weak suites, in their order.
  package private(set) var weak: [String] = []
  /// The words that OpenSSL does not know, in their order.
  package private(set) var unknown: [String] = []
  /// The words that select something, without the weak and the unknown ones, and those that exclude.
  private var kept: [String] = []

  package init(_ text: String) {
    let words = text.split { ": ,;".contains($0) }.map(String.init)
    let excluded = Set(words.filter { $0.hasPrefix("!") || $0.hasPrefix("-") }.map { String($0.dropFirst()) })
    for (index, word) in words.enumerated() {
      if "!-+@".contains(word.prefix(1)) {
        if word == "@SECLEVEL=0" { weak.append(word) } else { kept.append(word) }
        continue
      }
      if Self.tls13.contains(word) {
        namesTLS13 = true
        kept.append(word)
        continue
      }
      let parts = word.split(separator: "+").map(String.init)
      guard parts.allSatisfy({ Self.aliases.contains($0) || Self.isSuite($0) || Self.weakAliases.contains($0) }) else {
        unknown.append(word)
        continue
      }
      // What "!" takes away is gone for good, wherever it stands; what "-" takes away must stand before it.
      let killers = words.filter { $0.hasPrefix("!") } + words[index...].filter { $0.hasPrefix("-") }
      if Self.isEmptied(word, parts, by: killers.map { String($0.dropFirst()) }) { continue }
      if Self.isWeak(parts, excluded) { weak.append(word) } else { kept.append(word) }
      // 3DES and RC4 are left out of the builds of OpenSSL that distributions ship.
      if !parts.contains(where: Self.absent.contains) { selectsSuites = true }
    }
  }

  /// The list without its weak and unknown words; nil if that would select nothing.
  package var strong: String? {
    let text = kept.joined(separator: ":")
    return CipherList(text).selectsSuites ? text : nil
  }

  /// A list that is right for every client of TLS 1.2: forward secrecy and authenticated encryption.
  package static let recommended = [
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305",
  ]

  /// The suites of TLS 1.3, which coturn takes from the same list from 4.6.2 on.
  package static let tls13 = [
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
    "TLS_AES_128_CCM_8_SHA256",
  ]

  /// ``recommended`` as a version of coturn needs it.
  package static func recommended(for version: CoturnVersion) -> String {
    let suites = version >= CoturnVersion(4, 6, 2) ? recommended + tls13.prefix(3) : recommended
    return suites.joined(separator: ":")
  }

  private static func isWeak(_ parts: [String], _ excluded: Set<String>) -> Bool {
    let isEphemeral = parts.contains { ephemeral.contains($0) }
    return parts.contains { part in
      if part == "ALL" { return !excluded.contains("aNULL") && !excluded.contains("ADH") }
      if part == "RSA" || part == "kRSA" { return !isEphemeral }
      return weakAliases.contains(part) || isSuite(part) && isWeakSuite(part)
    }
  }

  /// Whether exclusions take away every suite that a word selects.
  private static func isEmptied(_ word: String, _ parts: [String], by exclusions: [String]) -> Bool {
    guard !exclusions.isEmpty else { return false }
    let properties = isSuite(word) ? propertiesOfSuite(word) : propertiesOfAliases(parts)
    let excluded = exclusions.map { Set($0.split(separator: "+").map { canonical(String($0)) }) }
    if exclusions.contains(word) || excluded.contains(["ALL"]) { return true }
    if excluded.contains(where: { !$0.isEmpty && $0.isSubset(of: properties) }) { return true }
    // Without a key exchange of its own a word selects suites of all three.
    let exchanges = ["ECDHE", "DHE", "kRSA"]
    return properties.isDisjoint(with: exchanges) && exchanges.allSatisfy { excluded.contains([$0]) }
  }

  /// One name for what OpenSSL knows by several.
  private static func canonical(_ alias: String) -> String {
    switch alias {
    case "EECDH", "ECDH", "kECDHE", "kEECDH": "ECDHE"
    case "EDH", "DH", "kDHE", "kEDH": "DHE"
    case "RSA": "kRSA"
    case "ECDSA": "aECDSA"
    case "DSS": "aDSS"
    case "SHA": "SHA1"
    default: alias
    }
  }

  /// What every suite has that some aliases, joined by plus signs, select.
  private static func propertiesOfAliases(_ parts: [String]) -> Set<String> {
    var properties = Set(parts.map(canonical))
    // Joined to an ephemeral key exchange, RSA is how the server proves itself.
    if !properties.isDisjoint(with: ["ECDHE", "DHE"]), properties.remove("kRSA") != nil { properties.insert("aRSA") }
    for cipher in ["AES", "CAMELLIA", "ARIA"] where parts.contains(where: { $0.hasPrefix(cipher) }) {
      properties.insert(cipher)
    }
    return properties
  }

  /// What a suite is made of, by the names of aliases: an exclusion by one of them takes it away.
  private static func propertiesOfSuite(_ name: String) -> Set<String> {
    let words = name.split(separator: "-").map(String.init)
    var properties = Set<String>()
    switch words.first {
    case "ECDHE": properties.insert("ECDHE")
    case "DHE", "EDH": properties.insert("DHE")
    case "ADH", "AECDH": properties = [words[0], "aNULL"]
    default: properties.insert("kRSA")
    }
    if words.contains("ECDSA") {
      properties.insert("aECDSA")
    } else if words.contains("DSS") {
      properties.insert("aDSS")
    } else if !properties.contains("aNULL") {
      properties.insert("aRSA")
    }
    // RSA is named above; a hash behind GCM and the like is not the one that SHA256 and SHA384 mean.
    let isAuthenticated = words.contains { ["GCM", "CCM", "CCM8", "POLY1305"].contains($0) }
    for word in words where aliases.contains(word) || weakAliases.contains(word) {
      if ["RSA", "ECDSA", "DSS", "DES"].contains(word) || isAuthenticated && word.hasPrefix("SHA") { continue }
      properties.insert(canonical(word))
    }
    for cipher in ["AES", "CAMELLIA", "ARIA"] where words.contains(where: { $0.hasPrefix(cipher) }) {
      properties.insert(cipher)
      if words.contains("GCM") { properties.insert("\(cipher)GCM") }
      if words.contains("CCM") || words.contains("CCM8") { properties.insert("\(cipher)CCM") }
    }
    if words.contains("CBC3") { properties.insert("3DES") }
    return properties
  }

  private static let ephemeral: Set<String> = [
    "ECDHE", "EECDH", "ECDH", "kECDHE", "kEECDH", "DHE", "EDH", "DH", "kDHE", "kEDH",
  ]
  private static let aliases: Set<String> = ephemeral.union([
    "DEFAULT", "ALL", "HIGH", "MEDIUM", "COMPLEMENTOFDEFAULT", "RSA", "kRSA", "aRSA", "aECDSA", "ECDSA", "aDSS", "DSS",
    "AES", "AES128", "AES256", "AESGCM", "AESCCM", "AESCCM8", "CHACHA20", "CAMELLIA", "CAMELLIA128", "CAMELLIA256",
    "ARIA", "ARIA128", "ARIA256", "ARIAGCM", "CBC", "SHA", "SHA1", "SHA256", "SHA384", "TLSv1.2", "TLSv1.0", "TLSv1",
    "SSLv3", "FIPS", "SUITEB128", "SUITEB128ONLY", "SUITEB192", "PROFILE=SYSTEM",
  ])
  private static let weakAliases: Set<String> = [
    "3DES", "DES", "RC4", "RC2", "IDEA", "SEED", "NULL", "eNULL", "aNULL", "ADH", "AECDH", "EXP", "EXPORT", "EXPORT40",
    "EXPORT56", "LOW", "MD5", "SSLv2", "COMPLEMENTOFALL",
  ]
  private static let absent: Set<String> = [
    "3DES", "DES", "RC4", "RC2", "IDEA", "EXP", "EXPORT", "EXPORT40", "EXPORT56", "SSLv2",
  ]

  private static let keyExchanges = [
    "ECDHE-ECDSA-", "ECDHE-RSA-", "ECDHE-", "DHE-RSA-", "DHE-DSS-", "EDH-RSA-", "EDH-DSS-", "ADH-", "AECDH-",
  ]
  private static let encryptions: Set<String> = [
    "AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305", "AES128-CCM", "AES256-CCM", "AES128-CCM8",
    "AES256-CCM8", "ARIA128-GCM-SHA256", "ARIA256-GCM-SHA384", "AES128-SHA256", "AES256-SHA256", "AES256-SHA384",
    "AES128-SHA", "AES256-SHA", "CAMELLIA128-SHA256", "CAMELLIA256-SHA256", "CAMELLIA256-SHA384", "CAMELLIA128-SHA",
    "CAMELLIA256-SHA", "SEED-SHA", "DES-CBC3-SHA", "DES-CBC-SHA", "RC4-SHA", "RC4-MD5", "IDEA-CBC-SHA", "NULL-SHA",
    "NULL-SHA256", "NULL-MD5",
  ]

  private static func isSuite(_ name: String) -> Bool {
    let prefix = keyExchanges.first { name.hasPrefix($0) } ?? ""
    return encryptions.contains(String(name.dropFirst(prefix.count)))
  }

  private static func isWeakSuite(_ name: String) -> Bool {
    let isWithoutSecrecy = !["ECDHE-", "DHE-", "EDH-"].contains { name.hasPrefix($0) }
    return isWithoutSecrecy || ["DES-CBC", "RC4", "IDEA", "SEED", "NULL", "MD5"].contains { name.contains($0) }
  }
}
