import Crypto
package import NIOCore

/// An attribute that is text in UTF-8, of at most ``Attribute/maximumLength`` bytes.
package protocol TextAttribute: Attribute, Hashable {
  var text: String { get }

  init(_ text: String)
}

extension TextAttribute {
  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    self.init(try Self.text(of: value))
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeString(text) }

  fileprivate static func text(of value: ByteBuffer) throws(DecodingError) -> String {
    guard value.readableBytes <= maximumLength, let text = String(validating: value.readableBytesView, as: UTF8.self)
    else { throw .malformedAttribute(type) }
    return text
  }
}

/// USERNAME: at most 508 bytes of UTF-8 (RFC 8489, section 14.3).
package struct Username: TextAttribute {
  package static let type = AttributeType.username
  package static let maximumLength = 508
  package let text: String

  package init(_ text: String) { self.text = text }
}

/// REALM: at most 763 bytes of UTF-8 (RFC 8489, section 14.9).
package struct Realm: TextAttribute {
  package static let type = AttributeType.realm
  package static let maximumLength = 763
  package let text: String

  package init(_ text: String) { self.text = text }
}

/// SOFTWARE: what the sender calls itself, at most 763 bytes of UTF-8 (RFC 8489, section 14.14).
package struct Software: TextAttribute {
  package static let type = AttributeType.software
  package static let maximumLength = 763
  package let text: String

  package init(_ text: String) { self.text = text }

  /// What old servers count as text, the NULs behind it, is left out.
  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    let text = try Self.text(of: value)
    let end = text.unicodeScalars.lastIndex { $0 != "\0" }.map { text.unicodeScalars.index(after: $0) }
    self.text = String(text[..<(end ?? text.startIndex)])
  }
}

/// ALTERNATE-DOMAIN: the name to verify in the alternate server's certificate (RFC 8489, section 14.16).
package struct AlternateDomain: TextAttribute {
  package static let type = AttributeType.alternateDomain
  package static let maximumLength = 255
  package let text: String

  package init(_ text: String) { self.text = text }
}

/// ORIGIN: the web origin of the page that caused the request, such as `https://example.com` (draft-ietf-tram-stun-origin-06).
package struct Origin: TextAttribute {
  package static let type = AttributeType.origin
  package let text: String

  package init(_ text: String) { self.text = text }
}

/// USERHASH: SHA-256 of `username:realm`, in place of the user name (RFC 8489, section 14.4).
package struct Userhash: Attribute, Hashable {
  package static let type = AttributeType.userhash
  /// 32 bytes.
  package let digest: [UInt8]

  /// The hash for a user in a realm, both in prepared form.
  package init(username: String, realm: String) {
    digest = Array(SHA256.hash(data: Array("\(username):\(realm)".utf8)))
  }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes == 32 else { throw .malformedAttribute(Self.type) }
    digest = Array(value.readableBytesView)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeBytes(digest) }
}
