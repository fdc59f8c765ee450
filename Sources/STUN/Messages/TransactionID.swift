/// The 96-bit transaction id of a STUN message (RFC 8489, section 5).
package struct TransactionID: Sendable, Hashable {
  /// The first four octets on the wire.
  package let high: UInt32
  /// The last eight octets on the wire.
  package let low: UInt64

  package init(high: UInt32, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// A fresh id from the system's cryptographically secure generator, as section 5 demands.
  package static func random() -> TransactionID {
    var generator = SystemRandomNumberGenerator()
    return TransactionID(high: generator.next(), low: generator.next())
  }

  /// The 128 bits that XOR addresses are masked with: magic cookie, then transaction id (RFC 8489, section 14.2).
  var addressMask: AddressMask {
    AddressMask(high: UInt64(Message.magicCookie) << 32 | UInt64(high), low: low)
  }
}

extension TransactionID: CustomStringConvertible {
  /// The id in 24 hexadecimal digits.
  package var description: String {
    func padded(_ text: String, to width: Int) -> String {
      String(repeating: "0", count: width - text.utf8.count) + text
    }
    return padded(String(high, radix: 16), to: 8) + padded(String(low, radix: 16), to: 16)
  }
}
