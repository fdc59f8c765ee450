package import Schema

extension Channel {
  /// SMS through Twilio.
  package struct Twilio: Sendable {
    /// The account's SID, `AC` and 32 hexadecimal digits.
    package var account: String
    /// The account's auth token.
    package var token: Secret
    /// A number in the form of E.164, a short code, a sender's name, or the SID of a messaging service.
    package var sender: String
    /// Numbers in the form of E.164.
    package var recipients: [String]
    /// Where Twilio's API is.
    package var url: String

    package static let usualURL = "https://api.twilio.com"
    /// How long one try may take: a message that was taken is waited for until it is delivered.
    package static let usualTimeout = Duration.seconds(30)

    package init(
      account: String, token: Secret, sender: String, recipients: [String], url: String = Self.usualURL
    ) {
      self.account = account
      self.token = token
      self.sender = sender
      self.recipients = recipients
      self.url = url
    }
  }
}

/// Whether a text is a telephone number as E.164 has it: `+4930123456`.
package func isTelephoneNumber(_ text: String) -> Bool {
  let digits = text.utf8.dropFirst()
  return text.hasPrefix("+") && (7...15).contains(digits.count) && digits.allSatisfy { (0x30...0x39).contains($0) }
    && digits.first != 0x30
}

/// Whether Twilio can send a message from it: a number, a short code of 3 to 8 digits, a messaging service (`MG…`), or a name of at most
/// eleven letters, digits and blanks.
package func isMessageSender(_ text: String) -> Bool {
  if isTelephoneNumber(text) || isServiceIdentifier(text, "MG") { return true }
  if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return (3...8).contains(text.utf8.count) }
  let isMade = text.utf8.allSatisfy { byte in
    (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || byte == 0x20
  }
  return isMade && (1...11).contains(text.utf8.count) && !text.hasPrefix(" ") && !text.hasSuffix(" ")
}

/// Whether a text is an identifier of Twilio: two letters and 32 hexadecimal digits.
package func isServiceIdentifier(_ text: String, _ letters: String) -> Bool {
  text.hasPrefix(letters) && text.utf8.count == 34
    && text.utf8.dropFirst(2).allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
}
