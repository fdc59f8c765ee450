/// The class of a STUN message (RFC 8489, section 5).
package enum MessageClass: UInt8, Sendable, Hashable, CaseIterable {
  case request = 0b00
  case indication = 0b01
  case success = 0b10
  case error = 0b11
}

/// The method of a STUN message: a number of 12 bits, of which a client may meet ones it does not know.
package struct Method: RawRepresentable, Sendable, Hashable {
  package let rawValue: UInt16

  /// nil if the number does not fit into 12 bits.
  package init?(rawValue: UInt16) {
    guard rawValue <= 0x0FFF else { return nil }
    self.rawValue = rawValue
  }

  private init(_ number: UInt16) { rawValue = number }

  /// RFC 8489.
  package static let binding = Method(0x001)
  /// RFC 8656.
  package static let allocate = Method(0x003)
  package static let refresh = Method(0x004)
  package static let send = Method(0x006)
  package static let data = Method(0x007)
  package static let createPermission = Method(0x008)
  package static let channelBind = Method(0x009)
  /// RFC 6062.
  package static let connect = Method(0x00A)
  package static let connectionBind = Method(0x00B)
  package static let connectionAttempt = Method(0x00C)

  fileprivate init(low12 number: UInt16) { rawValue = number & 0x0FFF }
}

extension Method: CustomStringConvertible {
  /// The method's name as the RFCs write it, or its number.
  package var description: String {
    switch self {
    case .binding: "Binding"
    case .allocate: "Allocate"
    case .refresh: "Refresh"
    case .send: "Send"
    case .data: "Data"
    case .createPermission: "CreatePermission"
    case .channelBind: "ChannelBind"
    case .connect: "Connect"
    case .connectionBind: "ConnectionBind"
    case .connectionAttempt: "ConnectionAttempt"
    default: "0x" + String(rawValue, radix: 16)
    }
  }
}

/// Method and class, interleaved into the first 14 bits of a message (RFC 8489, figure 3).
package struct MessageType: Sendable, Hashable {
  package var method: Method
  package var messageClass: MessageClass

  package init(_ method: Method, _ messageClass: MessageClass) {
    self.method = method
    self.messageClass = messageClass
  }

  /// The type in the first 16 bits of a message; nil if the two most significant bits are not zero.
  init?(wire: UInt16) {
    guard wire & 0xC000 == 0 else { return nil }
    method = Method(low12: wire & 0x000F | (wire & 0x00E0) >> 1 | (wire & 0x3E00) >> 2)
    switch (wire & 0x0100 != 0, wire & 0x0010 != 0) {
    case (false, false): messageClass = .request
    case (false, true): messageClass = .indication
    case (true, false): messageClass = .success
    case (true, true): messageClass = .error
    }
  }

  /// The first 16 bits of a message of this type.
  var wire: UInt16 {
    let number = method.rawValue
    let classBits = UInt16(messageClass.rawValue)
    return (number & 0x000F) | (number & 0x0070) << 1 | (number & 0x0F80) << 2
      | (classBits & 0b01) << 4 | (classBits & 0b10) << 7
  }
}
