import NIOCore

/// The part of DNS that a question for SRV records needs (RFC 1035, section 4).
enum DNSMessage {
  static let typeSRV: UInt16 = 33
  private static let classInternet: UInt16 = 1

  /// What can come back.
  enum Answer: Sendable, Hashable {
    case records([ServiceRecord])
    /// The name or the records do not exist.
    case nothing
    /// There is more than one datagram holds; what came is to be ignored (RFC 2181, section 9).
    case truncated
    /// The server cannot answer, with its code.
    case failed(UInt8)
  }

  /// A question for the SRV records of a name; nil where the name has labels that DNS does not take.
  static func question(id: UInt16, name: String) -> ByteBuffer? {
    var message = ByteBuffer()
    message.writeMultipleIntegers(id, 0x0100 as UInt16, 1 as UInt16, 0 as UInt16, 0 as UInt16, 0 as UInt16)
    for label in name.split(separator: ".") {
      guard (1...63).contains(label.utf8.count) else { return nil }
      message.writeInteger(UInt8(label.utf8.count))
      message.writeString(String(label))
    }
    message.writeMultipleIntegers(0 as UInt8, typeSRV, classInternet)
    return message
  }

  /// Reads an answer; nil where it is malformed or for another question.
  static func answer(_ message: ByteBuffer, id: UInt16) -> Answer? {
    var reader = message
    guard
      let (answeredID, flags, questions, answers) = reader.readMultipleIntegers(
        as: (UInt16, UInt16, UInt16, UInt16).self), answeredID == id, flags & 0x8000 != 0
    else { return nil }
    reader.moveReaderIndex(forwardBy: min(4, reader.readableBytes))
    let code = UInt8(flags & 0x0F)
    if code == 3 { return .nothing }
    guard code == 0 else { return .failed(code) }
    if flags & 0x0200 != 0 { return .truncated }
    for _ in 0..<questions {
      guard readName(&reader, in: message) != nil, reader.readInteger(as: UInt32.self) != nil else { return nil }
    }
    var records: [ServiceRecord] = []
    for _ in 0..<answers {
      guard readName(&reader, in: message) != nil,
        let (type, _, _, length) = reader.readMultipleIntegers(as: (UInt16, UInt16, UInt32, UInt16).self),
        var data = reader.readSlice(length: Int(length))
      else { return nil }
      guard type == typeSRV else { continue }
      guard let (priority, weight, port) = data.readMultipleIntegers(as: (UInt16, UInt16, UInt16).self),
        let target = readName(&data, in: message)
      else { return nil }
      // A lone dot says that the service is decidedly not there.
      if !target.isEmpty {
        records.append(ServiceRecord(priority: priority, weight: weight, port: port, target: target))
      }
    }
    return records.isEmpty ? .nothing : .records(records)
  }

  /// Reads a name, following compression pointers, which must lead backwards.
  private static func readName(_ reader: inout ByteBuffer, in message: ByteBuffer) -> String? {
    var labels: [String] = []
    var current = reader
    var lowest = message.readableBytes
    var isReaderPlaced = false
    while let length: UInt8 = current.readInteger() {
      if length == 0 {
        if !isReaderPlaced { reader = current }
        return labels.joined(separator: ".")
      }
      if length & 0xC0 == 0xC0 {
        guard let low: UInt8 = current.readInteger() else { return nil }
        if !isReaderPlaced { reader = current }
        isReaderPlaced = true
        let offset = Int(length & 0x3F) << 8 | Int(low)
        guard offset < lowest,
          let rest = message.getSlice(
            at: message.readerIndex + offset, length: message.readableBytes - offset)
        else { return nil }
        lowest = offset
        current = rest
      } else {
        guard length < 64, let label = current.readString(length: Int(length)), labels.count < 128 else { return nil }
        labels.append(label.lowercased())
      }
    }
    return nil
  }
}
