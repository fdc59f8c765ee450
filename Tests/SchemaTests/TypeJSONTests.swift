import Testing

@testable import Schema

@Suite struct TypeJSONTests {
  /// A type of every kind, nested to a depth.
  static func types(depth: Int) -> [ValueType] {
    let simple = ValueType.simple + [.enumeration(["udp", "tcp"]), .record(RecordType(fields: []))]
    guard depth > 0 else { return simple }
    let inner = types(depth: depth - 1)
    return simple + inner.map(ValueType.list) + inner.map(ValueType.map) + inner.map(ValueType.optional)
      + inner.map(ValueType.secret)
      + [
        .record(
          RecordType(
            fields: inner.enumerated().map { FieldDeclaration(name: "f\($0)", type: $1, summary: "") }))
      ]
  }

  @Test("Every type reads back from its JSON form, also from its text")
  func roundTrip() throws {
    for type in Self.types(depth: 2) {
      let text = type.json.text()
      #expect(try ValueType(json: try JSON(parsing: Array(text.utf8))) == type, "\(text)")
    }
  }

  @Test("Limits, fallbacks and summaries are no part of the form")
  func shape() throws {
    let type = ValueType.record(TURNServer.recordType)
    #expect(try ValueType(json: type.json) == type.shape)
    #expect(type.shape != type)
  }

  @Test("The form is what the documentation says")
  func form() {
    let record = RecordType(fields: [
      FieldDeclaration(name: "rtt", type: .optional(.duration), summary: "R."),
      FieldDeclaration(name: "by", type: .map(.list(.secret(.string))), summary: "B."),
    ])
    #expect(
      ValueType.record(record).json.text()
        == #"{"record":[["rtt",{"optional":"duration"}],["by",{"map":{"list":{"secret":"string"}}}]]}"#)
    #expect(ValueType.enumeration(["a"]).json.text() == #"{"enum":["a"]}"#)
  }

  @Test(
    "A name that is not known is any, also one that names itself",
    arguments: ["moon", "record", "list", ""])
  func unknown(name: String) throws {
    #expect(try ValueType(json: .string(name)) == .any)
    #expect(try ValueType(json: ["moon": ["x", 1]]) == .any)
    #expect(
      try ValueType(json: ["record": [["self", .string(name)]]])
        == .record(RecordType(fields: [FieldDeclaration(name: "self", type: .any, summary: "")])))
  }

  @Test(
    "What is no type is refused",
    arguments: [
      .null, 1, [], [:], ["list": 1], ["list": "int", "map": "int"], ["enum": [1]], ["enum": "a"], ["record": [["a"]]],
      ["record": [[1, "int"]]], ["record": ["a"]], ["record": [["a", .null]]],
    ] as [JSON])
  func malformed(json: JSON) { #expect(throws: Mismatch.self) { try ValueType(json: json) } }

  @Test("A value that went through JSON is what the value itself is taken for")
  func restored() throws {
    for type in Self.types(depth: 2) where !type.holdsSecret {
      for seed in [1, 9] {
        let value = type.sample(seed: seed)
        let read = Value(try JSON(parsing: Array(value.json.text().utf8)))
        #expect(type.restored(read) == type.restored(value), "\(type)")
      }
    }
  }

  @Test("Text is a duration only if its type says so")
  func text() {
    #expect(ValueType.string.restored(.string("90m")) == .string("90m"))
    #expect(ValueType.any.restored(.string("90m")) == .string("90m"))
    #expect(ValueType.duration.restored(.string("90m")) == .duration(.seconds(5400)))
    #expect(ValueType.optional(.duration).restored(.string("90m")) == .duration(.seconds(5400)))
    #expect(ValueType.duration.restored(.string("soon")) == .string("soon"))
    #expect(ValueType.any.restored(.duration(.seconds(5400))) == .string(durationLiteral(.seconds(5400))))
    let odd = Duration(secondsComponent: 0, attosecondsComponent: 1_234_567_890_123)
    #expect(ValueType.duration.restored(.duration(odd)) == ValueType.duration.restored(Value(Value.duration(odd).json)))
  }
}
