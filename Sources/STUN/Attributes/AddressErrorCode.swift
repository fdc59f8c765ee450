package import Addresses
package import NIOCore

/// ADDRESS-ERROR-CODE: in a success response to a dual allocation, the family that was not given, and why (RFC 8656,
/// section 18.12).
package struct AddressErrorCode: Attribute, Hashable {
  package static let type = AttributeType.addressErrorCode
  package let family: AddressFamily
  package let error: ErrorCode

  package init(family: AddressFamily, error: ErrorCode) {
    self.family = family
    self.error = error
  }

  package init(value: ByteBuffer, transactionID: TransactionID) throws(DecodingError) {
    guard let number: UInt8 = value.getInteger(at: value.readerIndex), let family = AddressFamily(rawValue: number)
    else { throw .malformedAttribute(Self.type) }
    self.family = family
    do throws(DecodingError) {
      error = try ErrorCode(value: value, transactionID: transactionID)
    } catch {
      throw .malformedAttribute(Self.type)
    }
  }

  package func write(into buffer: inout ByteBuffer, transactionID: TransactionID) {
    let start = buffer.writerIndex
    error.write(into: &buffer, transactionID: transactionID)
    buffer.setInteger(family.rawValue, at: start)
  }
}
