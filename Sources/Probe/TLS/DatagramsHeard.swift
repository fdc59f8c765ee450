import NIOCore
import STUN

/// What arrived during a DTLS handshake. The library drops in silence what is no record (RFC 6347, section 4.1.2.7).
struct DatagramsHeard {
  private var records = 0
  private var others = 0
  private var messages = 0

  mutating func note(_ datagram: ByteBuffer) {
    if Self.isRecord(datagram) {
      records += 1
    } else {
      others += 1
      if (try? Message(decoding: datagram)) != nil { messages += 1 }
    }
  }

  /// Why there is no handshake; nil if nothing arrived, or a record.
  var failure: TLSFailure? {
    guard others > 0, records == 0 else { return nil }
    let kind = messages == others ? "STUN that is not encrypted" : "no DTLS"
    return TLSFailure(.notTLS, "it sent \(others == 1 ? "one datagram" : "\(others) datagrams"), all of it \(kind)")
  }

  /// Whether a datagram begins with a whole record of DTLS 1.0 or 1.2 (RFC 6347, section 4.1).
  private static func isRecord(_ datagram: ByteBuffer) -> Bool {
    let start = datagram.readerIndex
    guard let type: UInt8 = datagram.getInteger(at: start), (20...24).contains(type),
      let version: UInt16 = datagram.getInteger(at: start + 1), [0xFEFF, 0xFEFD].contains(version),
      let length: UInt16 = datagram.getInteger(at: start + 11)
    else { return false }
    return datagram.readableBytes >= 13 + Int(length)
  }

  /// The message number of a ClientHello; nil for any other datagram (RFC 6347, section 4.2.2).
  static func helloNumber(_ datagram: ByteBuffer) -> Int? {
    let start = datagram.readerIndex
    guard isRecord(datagram), datagram.getInteger(at: start, as: UInt8.self) == 22,
      datagram.getInteger(at: start + 3, as: UInt16.self) == 0, datagram.getInteger(at: start + 13, as: UInt8.self) == 1
    else { return nil }
    return datagram.getInteger(at: start + 17, as: UInt16.self).map { Int($0) }
  }
}
