package import Schema

/// What is known of one kind of event without a value of it: the reader, the reference and the tests read this table.
package struct EventKind: Sendable {
  /// `step.finished`: what `type` holds in a journal's line.
  package let type: String
  package let summary: String
  package let fields: RecordType
  let durability: Durability
  let read: @Sendable ([JSON.Member]) throws(Mismatch) -> Event

  init<Payload: JournalEvent>(_ wrap: @escaping @Sendable (Payload) -> Event) {
    type = Payload.type
    summary = Payload.summary
    fields = Payload.record.type
    durability = Payload.durability
    read = { (fields) throws(Mismatch) in wrap(try Payload.record.read(fields)) }
  }
}

extension Event {
  /// The kind of this name; nil if this version knows none.
  package static func kind(named type: String) -> EventKind? { byType[type] }

  private static let byType = Dictionary(uniqueKeysWithValues: kinds.map { ($0.type, $0) })

  /// The step that it is about; nil for events of the whole run.
  package var path: StepPath? { payload?.step }

  /// When it must be on the disk.
  var durability: Durability { payload.map { Swift.type(of: $0).durability } ?? .eventually }

  /// The name of its kind.
  package var type: String {
    if case .unknown(let type, _) = self { return type }
    return payload.map { Swift.type(of: $0).type } ?? ""
  }

  /// Its own fields as a journal's line holds them, secrets masked.
  package var fields: [JSON.Member] {
    let json = if case .unknown(_, let fields) = self { fields } else { payload?.encoded.json }
    guard case .object(let members) = json else { return [] }
    return members
  }

  /// Reads the fields of a line. Members that the kind does not declare are left out, at any depth: a later version may
  /// have written them.
  ///
  /// Throws if a field that the kind declares is missing, or is not of its type.
  package init(type: String, fields: [JSON.Member]) throws(Mismatch) {
    guard let kind = Self.kind(named: type) else {
      self = .unknown(type: type, fields: .object(fields))
      return
    }
    self = try kind.read(fields)
  }
}

extension JournalEvent {
  fileprivate var encoded: Value { Self.record.encode(self) }
}

/// When an event must be on the disk.
package enum Durability: Hashable, Sendable {
  /// Whenever the disk gets to it: it can be told from other events, or nothing depends on it.
  case eventually
  /// Before anything else happens.
  case always
  /// Before anything else happens, for a step that does more than observe: a crash must not hide that it was begun.
  case whenActing
}

extension Event {
  /// True if the event must be on the disk before anything else happens.
  ///
  /// - Parameter effect: of the step that the event belongs to; nil if it is not known, which counts as acting.
  func mustBeDurable(effect: Effect?) -> Bool {
    switch durability {
    case .eventually: false
    case .always: true
    case .whenActing: effect.map { $0 > .observe } ?? true
    }
  }
}
