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
