import Crypto

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
