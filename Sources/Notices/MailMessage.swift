import FoundationEssentials
import Schema

/// A mail as it is sent (RFC 5322): the notice as plain text and as HTML.
package struct MailMessage: Sendable {
  package let notice: OutgoingNotice
  /// The sender's address, which ``isMailAddress(_:)``.
  package let sender: String
  /// The recipients' addresses, of which each ``isMailAddress(_:)``.
  package let recipients: [String]

  package init(_ notice: OutgoingNotice, from sender: String, to recipients: [String]) {
    self.notice = notice
    self.sender = sender
    self.recipients = recipients
  }

  /// The same for every try: who gets the mail twice can tell that it is one.
  package var messageID: String {
    let domain = sender.split(separator: "@").last.map(String.init) ?? "localhost"
    let name = notice.key.filter { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
    return "<\(name)@\(domain)>"
  }

  /// Header fields and body, with CR LF. What the notice brings stands base64-encoded or as encoded words: none of it can begin a line.
  package var bytes: [UInt8] {
    let boundary = "=_runbook_\(notice.key.filter { $0.isASCII && ($0.isLetter || $0.isNumber) }.prefix(32))"
    var lines = [
      "From: runbook <\(sender)>", "To: \(recipients.map { "<\($0)>" }.joined(separator: ",\r\n "))",
      "Subject: \(Self.encodedWords(notice.subject))", "Date: \(notice.time.mailDate)", "Message-ID: \(messageID)",
      "Auto-Submitted: auto-generated", "X-Runbook-Level: \(notice.level.rawValue)",
    ]
    if notice.level == .critical { lines.append("Importance: high") }
    lines += [
      "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=\"\(boundary)\"", "",
    ]
    for (type, text) in [("plain", notice.plainText), ("html", notice.html)] {
      lines += [
        "--\(boundary)", "Content-Type: text/\(type); charset=utf-8", "Content-Transfer-Encoding: base64", "",
        Self.base64Lines(text), "",
      ]
    }
    lines += ["--\(boundary)--", ""]
    return Array(lines.joined(separator: "\r\n").utf8)
  }

  private static func base64Lines(_ text: String) -> String {
    let encoded = Array(Data(text.replacing("\n", with: "\r\n").utf8).base64EncodedString().utf8)
    return stride(from: 0, to: encoded.count, by: 76).map { start in
      String(decoding: encoded[start..<min(start + 76, encoded.count)], as: UTF8.self)
    }.joined(separator: "\r\n")
  }

  /// A text as a header field's value (RFC 2047): printable ASCII that fits on a line stands as it is, all else in encoded words.
  static func encodedWords(_ text: String) -> String {
    let isPlain = text.utf8.count <= 60 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && !text.contains("=?")
    guard !isPlain else { return text }
    var words: [String] = []
    var word: [UInt8] = []
    for character in text {
      // 39 bytes are 52 characters of base64: with what stands around them, and "Subject: " before, a line has at most 78.
      if word.count + character.utf8.count > 39, !word.isEmpty {
        words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
        word = []
      }
      word += character.utf8
    }
    words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
    return words.joined(separator: "\r\n ")
  }
}

/// Whether a text is one mail address that can be sent to as it stands: `ops@example.com`. Quoted local parts and comments, which mail
/// programs read in different ways, are none; nor is anything with a blank or a line break.
package func isMailAddress(_ text: String) -> Bool {
  let parts = text.split(separator: "@", omittingEmptySubsequences: false)
  guard parts.count == 2, text.utf8.count <= 254, (1...64).contains(parts[0].utf8.count), !parts[1].isEmpty else {
    return false
  }
  func isMade(_ part: Substring, of others: String) -> Bool {
    part.unicodeScalars.allSatisfy {
      $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || others.unicodeScalars.contains($0))
    } && !part.hasPrefix(".") && !part.hasSuffix(".") && !part.contains("..")
  }
  return isMade(parts[0], of: "!#$%&'*+-/=?^_`{|}~.") && !parts[0].hasPrefix("-") && isMade(parts[1], of: "-.")
}

extension Timestamp {
  /// As mails have it (RFC 5322, section 3.3), in UTC.
  fileprivate var mailDate: String {
    let text = description
    let month = Int(text.dropFirst(5).prefix(2)) ?? 1
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let day = seconds >= 0 ? seconds / 86_400 : (seconds - 86_399) / 86_400
    let weekday = days[Int(((day % 7) + 7) % 7)]
    return "\(weekday), \(text.dropFirst(8).prefix(2)) \(months[month - 1]) \(text.prefix(4)) "
      + "\(text.dropFirst(11).prefix(8)) +0000"
  }
}
