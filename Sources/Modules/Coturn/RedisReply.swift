/// A reply of Redis (RESP2: redis.io/docs/latest/develop/reference/protocol-spec).
enum RedisReply: Hashable {
  case status(String)
  case error(String)
  case integer(Int)
  case bytes([UInt8])
  case null
  case list([RedisReply])

  /// The text of a status or of bytes; nil for everything else.
  var text: String? {
    switch self {
    case .status(let text): text
    case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }

  /// The elements of a list; nil for everything else.
  var elements: [RedisReply]? {
    if case .list(let elements) = self { elements } else { nil }
  }
}

/// Takes replies out of the bytes of a connection as they come.
struct RedisReader {
  /// What came is no reply of Redis, or is larger than any that is asked for here.
  struct Malformed: Error, Hashable {}

  private static let longestReply = 4 << 20
  private static let longestLine = 65_536
  private static let mostBytes = 1 << 20
  private static let mostElements = 1 << 20
  private static let deepest = 4

  private var buffer: [UInt8] = []
  /// Up to here the bytes of ``buffer`` are read.
  private var start = 0

  /// Throws if a reply is not at its end after 4 MiB.
  mutating func take(_ bytes: [UInt8]) throws(Malformed) {
    buffer.removeSubrange(..<start)
    start = 0
    guard buffer.count + bytes.count <= Self.longestReply else { throw Malformed() }
    buffer += bytes
  }

  /// The next reply; nil if its end has not come yet.
  mutating func next() throws(Malformed) -> RedisReply? {
    var position = start
    guard let reply = try reply(at: &position, depth: 0) else { return nil }
    start = position
    return reply
  }

  private func reply(at position: inout Int, depth: Int) throws(Malformed) -> RedisReply? {
    guard let line = try line(at: &position) else { return nil }
    guard let kind = line.first else { throw Malformed() }
    let text = String(decoding: line.dropFirst(), as: UTF8.self)
    switch kind {
    case UInt8(ascii: "+"): return .status(text)
    case UInt8(ascii: "-"): return .error(text)
    case UInt8(ascii: ":"):
      guard let number = Int(text) else { throw Malformed() }
      return .integer(number)
    case UInt8(ascii: "$"):
      guard let count = Int(text), count <= Self.mostBytes else { throw Malformed() }
      if count < 0 { return .null }
      guard buffer.count - position >= count + 2 else { return nil }
      defer { position += count + 2 }
      return .bytes(Array(buffer[position..<(position + count)]))
    case UInt8(ascii: "*"):
      guard let count = Int(text), count <= Self.mostElements, depth < Self.deepest else { throw Malformed() }
      if count < 0 { return .null }
      var elements: [RedisReply] = []
      for _ in 0..<count {
        guard let element = try reply(at: &position, depth: depth + 1) else { return nil }
        elements.append(element)
      }
      return .list(elements)
    default: throw Malformed()
    }
  }

  /// The line that begins at a position, without its end.
  private func line(at position: inout Int) throws(Malformed) -> ArraySlice<UInt8>? {
    let rest = buffer[position...]
    guard let end = rest.prefix(Self.longestLine).firstIndex(of: UInt8(ascii: "\n")) else {
      if rest.count >= Self.longestLine { throw Malformed() }
      return nil
    }
    guard end > position, buffer[end - 1] == UInt8(ascii: "\r") else { throw Malformed() }
    defer { position = end + 1 }
    return buffer[position..<(end - 1)]
  }
}
