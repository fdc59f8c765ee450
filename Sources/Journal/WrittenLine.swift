import Schema

/// A line as it is written. Each part is put into text once, however large it is.
struct WrittenLine {
  /// The envelope, without the closing brace.
  let opening: [UInt8]
  /// What follows the envelope.
  var fields: [Member]

  struct Member {
    /// With the comma before it and the colon behind it.
    let name: [UInt8]
    var value: [UInt8]
    /// Whether a reference to a file stands for the value.
    var isAttached = false

    var length: Int { name.count + value.count }

    fileprivate init(_ member: JSON.Member) {
      name = [UInt8(ascii: ",")] + JSON.string(member.name).utf8() + [UInt8(ascii: ":")]
      value = member.value.utf8()
    }
  }

  init(_ line: JournalLine) {
    let envelope: JSON = [
      "v": .int(JournalLine.version), "run": .string(line.run), "seq": .int(Int64(line.seq)),
      "prev": .string(line.prev), "wall": .string(line.moment.wall.description),
      "monoNs": .string(String(line.moment.monotonic)), "boot": .string(line.moment.boot), "type": .string(line.type),
    ]
    opening = envelope.utf8().dropLast()
    fields = line.fields.map(Member.init)
  }

  /// Of ``bytes``.
  var length: Int { fields.reduce(opening.count + 1) { $0 + $1.length } }

  /// The line without its LF.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length + 1)
    bytes += opening
    for field in fields {
      bytes += field.name
      bytes += field.value
    }
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }
}
