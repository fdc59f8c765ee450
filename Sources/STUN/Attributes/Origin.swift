package import NIOCore

/// ORIGIN: the web origin of the page that caused the request, such as `https://example.com` (draft-ietf-tram-stun-origin-06).
package struct Origin: Attribute, Hashable {
  package static let type = AttributeType.origin
  package let text: String

  package init(_ text: String) { self.text = text }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard let text = String(validating: value.readableBytesView, as: UTF8.self) else {
      throw .malformedAttribute(Self.type)
    }
    self.text = text
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeString(text) }
}
