package import NIOCore

/// ALTERNATE-DOMAIN: the name to verify in the alternate server's certificate (RFC 8489, section 14.16).
package struct AlternateDomain: Attribute, Hashable {
  package static let type = AttributeType.alternateDomain
  package let text: String

  package init(_ text: String) { self.text = text }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes <= 255, let text = String(validating: value.readableBytesView, as: UTF8.self) else {
      throw .malformedAttribute(Self.type)
    }
    self.text = text
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeString(text) }
}
