import Crypto
package import NIOCore

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
