import CEL
import Testing

@Suite("Values") struct ValueTests {
  static let rtt = CELRecordType("Rtt", fields: [.init("p50", .int), .init("p95", .int, isOptional: true)])

  /// Values that all differ, of every kind.
  static let values: [CELValue] = {
    var values: [CELValue] = [
      .null, .bool(true), .bool(false), .int(1), .int(-1), .uint(1), .double(1), .string("\u{E9}"), .string("e\u{301}"),
      .bytes([1]), .bytes([]), .list([]), .list([.int(1)]), .none, .some(.null), .type(.int), .type(.uint),
      .map(CELMap([])), .map(CELMap([("a", .int(1))])), .map(CELMap([("a", .int(2))])),
      .duration(CELDuration(nanoseconds: 1)), .record(CELRecord(rtt, fields: [.int(1)])),
      .record(CELRecord(rtt, fields: [.int(1), .int(2)])), .opaque(OpaqueValue(typeName: "a", payload: 1)),
      .opaque(OpaqueValue(typeName: "b", payload: 1)), .opaque(OpaqueValue(typeName: "a", payload: "1")),
    ]
    values += [CELTimestamp(seconds: 0), CELTimestamp(seconds: 0, nanoseconds: 1)].compactMap {
      $0.map { .timestamp($0) }
    }
    values += ["1.2.3.4", "::1"].compactMap { CELIPAddress($0).map { .ip($0) } }
    values += ["1.2.3.4/8", "::1/8"].compactMap { CELAddressRange($0).map { .cidr($0) } }
    return values
  }()

  @Test("values are equal to themselves only, and can be members of a set")
  func equality() {
    for (index, value) in Self.values.enumerated() {
      for (other, second) in Self.values.enumerated() {
        #expect((value == second) == (index == other), "\(value) \(second)")
      }
    }
    #expect(Set(Self.values).count == Self.values.count)
    #expect(CELValue.double(.nan) != .double(.nan))
  }

  @Test("a value belongs to its own type, to dyn, and to no other")
  func types() {
    for value in Self.values {
      #expect(value.belongs(to: value.type) && value.belongs(to: .dyn))
      #expect(!value.belongs(to: .map(.int, .opaque("x", []))) || value == .map(CELMap([])))
    }
    #expect(CELValue.list([.int(1)]).belongs(to: .list(.int)) && !CELValue.list([.int(1)]).belongs(to: .list(.uint)))
    #expect(CELValue.null.belongs(to: .record("Rtt")) && !CELValue.null.belongs(to: .string))
    #expect(
      CELValue.some(.int(1)).belongs(to: .optional(.int)) && !CELValue.some(.int(1)).belongs(to: .optional(.bool)))
  }

  @Test("the text of a value is an expression that gives it")
  func texts() throws {
    var environment = CELEnvironment()
    environment.declare(record: Self.rtt)
    for value in Self.values {
      if case .opaque(let opaque) = value, ["a", "b"].contains(opaque.typeName) { continue }
      #expect(try environment.compile(value.description).evaluate() == value)
    }
    #expect(CELValue.double(.infinity).description == "double('Infinity')")
    #expect(CELValue.string("a'\\\n\t\r\u{1}é").description == "'a\\'\\\\\\n\\t\\r\\x01é'")
    #expect(CELValue.bytes([0x27, 0x5C, 0x41, 0x00, 0xFF]).description == "b'\\'\\\\A\\x00\\xff'")
  }

  @Test("a map has one entry for each key, numbers of one value being one key")
  func maps() {
    #expect(CELMap(entries: [(.int(1), .null), (.uint(1), .null)]) == nil)
    #expect(CELMap(entries: [(.double(1), .null)]) == nil)
    #expect(CELMap(entries: [(.string("a"), .int(1)), (.bool(true), .int(2))])?[.bool(true)] == .int(2))
    let replaced = CELMap([("a", .int(1)), ("b", .int(2)), ("a", .int(3))])
    #expect(replaced.count == 2 && replaced["a"] == .int(3) && replaced["c"] == nil)
    #expect(replaced.keys == [.string("a"), .string("b")])
    let many = CELMap((0..<100).map { (String($0), CELValue.int(Int64($0))) })
    #expect((0..<100).allSatisfy { many[String($0)] == .int(Int64($0)) } && many["100"] == nil)
    #expect(CELMap([("a", .null), ("b", .null)]) == CELMap([("b", .null), ("a", .null)]))
  }

  @Test("times and spans keep to their ranges")
  func times() throws {
    #expect(CELTimestamp(seconds: -62_135_596_801) == nil && CELTimestamp(seconds: 253_402_300_800) == nil)
    #expect(CELTimestamp(seconds: 0, nanoseconds: 1_000_000_000) == nil)
    #expect(
      CELDuration(seconds: 9_223_372_037) == nil
        && CELDuration(seconds: 1, nanoseconds: 5)?.nanoseconds == 1_000_000_005)
    let early = try #require(CELTimestamp(seconds: 10, nanoseconds: 1))
    let late = try #require(early.adding(CELDuration(nanoseconds: 999_999_999)))
    #expect(
      late.seconds == 11 && late.nanoseconds == 0 && early < late && late.since(early)?.nanoseconds == 999_999_999)
    #expect(late.adding(CELDuration(nanoseconds: -1))?.nanoseconds == 999_999_999)
    #expect(CELDuration(nanoseconds: -1) < CELDuration(nanoseconds: 0))
  }

  @Test("a record has as many fields as its type")
  func records() {
    #expect(CELRecord(Self.rtt, fields: []).fields == [nil, nil])
    #expect(CELRecord(Self.rtt, fields: [.int(1), .int(2), .int(3)]).fields == [.int(1), .int(2)])
    let named = CELRecord(Self.rtt, ["p95": .int(5), "unknown": .null])
    #expect(named["p95"] == .int(5) && named["p50"] == nil && named["unknown"] == nil)
  }
}
