package import Schema
import Synchronization

/// Makes ids that sort by the time they were made (ULID: 48 bits of milliseconds since 1970, then 80 random bits, as 26
/// characters of Crockford's base 32).
///
/// Within one process every id is greater than the one before, also within a millisecond and after the wall clock went back.
package enum ULID {
  package static let length = 26

  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
  private static let last = Mutex<UInt128>(0)

  /// A new id.
  package static func next() -> String {
    let milliseconds = UInt128(Moment.now().wall.milliseconds)
    var random = SystemRandomNumberGenerator()
    let fresh = milliseconds << 80 | UInt128(random.next() as UInt64) << 16 | UInt128(random.next() as UInt16)
    return text(
      of: last.withLock { last in
        last = last >> 80 >= milliseconds ? last + 1 : fresh
        return last
      })
  }

  /// When an id was made, to the millisecond; nil if the text is no id.
  package static func time(of id: String) -> Timestamp? {
    guard isValid(id) else { return nil }
    let milliseconds = id.utf8.prefix(10).reduce(Int64(0)) { sum, digit in
      sum << 5 | Int64(alphabet.firstIndex(of: digit) ?? 0)
    }
    return Timestamp.unixEpoch.later(by: .milliseconds(milliseconds))
  }

  /// True for 26 characters of the alphabet that fit into 128 bits.
  package static func isValid(_ text: String) -> Bool {
    text.utf8.count == length && text.utf8.allSatisfy(alphabet.contains) && text.first.map { $0 <= "7" } == true
  }

  private static func text(of number: UInt128) -> String {
    let digits = (0..<length).reversed().map { alphabet[Int(truncatingIfNeeded: number >> (5 * UInt128($0))) & 31] }
    return String(decoding: digits, as: UTF8.self)
  }
}

extension Timestamp {
  /// Since 1970-01-01T00:00:00Z; 0 before it.
  fileprivate var milliseconds: Int64 { max(0, seconds * 1000 + Int64(nanoseconds / 1_000_000)) }
}
