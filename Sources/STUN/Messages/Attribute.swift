package import NIOCore

/// One STUN attribute as a value: how it is read from a message and written into one.
package protocol Attribute: Sendable {
  /// The attribute's number.
  static var type: AttributeType { get }

  /// The most bytes that the value may have.
  static var maximumLength: Int { get }

  /// Reads the attribute from its value, without header and padding.
  ///
  /// - Parameter transactionID: of the message, with which XOR addresses are masked.
  /// - Throws: `DecodingError.malformedAttribute` where the value is not of the defined form.
  init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError)

  /// Appends the value, without header and padding.
  func write(into buffer: inout ByteBuffer, transactionID: TransactionID)
}

extension Attribute {
  /// What the length field holds.
  package static var maximumLength: Int { Int(UInt16.max) }
}

/// Where an attribute lies in a message's bytes.
package struct AttributeSpan: Sendable, Hashable {
  package let type: AttributeType
  /// The position of the attribute's header, counted from the message's first byte.
  package let offset: Int
  /// The number of bytes of the value, without padding.
  package let length: Int

  /// The position of the value.
  package var valueOffset: Int { offset + 4 }
  /// The position behind the padding.
  package var end: Int { valueOffset + (length + 3) & ~3 }
}
