import Addresses

/// A message of DNS (RFC 1035, section 4): what its answer section holds.
struct DNSMessage {
  /// The response code: 0 for none, 3 for NXDOMAIN.
  let code: UInt8
  /// Those of a known type, in their order.
  let records: [DNSRecord]

  /// Nil if it cannot be read.
  init?(_ bytes: [UInt8]) {
    var reader = Reader(bytes: bytes)
    guard reader.integer() != nil, let flags = reader.integer(), flags & 0x8000 != 0, let questions = reader.integer(),
      let answers = reader.integer(), reader.skip(4)
    else { return nil }
    code = UInt8(flags & 0x0F)
    for _ in 0..<questions { guard reader.name() != nil, reader.skip(4) else { return nil } }
    var records: [DNSRecord] = []
    for _ in 0..<answers {
      guard let record = reader.record() else { return nil }
      if let record = record.known { records.append(record) }
    }
    self.records = records
  }

  /// What the message says to a question: the records of its type that its name leads to, over aliases.
  func answer(to question: DNSQuestion) -> (outcome: DNSOutcome, records: [DNSRecord], aliases: [DNSRecord]) {
    switch code {
    case 0, 3: break
    case 2: return (.serverFailed, [], [])
    case 5: return (.refused, [], [])
    default: return (.notUnderstood, [], [])
    }
    var name = question.name.lowercased()
    if name.hasSuffix(".") { name.removeLast() }
    var aliases: [DNSRecord] = []
    while true {
      let own = records.filter { $0.name == name }
      let found = own.filter { $0.content.type == question.type }
      if !found.isEmpty { return code == 3 ? (.contradictory, [], aliases) : (.found, found, aliases) }
      guard let alias = own.first(where: { $0.content.type == .cname }), case .alias(let next) = alias.content else {
        return (code == 3 ? .noName : .noData, [], aliases)
      }
      aliases.append(alias)
      guard !aliases.contains(where: { $0.name == next }) else { return (.aliasLoop, [], aliases) }
      name = next
    }
  }

  /// Goes through a message from its start.
  private struct Reader {
    let bytes: [UInt8]
    var offset = 0

    mutating func byte() -> UInt8? {
      guard offset < bytes.count else { return nil }
      defer { offset += 1 }
      return bytes[offset]
    }

    mutating func integer() -> UInt16? {
      guard let high = byte(), let low = byte() else { return nil }
      return UInt16(high) << 8 | UInt16(low)
    }

    mutating func skip(_ count: Int) -> Bool {
      offset += count
      return offset <= bytes.count
    }

    /// A record; `known` is nil for one of a type that is not asked for, or of another class.
    mutating func record() -> (known: DNSRecord?, Void)? {
      guard let name = name(), let type = integer(), let kind = integer(), let high = integer(), let low = integer(),
        let length = integer(), offset + Int(length) <= bytes.count
      else { return nil }
      let end = offset + Int(length)
      defer { offset = end }
      guard let type = DNSRecordType(rawValue: type), kind == 1 else { return (nil, ()) }
      // The highest bit set counts as zero (RFC 2181, section 8).
      let lifetime: Duration = .seconds(high & 0x8000 != 0 ? 0 : Int64(high) << 16 | Int64(low))
      guard let content = content(type, until: end), offset == end else { return nil }
      return (DNSRecord(name: name, content: content, lifetime: lifetime), ())
    }

    private mutating func content(_ type: DNSRecordType, until end: Int) -> DNSRecord.Content? {
      switch type {
      case .a, .aaaa:
        guard end - offset == (type == .a ? 4 : 16), let address = IPAddress(octets: bytes[offset..<end]) else {
          return nil
        }
        offset = end
        return .address(address)
      case .cname: return name().map(DNSRecord.Content.alias)
      case .srv:
        guard let priority = integer(), let weight = integer(), let port = integer(), let target = name() else {
          return nil
        }
        return .service(priority: priority, weight: weight, port: port, target: target)
      }
    }

    /// A name, following compression pointers, each of which must lead further back than the one before.
    mutating func name() -> String? {
      var labels: [String] = []
      var length = 0
      var end: Int?
      var lowest = offset
      while let size = byte() {
        switch size & 0xC0 {
        case 0 where size == 0:
          offset = end ?? offset
          return labels.joined(separator: ".")
        case 0:
          length += Int(size) + 1
          guard length < 255, offset + Int(size) <= bytes.count else { return nil }
          labels.append(Self.text(bytes[offset..<offset + Int(size)]))
          offset += Int(size)
        case 0xC0:
          guard let low = byte() else { return nil }
          let target = Int(size & 0x3F) << 8 | Int(low)
          guard target < lowest else { return nil }
          if end == nil { end = offset }
          (lowest, offset) = (target, target)
        default: return nil
        }
      }
      return nil
    }

    private static func text(_ label: ArraySlice<UInt8>) -> String {
      label.reduce(into: "") { text, byte in
        switch byte {
        case UInt8(ascii: "."), UInt8(ascii: "\\"): text += "\\" + String(Unicode.Scalar(byte))
        case 0x21...0x7E: text += String(Unicode.Scalar(byte)).lowercased()
        default: text += "\\" + String(repeating: "0", count: byte < 10 ? 2 : byte < 100 ? 1 : 0) + String(byte)
        }
      }
    }
  }
}

extension DNSRecord.Content {
  fileprivate var type: DNSRecordType {
    switch self {
    case .address(let address): address.family == .ipv4 ? .a : .aaaa
    case .alias: .cname
    case .service: .srv
    }
  }
}
