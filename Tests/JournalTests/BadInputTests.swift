import TestSupport
import Testing

@testable import Journal
@testable import Schema

/// Lines that no version of ours wrote, of every kind of event.
@Suite struct BadInputTests {
  private static let kinds = Event.kinds.map(\.type)
  private let folder = RunFolder("/no/such/run")

  /// A journal of two lines, the second of which has these fields, or is what `change` makes of it.
  private func content(
    _ type: String, _ fields: [JSON.Member], change: (String) -> String = { $0 }
  ) throws(JournalError) -> JournalContent {
    let first = WrittenLine(
      JournalLine(
        run: SampleRun.id, seq: 1, prev: JournalLine.noPrevious, moment: .now(), type: RunStarted.type,
        fields: Event.runStarted(SampleRun.started).fields)
    ).bytes
    let second = WrittenLine(
      JournalLine(run: SampleRun.id, seq: 2, prev: sha256Hex(first), moment: .now(), type: type, fields: fields)
    ).bytes
    let text = change(String(decoding: second, as: UTF8.self))
    return try JournalContent(bytes: first + [0x0A] + Array(text.utf8) + [0x0A], in: folder)
  }

  /// Why the journal is refused: the error names the second line.
  private func refusal(
    _ type: String, _ fields: [JSON.Member], _ code: JournalError.Code = .damaged, change: (String) -> String = { $0 }
  ) throws -> String {
    let error = #expect(throws: JournalError.self) { _ = try content(type, fields, change: change) }
    #expect(error?.code == code && error?.line == 2, "\(String(describing: error))")
    return try #require(error?.message)
  }

  private func sample(_ type: String) throws -> (kind: EventKind, fields: [JSON.Member]) {
    let kind = try #require(Event.kind(named: type))
    return (kind, sampleFields(of: kind, seed: 1000))
  }

  @Test("A field that is missing is named, unless something stands for it", arguments: kinds)
  func missing(type: String) throws {
    let (kind, fields) = try sample(type)
    for field in kind.fields.fields {
      let rest = fields.filter { $0.name != field.name }
      guard field.fallback == nil else {
        #expect(try content(type, rest).events.count == 2, "\(field.name)")
        continue
      }
      let message = try refusal(type, rest)
      #expect(message.hasSuffix("is no valid \(type): \(field.name): required, and not given"), "\(message)")
    }
  }

  @Test("A field of another type is named, with what was due and what was found", arguments: kinds)
  func anotherType(type: String) throws {
    let (kind, fields) = try sample(type)
    for field in kind.fields.fields {
      let isType = typeFields(of: kind).contains(field.name)
      guard field.type != .any || isType else { continue }
      for wrong in isType ? [5, .array([]), .null] : wrongValues(for: field.type) {
        let changed = fields.map { $0.name == field.name ? JSON.Member(field.name, wrong) : $0 }
        let message = try refusal(type, changed)
        #expect(message.contains("is no valid \(type): \(field.name)"), "\(message)")
      }
    }
  }

  private func wrongValues(for type: ValueType) -> [JSON] {
    switch type {
    case .optional(let wrapped): wrongValues(for: wrapped).filter { $0 != .null }
    case .any: []
    case .string: [5, .null, ["text"], ["a": "text"]]
    case .int: ["5", .double(5.5), .null, true]
    case .bool: ["true", 1, .null]
    case .enumeration: ["no such name", 1, .null]
    case .list(let element): ["text", .null, ["a": 1]] + wrongValues(for: element).prefix(1).map { .array([$0]) }
    case .map(let element): ["text", .null, [1]] + wrongValues(for: element).prefix(1).map { ["key": $0] }
    case .record: ["text", .null, [1], [:]]
    default: ["no literal", .null, [1]]
    }
  }

  @Test("A kind that is not known is kept as it stands, also between others")
  func unknownKind() throws {
    let fields: [JSON.Member] = [.init("moon", "full"), .init("steps", 5)]
    let events = try content("moon.rose", fields).events
    #expect(events.map(\.event).last == .unknown(type: "moon.rose", fields: .object(fields)))
  }

  @Test("Another version is refused by name, whatever the kind: an unreleased one, a later one, none", arguments: kinds)
  func versions(type: String) throws {
    let fields = try sample(type).fields
    func versioned(_ text: String) -> (String) -> String {
      { $0.replacing("\"v\":2,", with: text, maxReplacements: 1) }
    }
    let unreleased = try refusal(type, fields, .unreleased, change: versioned("\"v\":1,"))
    #expect(unreleased.contains("is of version 1, which an unreleased version of runbook wrote"))
    let later = try refusal(type, fields, .newer, change: versioned("\"v\":3,"))
    #expect(later.contains("is of version 3, and this runbook reads version 2"))
    #expect(try refusal(type, fields, change: versioned("")).contains("has no version"))
    #expect(try refusal(type, fields, change: versioned("\"v\":\"2\",")).contains("has no version"))
  }

  @Test("A line of 64 KiB with its LF is read, one byte more is refused, whatever the kind", arguments: kinds)
  func longLines(type: String) throws {
    let fields = try sample(type).fields
    func padded(_ length: Int) -> (String) -> String {
      { line in
        let padding = length - line.utf8.count - ",\"padding\":\"\"".utf8.count
        return line.dropLast() + ",\"padding\":\"\(String(repeating: "x", count: padding))\"}"
      }
    }
    let last = try #require(try content(type, fields, change: padded(65_535)).events.last)
    #expect(last.event.type == type)
    #expect(last.unread.map(\.name) == ["padding"])
    #expect(try refusal(type, fields, change: padded(65_536)).contains("is longer than 65535 bytes"))
  }

  @Test(
    "A part of the envelope that is missing or of another type is refused", arguments: ["run", "seq", "prev", "wall"])
  func envelope(name: String) throws {
    let member = try Regex("\"\(name)\":(\"[^\"]*\"|[0-9]+),")
    for wrong in ["", "\"\(name)\":[],"] {
      let message = try refusal("run.signalled", [.init("signal", 15)]) { $0.replacing(member, with: wrong) }
      #expect(message.contains("lacks a part of the envelope"), "\(message)")
    }
  }

  @Test("A type may lie as deep in types as JSON may, and no deeper; a name that is no type's is any")
  func deepTypes() throws {
    func declared(_ type: JSON) -> [JSON.Member] {
      [.init("use", "m"), .init("version", 1), .init("input", type), .init("output", "any")]
    }
    func nested(_ depth: Int) -> JSON { (0..<depth).reduce("bool") { type, _ in ["list": type] } }
    // The line itself is a level.
    guard case .typesDeclared(let types) = try content("types.declared", declared(nested(127))).events.last?.event
    else {
      Issue.record("another kind")
      return
    }
    #expect(types.input.json == nested(127))
    #expect(try refusal("types.declared", declared(nested(128))).contains("nested deeper than 128 levels"))
    // No type can name itself: a name stands for a simple type alone.
    let selfish: JSON = ["record": [["next", "m"], ["self", ["optional": "types.declared"]]]]
    guard case .typesDeclared(let types) = try content("types.declared", declared(selfish)).events.last?.event else {
      Issue.record("another kind")
      return
    }
    #expect(types.input.member("next") == .any && types.input.member("self").member("self") == .any)
  }
}
