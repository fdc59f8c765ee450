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

  private static func isWellKnown(_ secret: String) -> Bool {
    let letters = secret.lowercased().filter { $0.isLetter || $0.isNumber }
    guard !letters.isEmpty else { return true }
    if wellKnown.contains(letters) { return true }
    // A word with a few digits behind it, as `secret123`.
    let word = String(letters.reversed().drop { $0.isNumber }.reversed())
    if letters.count - word.count <= 4, wellKnown.contains(word) { return true }
    return secret.hasPrefix("<") && secret.hasSuffix(">") || secret.hasPrefix("${") || secret.hasPrefix("{{")
      || placeholders.contains { letters.contains($0) }
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
    "asterisk", "sip", "voip", "cisco", "dragon", "monkey", "iloveyou", "hunter2", "0xbc807ee29df3c9ffa736523fb2c4e8ee",
  ]

  private static let placeholders = [
    "changeme", "changethis", "replaceme", "replacethis", "pleasechange", "yoursecret", "yourpassword", "yourstrong",
    "yourauthsecret", "yourlong", "yourkey", "yourownsecret", "mysecretkey", "insertsecret", "secrethere",
    "passwordhere",
    "longandcryptic", "somesecret", "strongpassword", "strongsecret", "examplesecret", "examplepassword",
    "randomsecret",
    "generatesecret", "todo",
  ]
}
