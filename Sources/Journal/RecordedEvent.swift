package import Schema

/// An event as it stands in a journal.
package struct RecordedEvent: Hashable, Sendable {
  /// Its line, from 1.
  package var seq: Int
  package var moment: Moment
  package var event: Event
  /// Fields of the line that this version does not know, as they stand.
  package var unread: [JSON.Member]

  package init(seq: Int, moment: Moment, event: Event, unread: [JSON.Member] = []) {
    self.seq = seq
    self.moment = moment
    self.event = event
    self.unread = unread
  }
}

extension Collection<RecordedEvent> {
  /// From the first event to the last: by the boot-time clock, and by the wall clock where the host was restarted between two
  /// events. A clock that went back takes no time away.
  package var elapsed: Duration {
    zip(self, dropFirst()).reduce(.zero) { $0 + $1.1.moment.time(since: $1.0.moment) }
  }
}

/// One line of a journal: the envelope that every event has, and the fields of the event.
struct JournalLine {
  /// Of the form of the lines, not of the events: raised only if an older reader could not read them at all.
  static let version: Int64 = 2
  /// The longest line, without its LF.
  static let limit = 65_535
  /// What the first line holds in place of the digest of the line before it.
  static let noPrevious = String(repeating: "0", count: 64)

  static let envelope = RecordType(fields: [
    FieldDeclaration(name: "v", type: .int, summary: "Version of the form of the lines: 2."),
    FieldDeclaration(name: "run", type: .string, summary: "Id of the run (ULID), the name of its folder."),
    FieldDeclaration(name: "seq", type: .int, summary: "Number of the line, from 1 without gaps."),
    FieldDeclaration(
      name: "prev", type: .string,
      summary: "SHA-256 in hex of the line before, without its LF; 64 zeros in the first."),
    FieldDeclaration(name: "wall", type: .timestamp, summary: "Wall clock, as evidence only."),
    FieldDeclaration(
      name: "monoNs", type: .string, summary: "Nanoseconds of the boot-time clock, in a string so that they stay exact."
    ),
    FieldDeclaration(name: "boot", type: .string, summary: "The kernel's id of the boot that the clock counts from."),
    FieldDeclaration(name: "type", type: .string, summary: "Kind of the event."),
  ])

  var run: String
  var seq: Int
  var prev: String
  var moment: Moment
  var type: String
  /// What follows the envelope.
  var fields: [JSON.Member]
}

extension JournalLine {
  /// Reads one line without its LF; throws what is wrong with it, as a sentence goes on after "line 7".
  init(parsing bytes: ArraySlice<UInt8>) throws(Malformed) {
    let json: JSON
    do { json = try JSON(parsing: bytes) } catch {
      throw Malformed("is no JSON: \(error.message) at byte \(error.offset + 1)")
    }
    guard case .object(let members) = json else { throw Malformed("is no JSON object") }
    guard let version = json["v"]?.int else { throw Malformed("has no version") }
    guard version <= Self.version else {
      throw Malformed("is of version \(version), and this runbook reads version \(Self.version)", .newer)
    }
    guard version == Self.version else {
      throw Malformed("is of version \(version), which an unreleased version of runbook wrote", .unreleased)
    }
    // What we wrote ourselves begins with the envelope, in its order.
    let isInOrder = members.prefix(Self.envelope.fields.count).elementsEqual(Self.envelope.fields) {
      $0.name == $1.name
    }
    let fields =
      isInOrder
      ? Array(members.dropFirst(Self.envelope.fields.count)) : members.filter { Self.envelope[$0.name] == nil }
    guard let run = json["run"]?.string, let seq = json["seq"]?.int.flatMap({ Int(exactly: $0) }),
      let prev = json["prev"]?.string, let wall = json["wall"]?.string.flatMap({ Timestamp($0) }),
      let monotonic = json["monoNs"]?.string.flatMap({ Int64($0) }), let boot = json["boot"]?.string,
      let type = json["type"]?.string
    else { throw Malformed("lacks a part of the envelope, or has one of another type") }
    self.init(
      run: run, seq: seq, prev: prev, moment: Moment(wall: wall, monotonic: monotonic, boot: boot), type: type,
      fields: fields)
  }

  struct Malformed: Error {
    var reason: String
    var code: JournalError.Code

    init(_ reason: String, _ code: JournalError.Code = .damaged) {
      self.reason = reason
      self.code = code
    }
  }
}
