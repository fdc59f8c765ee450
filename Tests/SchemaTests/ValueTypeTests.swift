import Testing

@testable import Schema

@Suite struct ValueTypeTests {
  static let everyType: [ValueType] =
    ValueType.simple + [
      .enumeration(["udp", "tcp"]), .list(.duration), .map(.percent), .optional(.port), .secret(.string),
      .record(RecordType(fields: [FieldDeclaration(name: "host", type: .host, summary: "A host.")])),
    ]

  @Test("A sample of every type belongs to it, and a sample of another seed differs", arguments: everyType)
  func samples(type: ValueType) throws {
    for seed in [1, 2, 1000] {
      let sample = type.sample(seed: seed)
      #expect(try type.admit(sample) == sample)
    }
    #expect(type.sample(seed: 1) != type.sample(seed: 2))
  }

  @Test("What a journal holds of a value reads back as the value", arguments: everyType.filter { !$0.holdsSecret })
  func journalRoundTrip(type: ValueType) throws {
    let sample = type.sample(seed: 7)
    #expect(try type.admit(Value(JSON(parsing: sample.json.text()))) == sample)
  }

  @Test("A scalar as a runbook writes it reads as the value", arguments: everyType)
  func literalRoundTrip(type: ValueType) throws {
    let sample = type.sample(seed: 7)
    switch type.literal(sample) {
    case .array, .object: break
    case .string(Secret.mask): break
    case let literal: #expect(try type.parse(literal.string ?? literal.text()) == sample)
    }
  }

  @Test(
    "Text is read as the declared type says, never guessed at",
    arguments: [
      (.string, "no", .string("no")), (.string, "22:22", .string("22:22")), (.string, "~", .string("~")),
      (.string, "1e3", .string("1e3")), (.int, "42", .int(42)), (.int, "-7", .int(-7)), (.int, "0755", .int(755)),
      (.double, "1e3", .double(1000)), (.bool, "true", .bool(true)), (.port, "3478", .int(3478)),
      (.percent, "95%", .double(95)), (.duration, "1h", .duration(.seconds(3600))), (.byteSize, "1KiB", .int(1024)),
      (.bandwidth, "1kbps", .int(1000)), (.host, "turn.example.com", .string("turn.example.com")),
      (.optional(.int), "1", .int(1)), (.secret(.string), "x", .secret(Secret("x"))),
      (.cidr, "10.0.0.0/8", .string("10.0.0.0/8")), (.cron, "*/5 0-6 1,15 * 7", .string("*/5 0-6 1,15 * 7")),
      (.url, "https://h/x", .string("https://h/x")), (.enumeration(["udp"]), "udp", .string("udp")),
    ] as [(ValueType, String, Value)])
  func parses(type: ValueType, text: String, expected: Value) throws { #expect(try type.parse(text) == expected) }

  @Test(
    "Text that does not belong to the type is refused",
    arguments: [
      (.int, "1.0"), (.int, "0x10"), (.int, ""), (.int, "99999999999999999999"), (.double, "inf"), (.double, "0x1p3"),
      (.double, "nan"), (.bool, "yes"), (.bool, "True"), (.port, "0"), (.port, "65536"), (.percent, "95"),
      (.duration, "5"), (.byteSize, "64"), (.host, "-v"), (.host, "a b"), (.host, "1.2.3.4.5"), (.host, ""),
      (.path, "-rf"), (.path, ""), (.ip, "turn.example.com"), (.cidr, "10.0.0.0/33"), (.cidr, "10.0.0.0"),
      (.url, "ftp://x"), (.url, "https://"), (.url, "https://a b"), (.cron, "60 * * * *"), (.cron, "* * * *"),
      (.cron, "*/0 * * * *"), (.cron, "5-1 * * * *"), (.turnURI, "http://x"), (.turnURI, "turn"), (.string, "a\0b"),
      (.enumeration(["udp", "tcp"]), "sctp"), (.timestamp, "today"), (.bytes, "!"), (.list(.int), "1"),
      (.record(RecordType(fields: [])), "x"), (.turnServer, "turn:host"),
    ] as [(ValueType, String)])
  func refuses(type: ValueType, text: String) {
    let error = #expect(throws: Mismatch.self) { try type.parse(text) }
    #expect(error?.message.isEmpty == false && error?.message.hasSuffix(".") == false)
  }

  @Test("An enumeration names the near word")
  func nearWord() {
    #expect(throws: Mismatch("expected one of udp, tcp, found \"upd\"", meant: "udp")) {
      try ValueType.enumeration(["udp", "tcp"]).parse("upd")
    }
  }

  @Test("A secret may come from a plain value, and never becomes one")
  func secrets() throws {
    let secret = Value.secret(Secret("x"))
    #expect(try ValueType.secret(.string).admit(.string("x")) == secret)
    #expect(try ValueType.secret(.string).admit(secret) == secret)
    for type in [ValueType.string, .any, .int, .list(.string)] {
      #expect(throws: Mismatch.self) { try type.admit(type == .list(.string) ? .list([secret]) : secret) }
    }
    #expect(throws: Mismatch.self) { try ValueType.any.admit(.members([.init("deep", .list([secret]))])) }
  }

  @Test("Whole numbers serve as numbers, not the reverse")
  func numbers() throws {
    #expect(try ValueType.double.admit(.int(3)) == .double(3))
    #expect(throws: Mismatch("expected a whole number, found a number")) { try ValueType.int.admit(.double(3)) }
  }

  @Test("Nothing is not a value, unless it may be absent")
  func null() throws {
    #expect(try ValueType.optional(.int).admit(.null) == .null)
    #expect(throws: Mismatch("expected a whole number, found nothing")) { try ValueType.int.admit(.null) }
  }

  @Test("What is wrong inside a list or a map is named with its place")
  func places() {
    let type = ValueType.map(.list(.int))
    #expect(throws: Mismatch(path: "a[1]", "expected a whole number, found text")) {
      try type.admit(.members([.init("a", .list([.int(1), .string("x")]))]))
    }
  }

  @Test("Types that carry secrets are known at any depth")
  func holdsSecret() {
    let field = FieldDeclaration(name: "p", type: .optional(.secret(.string)), summary: "P.")
    #expect(ValueType.list(.record(RecordType(fields: [field]))).holdsSecret)
    #expect(ValueType.map(.turnServer).holdsSecret)
    #expect(!ValueType.list(.map(.string)).holdsSecret)
  }
}
