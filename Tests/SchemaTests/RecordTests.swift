import Testing

@testable import Schema

@Suite struct RecordTests {
  struct Probe: Hashable {
    var host: String
    var port: Int
    var every: Duration
    var tags: [String]
    var note: String?
    var inner: Inner
  }

  struct Inner: Hashable {
    var low: Double
    var high: Double
  }

  static let inner = Record(
    Inner.init, Field("low", \.low, .double, "Low."), Field("high", \.high, .double, "High."))

  static let record = Record(
    Probe.init,
    Field("host", \.host, .host, "Host."),
    Field("port", \.port, .port, default: 3478, "Port."),
    Field("every", \.every, .duration.within(.milliseconds(1)...(.seconds(10))), default: .seconds(1), "Every."),
    Field("tags", \.tags, .list(.string), default: [], "Tags."),
    Field("note", \.note, .optional(.string), "Note."),
    Field("inner", \.inner, .record(inner), default: Inner(low: 0, high: 1), "Inner."))

  @Test("What is not given is filled in, and the rest is read")
  func defaults() throws {
    let probe = try Self.record.decode(.members([.init("host", .string("h")), .init("every", .string("2s"))]))
    #expect(
      probe
        == Probe(host: "h", port: 3478, every: .seconds(2), tags: [], note: nil, inner: Inner(low: 0, high: 1)))
  }

  @Test("What is encoded decodes to the same, in declared order")
  func roundTrip() throws {
    let probe = Probe(
      host: "h", port: 1, every: .milliseconds(5), tags: ["a", "b"], note: "n", inner: Inner(low: 2, high: 3))
    let value = Self.record.encode(probe)
    #expect(try Self.record.decode(value) == probe)
    guard case .members(let members) = value else {
      Issue.record("no members")
      return
    }
    #expect(members.map(\.name) == ["host", "port", "every", "tags", "note", "inner"])
  }

  @Test(
    "What does not fit is named with its place",
    arguments: [
      ([], Mismatch(path: "host", "required, and not given")),
      ([.init("host", .int(1))], Mismatch(path: "host", "expected a host name or IP address, found a whole number")),
      (
        [.init("host", .string("h")), .init("prot", .int(1))],
        Mismatch(path: "prot", "unknown field", meant: "port")
      ),
      ([.init("host", .string("h")), .init("zzz", .int(1))], Mismatch(path: "zzz", "unknown field")),
      (
        [.init("host", .string("h")), .init("every", .string("11s"))],
        Mismatch(path: "every", "must lie from 1ms to 10s, found 11s")
      ),
      (
        [
          .init("host", .string("h")),
          .init("inner", .members([.init("low", .double(1)), .init("high", .bool(true))])),
        ],
        Mismatch(path: "inner.high", "expected a number, found a truth value")
      ),
      (
        [.init("host", .string("h")), .init("tags", .list([.string("a"), .null]))],
        Mismatch(path: "tags[1]", "expected text, found nothing")
      ),
    ] as [([Value.Member], Mismatch)])
  func mismatches(members: [Value.Member], expected: Mismatch) {
    #expect(throws: expected) { try Self.record.decode(.members(members)) }
  }

  @Test("A declaration whose fields are in order has none swapped")
  func sound() throws {
    #expect(try Self.record.swappedFields() == [])
    #expect(try TURNServer.record.swappedFields() == [])
  }

  @Test("Two fields of one type that change places are found")
  func swapped() throws {
    let record = Record(
      Inner.init, Field("high", \.high, .double, "High."), Field("low", \.low, .double, "Low."))
    #expect(try record.swappedFields() == ["high", "low"])
  }

  @Test("Bounds hold both ends")
  func bounds() throws {
    let field = FieldDeclaration(
      name: "n", type: .int, bounds: Bounds(minimum: .int(1), maximum: .int(3)), summary: "N.")
    for number in [1, 2, 3] as [Int64] { #expect(try field.admit(.int(number)) == .int(number)) }
    for number in [0, 4] as [Int64] { #expect(throws: Mismatch.self) { try field.admit(.int(number)) } }
  }
}
