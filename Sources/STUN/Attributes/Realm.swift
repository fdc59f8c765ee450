package import NIOCore

/// REALM: at most 763 bytes of UTF-8 (RFC 8489, section 14.9).
package struct Realm: Attribute, Hashable {
  package static let type = AttributeType.realm
  package static let maximumLength = 763
  package let text: String

  package init(_ text: String) { self.text = text }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes <= Self.maximumLength,
      let text = String(validating: value.readableBytesView, as: UTF8.self)
    else {
      throw .malformedAttribute(Self.type)
    }
    self.text = text
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeString(text) }
}
