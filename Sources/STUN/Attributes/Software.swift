package import NIOCore

/// SOFTWARE: what the sender calls itself, at most 763 bytes of UTF-8 (RFC 8489, section 14.14).
package struct Software: Attribute, Hashable {
  package static let type = AttributeType.software
  package let text: String

  package init(_ text: String) { self.text = text }

  /// What old servers count as text, the NULs behind it, is left out.
  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard value.readableBytes <= 763, let text = String(validating: value.readableBytesView, as: UTF8.self) else {
      throw .malformedAttribute(Self.type)
    }
    let end = text.unicodeScalars.lastIndex { $0 != "\0" }.map { text.unicodeScalars.index(after: $0) }
    self.text = String(text[..<(end ?? text.startIndex)])
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) { buffer.writeString(text) }
}
