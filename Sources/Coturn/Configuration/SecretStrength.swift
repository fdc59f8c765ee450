import Crypto

/// Whether a secret can be guessed. Whoever has one credential made with a shared secret, or one message with a user's, can
/// try guesses at home.
package enum SecretStrength {
  package enum Weakness: Hashable, Sendable {
    /// It is one that everybody tries first, or stands in for one that was to be put there.
    case wellKnown
    case tooShort(Int)
    /// It repeats a few characters.
    case monotonous
  }

  /// What is wrong with a secret that should have at least this many characters; nil if nothing is.
  package static func weakness(of secret: String, atLeast length: Int) -> Weakness? {
    if isWellKnown(secret) { return .wellKnown }
    if secret.utf8.count < length { return .tooShort(secret.utf8.count) }
    if Set(secret.utf8).count < min(5, length) { return .monotonous }
    return nil
  }

  /// Whether a user's key is that of coturn's sample file.
  static func isSampleKey(_ key: String) -> Bool { key.lowercased() == sampleKey }

  private static let sampleKey = "0xbc807ee29df3c9ffa736523fb2c4e8ee"

  private static func isWellKnown(_ secret: String) -> Bool {
    let letters = secret.lowercased().filter { $0.isLetter || $0.isNumber }
    guard !letters.isEmpty else { return true }
    if wellKnown.contains(letters) { return true }
    // A word with a few digits behind it, as `secret123`.
    let word = String(letters.reversed().drop { $0.isNumber }.reversed())
    if letters.count - word.count <= 4, wellKnown.contains(word) { return true }
    return isTemplate(secret) || isOfKnownWords(secret) || isRun(secret)
  }

  /// Whether it is what a shell or a template should have filled in.
  private static func isTemplate(_ secret: String) -> Bool {
    if ["${", "$(", "{{", "`"].contains(where: { secret.hasPrefix($0) }) { return true }
    for (start, end) in [("<", ">"), ("%%", "%%"), ("@@", "@@")] {
      if secret.utf8.count > start.utf8.count + end.utf8.count, secret.hasPrefix(start), secret.hasSuffix(end) {
        return true
      }
    }
    // $NAME or $a_name: a random secret that begins like that has letters of both kinds.
    let name = secret.dropFirst()
    guard secret.hasPrefix("$"), let first = name.first, first.isLetter || first == "_" else { return false }
    guard name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }) else { return false }
    return !name.contains { $0.isLowercase } || name.contains("_") && !name.contains { $0.isUppercase }
  }

  /// Whether it says, word by word, that it is to be replaced, or holds nothing but such words and short numbers.
  private static func isOfKnownWords(_ secret: String) -> Bool {
    let parts = secret.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    for start in parts.indices {
      var phrase = ""
      for part in parts[start...].prefix(5) {
        phrase += part
        if placeholders.contains(withoutDigits(phrase)) { return true }
      }
    }
    guard parts.contains(where: { $0.contains { $0.isLetter } }) else { return false }
    return parts.allSatisfy { part in
      if part.utf8.count <= 4, part.allSatisfy(\.isNumber) { return true }
      return isMadeOfWords(part) || isMadeOfWords(withoutDigits(part))
    }
  }

  /// A word without a few digits behind it.
  private static func withoutDigits(_ word: String) -> String {
    let letters = String(word.reversed().drop { $0.isNumber }.reversed())
    return word.count - letters.count <= 4 ? letters : word
  }

  /// Whether a word is known, or is known words written together: `yourstrongpassword`.
  private static func isMadeOfWords(_ word: String) -> Bool {
    let letters = Array(word)
    guard (1...64).contains(letters.count), letters.count < 2 || beginnings.contains(String(letters[..<2])) else {
      return false
    }
    // The places up to which it is made of words.
    var ends: Set<Int> = [0]
    for start in letters.indices where ends.contains(start) {
      for end in (start + 1)...min(start + longestWord, letters.count) {
        let piece = String(letters[start..<end])
        if end == start + 1, letters.count > 1 { continue }
        if vocabulary.contains(piece) { ends.insert(end) }
      }
    }
    return ends.contains(letters.count)
  }

  private static let longestWord = 20
  private static let vocabulary = words.union(wellKnown).union(placeholders)
  /// The first two letters of each: what begins otherwise is not made of them.
  private static let beginnings = Set(vocabulary.map { String($0.prefix(2)) })

  /// Whether nearly all of it counts up or down: `0123456789abcdef`.
  private static func isRun(_ secret: String) -> Bool {
    // The key of a user is judged by its password.
    guard !secret.hasPrefix("0x") else { return false }
    let bytes = secret.lowercased().utf8.map { (48...57).contains($0) ? Int($0) + 39 : Int($0) }
    guard bytes.count >= 6 else { return false }
    let steps = zip(bytes, bytes.dropFirst()).map { $1 - $0 }
    return [1, -1].contains { step in steps.count { $0 == step } * 5 >= steps.count * 4 }
  }

  /// Those of coturn's sample files and of tutorials, and what people choose; letters and digits only.
  private static let wellKnown: Set<String> = [
    "north", "logen", "youhavetoberealistic", "key1", "key2", "password1", "password2", "hero", "qwerty", "qwertyuiop",
    "password", "passwd", "passw0rd", "pass", "mypass", "mypassword", "secret", "mysecret", "topsecret", "supersecret",
    "verysecret", "staticauthsecret", "authsecret", "sharedsecret", "turn", "turnserver", "turnpassword", "turnsecret",
    "coturn", "coturnsecret", "coturnpassword", "webrtc", "stun", "test", "testing", "testtest", "guest", "admin",
    "administrator", "root", "user", "username", "changeit", "default", "example", "foobar", "letmein", "welcome",
    "abc", "abcd", "abcdef", "abc123", "123456", "1234567", "12345678", "123456789", "1234567890", "0123456789",
    "111111",
    "000000", "xxxx", "xxxxxxxx", "jitsi", "matrix", "synapse", "nextcloud", "bbb", "bigbluebutton", "freeswitch",
    "asterisk", "sip", "voip", "cisco", "dragon", "monkey", "iloveyou", "hunter2", sampleKey,
  ]

  /// What people write of a secret where it should stand.
  private static let words: Set<String> = [
    "a", "an", "and", "another", "any", "at", "auth", "authentication", "be", "between", "bytes", "change", "changed",
    "changeit", "changeme", "characters", "choose", "client", "config", "credential", "credentials", "demo", "dev",
    "dummy", "edit", "enter", "example", "fill", "for", "from", "generate", "generated", "goes", "here", "hex", "in",
    "insert", "is", "it", "key", "least", "long", "longer", "me", "must", "my", "new", "not", "now", "of", "on", "only",
    "our", "own", "passphrase", "password", "paste", "placeholder", "please", "pre", "private", "prod", "production",
    "put", "random", "real", "realm", "replace", "replaced", "safe", "sample", "secret", "secrets", "secure", "server",
    "set", "shared", "should", "some", "something", "staging", "static", "stream", "string", "strong", "super", "temp",
    "temporary", "that", "the", "this", "to", "token", "top", "turn", "update", "use", "value", "very", "with", "word",
    "your", "yours",
  ]

  /// Words in a row, written together, that say that a secret is to be put here.
  private static let placeholders: Set<String> = [
    "changeme", "changethis", "replaceme", "replacethis", "pleasechange", "yoursecret", "yourpassword", "yourstrong",
    "yourauthsecret", "yourlong", "yourkey", "yourownsecret", "mysecretkey", "insertsecret", "secrethere",
    "passwordhere",
    "longandcryptic", "somesecret", "strongpassword", "strongsecret", "examplesecret", "examplepassword",
    "randomsecret",
    "generatesecret", "todo",
  ]
}

/// The key of a user, which stands for the password (RFC 8489, section 9.2.2): whoever has it can log in in this realm, but does not
/// learn the password. It never prints itself.
package struct UserKey: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  /// As turnserver.conf holds it: `0x` and 32 hexadecimal digits. Secret.
  let text: String

  /// nil unless name and password are printable ASCII: others would have to be prepared as coturn does it.
  package init?(name: String, realm: String, password: String) {
    let isPrintable = { (text: String) in text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.isEmpty }
    guard isPrintable(name), isPrintable(password) else { return nil }
    let digest = Insecure.MD5.hash(data: Array("\(name):\(realm):\(password)".utf8))
    let digits = digest.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }
    text = "0x" + digits.joined()
  }

  package var description: String { "UserKey(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
