package import NIOCore

/// How a long-term credential's key is derived (RFC 8489, section 18.5).
package struct PasswordAlgorithm: Attribute, Hashable {
  package static let type = AttributeType.passwordAlgorithm
  /// IANA's number.
  package let number: UInt16
  /// The algorithm's parameters; empty for the two that are defined.
  package let parameters: [UInt8]

  package init(number: UInt16, parameters: [UInt8] = []) {
    self.number = number
    self.parameters = parameters
  }

  package static let md5 = PasswordAlgorithm(number: 1)
  package static let sha256 = PasswordAlgorithm(number: 2)

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    var value = value
    guard let algorithm = Self(readingFrom: &value), value.readableBytes < 4 else {
      throw .malformedAttribute(Self.type)
    }
    self = algorithm
  }

  fileprivate init?(readingFrom value: inout ByteBuffer) {
    guard let (number, length) = value.readMultipleIntegers(as: (UInt16, UInt16).self),
      let parameters = value.readBytes(length: Int(length))
    else { return nil }
    value.moveReaderIndex(forwardBy: min(-Int(length) & 3, value.readableBytes))
    self.init(number: number, parameters: parameters)
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    buffer.writeMultipleIntegers(number, UInt16(truncatingIfNeeded: parameters.count))
    buffer.writeBytes(parameters)
  }
}

/// PASSWORD-ALGORITHMS: what a server offers, in its order of preference; the client echoes it unchanged (RFC 8489,
/// section 14.11).
package struct PasswordAlgorithms: Attribute, Hashable {
  package static let type = AttributeType.passwordAlgorithms
  package let algorithms: [PasswordAlgorithm]

  package init(_ algorithms: [PasswordAlgorithm]) { self.algorithms = algorithms }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    var value = value
    var algorithms: [PasswordAlgorithm] = []
    while value.readableBytes > 0 {
      guard let algorithm = PasswordAlgorithm(readingFrom: &value) else { throw .malformedAttribute(Self.type) }
      algorithms.append(algorithm)
    }
    self.algorithms = algorithms
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    for (index, algorithm) in algorithms.enumerated() {
      algorithm.write(into: &buffer, transactionID: transactionID)
      if index < algorithms.count - 1 { buffer.writeRepeatingByte(0, count: -algorithm.parameters.count & 3) }
    }
  }
}
