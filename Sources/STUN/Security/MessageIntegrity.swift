import Crypto
import NIOCore

/// What checking a message's integrity found.
package enum IntegrityVerdict: Sendable, Hashable {
  /// The message carries no integrity attribute.
  case absent
  /// A code is there and agrees.
  case valid
  /// A code is there and does not agree with this key.
  case invalid
}

extension Message {
  /// Checks MESSAGE-INTEGRITY-SHA256 where it is there, otherwise MESSAGE-INTEGRITY: for long-term credentials either
  /// authenticates a response, whichever the request had (RFC 8489, section 9.2.5; not so in 9.1.4).
  package func integrity(with key: IntegrityKey) -> IntegrityVerdict {
    if let span = span(of: .messageIntegritySHA256) {
      // The code may be cut to 16–32 bytes, a multiple of four (section 14.6).
      guard (16...32).contains(span.length), span.length % 4 == 0 else { return .invalid }
      return agrees(key.sha256.code(over: bytes, upTo: span.offset, length: lengthEnding(with: span)), span)
    }
    if let span = span(of: .messageIntegrity) {
      guard span.length == 20 else { return .invalid }
      return agrees(
        key.sha1.code(over: bytes, upTo: span.offset, length: lengthEnding(with: span)), span)
    }
    return .absent
  }

  private func lengthEnding(with span: AttributeSpan) -> Int { span.end - Self.headerLength }

  /// Compares in constant time.
  private func agrees(_ code: some Sequence<UInt8>, _ span: AttributeSpan) -> IntegrityVerdict {
    let difference = zip(code, value(of: span).readableBytesView).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) }
    return difference == 0 ? .valid : .invalid
  }
}

extension MessageWriter {
  /// Appends MESSAGE-INTEGRITY: HMAC-SHA1 over the message so far, its length counting this attribute (RFC 8489,
  /// section 14.5).
  package mutating func appendIntegrity(key: IntegrityKey) {
    appendCode(.messageIntegrity, byteCount: 20) { message, end, length in
      key.sha1.code(over: message, upTo: end, length: length)
    }
  }

  /// Appends MESSAGE-INTEGRITY-SHA256 with the whole code of 32 bytes (RFC 8489, section 14.6).
  package mutating func appendIntegritySHA256(key: IntegrityKey) {
    appendCode(.messageIntegritySHA256, byteCount: 32) { message, end, length in
      key.sha256.code(over: message, upTo: end, length: length)
    }
  }
}
