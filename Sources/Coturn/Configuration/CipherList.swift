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
    for word in words {
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
      if excluded.contains(word) || parts.contains(where: excluded.contains) { continue }
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
