import Crypto
import FoundationEssentials

/// Why something could not be encrypted or decrypted as an age file (c2sp.org/age).
package enum AgeError: Error, Hashable, Sendable {
  /// The text is no recipient: `age1…`.
  case notARecipient
  /// The text is no identity: `AGE-SECRET-KEY-1…`.
  case notAnIdentity
  /// The file does not begin as an age file does; it may be one in the armoured (text) form, which is not read here.
  case notAnAgeFile
  /// The header is cut off or not of the form, and why.
  case malformedHeader(String)
  /// None of the identities can open it; how many recipients of the X25519 kind it has.
  case noMatchingIdentity(recipients: Int)
  /// The header was altered after it was written.
  case alteredHeader
  /// The content was altered, is cut off, or goes on behind its end, in this chunk of 64 KiB (from 0).
  case alteredContent(chunk: Int)
}

/// Somebody who can open what is encrypted to them: an X25519 public key.
package struct AgeRecipient: Hashable, Sendable, CustomStringConvertible {
  /// 32 bytes.
  let key: [UInt8]

  /// - Parameter text: `age1…`, as `age-keygen` prints it.
  package init(_ text: some StringProtocol) throws(AgeError) {
    guard text.first == "a", let key = Bech32.decode(text, prefix: "age"), key.count == 32 else {
      throw .notARecipient
    }
    self.key = key
  }

  init(key: [UInt8]) {
    self.key = key
  }

  package var description: String { Bech32.encode("age", key) }
}

/// The secret half: what opens a file that was encrypted to its recipient.
package struct AgeIdentity: Sendable {
  let key: Curve25519.KeyAgreement.PrivateKey

  /// A new one, from the system's random numbers.
  package init() {
    key = Curve25519.KeyAgreement.PrivateKey()
  }

  /// - Parameter text: `AGE-SECRET-KEY-1…`, as it stands in a key file.
  package init(_ text: some StringProtocol) throws(AgeError) {
    guard text.first == "A", let bytes = Bech32.decode(text, prefix: "age-secret-key-"), bytes.count == 32,
      let key = try? Curve25519.KeyAgreement.PrivateKey(rawRepresentation: bytes)
    else { throw .notAnIdentity }
    self.key = key
  }

  /// The identities of a key file: one a line, beside empty lines and those that begin with `#`.
  package static func all(ofKeyFile text: some StringProtocol) throws(AgeError) -> [AgeIdentity] {
    var found: [AgeIdentity] = []
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if !words.isEmpty { found.append(try AgeIdentity(words.joined(separator: " "))) }
    }
    return found
  }

  package var recipient: AgeRecipient { AgeRecipient(key: Array(key.publicKey.rawRepresentation)) }

  /// The secret, as it stands in a key file. For the one place that writes such a file.
  package var secretText: String { Bech32.encode("age-secret-key-", Array(key.rawRepresentation)).uppercased() }
}
