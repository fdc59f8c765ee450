import Crypto

/// Time-limited credentials from a secret that client and server share (draft-uberti-behave-turn-rest-00).
package enum RESTCredentials {
  /// Which part of the user name comes first.
  package enum Order: Sendable, Hashable, CaseIterable {
    /// `expiry:user`, as the draft has it.
    case expiryFirst
    /// `user:expiry`, as some servers are set up.
    case userFirst
  }

  /// Credentials that a server with this secret accepts until the expiry.
  ///
  /// - Parameters:
  ///   - secret: the shared secret, as the server's configuration has it.
  ///   - user: what the server's log shows; empty for none, the name is then the expiry alone.
  ///   - expiry: seconds since 1970. One that has passed gives credentials that must be refused.
  ///   - separator: between the two parts; servers may be set to another one than the colon.
  package static func make(
    secret: String, user: String, expiry: Int64, order: Order = .expiryFirst, separator: Character = ":"
  ) -> LongTermCredentials {
    let username =
      switch order {
      case _ where user.isEmpty: "\(expiry)"
      case .expiryFirst: "\(expiry)\(separator)\(user)"
      case .userFirst: "\(user)\(separator)\(expiry)"
      }
    let key = SymmetricKey(data: Array(secret.utf8))
    let code = HMAC<Insecure.SHA1>.authenticationCode(for: Array(username.utf8), using: key)
    return LongTermCredentials(username: username, password: Base64.encode(code))
  }
}

/// Base64 with padding (RFC 4648, section 4).
enum Base64 {
  static func encode(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var text = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0 as UInt32) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
      for position in 0...group.count { text.append(alphabet[Int(bits >> (18 - 6 * UInt32(position)) & 0x3F)]) }
      text += String(repeating: "=", count: 3 - group.count)
    }
    return text
  }
}

/// A user name and password for the long-term credential mechanism (RFC 8489, section 9.2). It never prints the
/// password.
package struct LongTermCredentials: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
  package let username: String
  package let password: String

  package init(username: String, password: String) {
    self.username = username
    self.password = password
  }

  package var description: String { "LongTermCredentials(\(username), redacted)" }
  package var customMirror: Mirror { Mirror(self, children: ["username": username]) }
}

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
