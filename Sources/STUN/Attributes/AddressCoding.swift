import Addresses
import NIOCore

/// The layout that all address attributes share: a zero byte, the family, port and address, plain or masked
/// (RFC 8489, sections 14.1 and 14.2).
enum AddressCoding {
  static func read(
    _ value: ByteBuffer, of type: AttributeType, mask: UInt128
  ) throws(DecodingError) -> TransportAddress {
    var value = value
    guard let (_, family, port) = value.readMultipleIntegers(as: (UInt8, UInt8, UInt16).self) else {
      throw .malformedAttribute(type)
    }
    let plainPort = port ^ UInt16(truncatingIfNeeded: mask >> 112)
    switch AddressFamily(rawValue: family) {
    case .ipv4:
      guard value.readableBytes == 4, let address: UInt32 = value.readInteger() else { break }
      return TransportAddress(ip: .v4(address ^ UInt32(truncatingIfNeeded: mask >> 96)), port: plainPort)
    case .ipv6:
      guard value.readableBytes == 16, let address: UInt128 = value.readInteger() else { break }
      return TransportAddress(ip: .v6(address ^ mask), port: plainPort)
    case nil:
      break
    }
    throw .malformedAttribute(type)
  }

  static func write(_ address: TransportAddress, into buffer: inout ByteBuffer, mask: UInt128) {
    let port = address.port ^ UInt16(truncatingIfNeeded: mask >> 112)
    buffer.writeMultipleIntegers(0 as UInt8, address.ip.family.rawValue, port)
    switch address.ip {
    case .v4(let value): buffer.writeInteger(value ^ UInt32(truncatingIfNeeded: mask >> 96))
    case .v6(let value): buffer.writeInteger(value ^ mask)
    }
  }
}
