import Crypto
import NIOCore

/// The key of a message's integrity codes (RFC 8489, section 9). It never prints itself.
package struct IntegrityKey: Sendable, CustomStringConvertible, CustomReflectable {
  /// Keyed beforehand, which is half of the work for a message.
  let sha1: HMAC<Insecure.SHA1>
  let sha256: HMAC<SHA256>

  private init(_ key: SymmetricKey) {
    sha1 = HMAC(key: key)
    sha256 = HMAC(key: key)
  }

  /// A short-term key: the prepared password's bytes (section 9.1.1).
  package init(shortTermPassword password: String) {
    self.init(SymmetricKey(data: Array(OpaqueString.prepared(password).utf8)))
  }

  /// A long-term key: a hash over `username:realm:password` (section 9.2.2, with section 18.5); nil for an algorithm
  /// that is not known.
  package init?(username: String, realm: String, password: String, algorithm: PasswordAlgorithm = .md5) {
    let text = [username, realm, password].map(OpaqueString.prepared).joined(separator: ":")
    switch algorithm.number {
    case PasswordAlgorithm.md5.number: self.init(SymmetricKey(data: Insecure.MD5.hash(data: Array(text.utf8))))
    case PasswordAlgorithm.sha256.number: self.init(SymmetricKey(data: SHA256.hash(data: Array(text.utf8))))
    default: return nil
    }
  }

  package var description: String { "IntegrityKey(redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension HMAC {
  /// The HMAC of a message up to an attribute, with the length that ends with that attribute in place of the
  /// message's own (RFC 8489, section 14.5).
  ///
  /// - Parameters:
  ///   - end: the position of the integrity attribute's header.
  ///   - length: what the header's length field is taken to say.
  func code(over message: ByteBuffer, upTo end: Int, length: Int) -> MAC {
    var hmac = self
    message.withUnsafeReadableBytes { bytes in
      unsafe hmac.update(data: UnsafeRawBufferPointer(rebasing: bytes[0..<2]))
      withUnsafeBytes(of: UInt16(truncatingIfNeeded: length).bigEndian) { unsafe hmac.update(data: $0) }
      unsafe hmac.update(data: UnsafeRawBufferPointer(rebasing: bytes[4..<end]))
    }
    return hmac.finalize()
  }
}
