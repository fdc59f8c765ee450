import Addresses
import NIOCore

/// What port and address of an attribute are XORed with. All address attributes share one layout: a zero byte, the
/// family, port and address, plain or masked (RFC 8489, sections 14.1 and 14.2).
struct AddressMask {
  let high: UInt64
  let low: UInt64

  /// Leaves everything as it is.
  static let none = AddressMask(high: 0, low: 0)

  var port: UInt16 { UInt16(truncatingIfNeeded: high >> 48) }
  var ipv4: UInt32 { UInt32(truncatingIfNeeded: high >> 32) }
}

/// Reading and writing of that layout.
enum AddressCoding {
  static func read(
    _ value: ByteBuffer, of type: AttributeType, mask: AddressMask
  ) throws(DecodingError) -> TransportAddress {
    var value = value
    guard let (_, family, port) = value.readMultipleIntegers(as: (UInt8, UInt8, UInt16).self) else {
      throw .malformedAttribute(type)
    }
    let plainPort = port ^ mask.port
    switch AddressFamily(rawValue: family) {
    case .ipv4:
      guard value.readableBytes == 4, let address: UInt32 = value.readInteger() else { break }
      return TransportAddress(ip: .v4(address ^ mask.ipv4), port: plainPort)
    case .ipv6:
      guard value.readableBytes == 16, let (high, low) = value.readMultipleIntegers(as: (UInt64, UInt64).self) else {
        break
      }
      return TransportAddress(ip: .v6(high: high ^ mask.high, low: low ^ mask.low), port: plainPort)
    case nil:
      break
    }
    throw .malformedAttribute(type)
  }

  static func write(_ address: TransportAddress, into buffer: inout ByteBuffer, mask: AddressMask) {
    let port = address.port ^ mask.port
    buffer.writeMultipleIntegers(0 as UInt8, address.ip.family.rawValue, port)
    switch address.ip {
    case .v4(let value): buffer.writeInteger(value ^ mask.ipv4)
    case .v6(let high, let low): buffer.writeMultipleIntegers(high ^ mask.high, low ^ mask.low)
    }
  }
}
