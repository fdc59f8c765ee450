import Foundation
import Testing

@testable import Schema

/// Holds the schemas against an implementation of JSON Schema that is not ours.
@Suite struct JSONSchemaTests {
  static let hasValidator = (try? python("import jsonschema", [])) != nil

  private static func python(_ script: String, _ document: JSON) throws -> String {
    let process = Process()
    let (input, output) = (Pipe(), Pipe())
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", script]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(document.text().utf8))
    try input.fileHandleForWriting.close()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return String(decoding: text, as: UTF8.self)
  }

  private struct Case {
    var name: String
    var schema: JSON
    var valid: [JSON] = []
    var invalid: [JSON] = []
  }

  /// What the validator objects to: a schema that is none, a valid value refused, an invalid one let through.
  private func objections(_ cases: [Case]) throws -> [String] {
    let script = """
      import json, sys
      from jsonschema import Draft202012Validator as V
      for case in json.load(sys.stdin):
        V.check_schema(case["schema"])
        v = V(case["schema"])
        for value in case["valid"]:
          for error in v.iter_errors(value): print(case["name"], "refuses", value, error.message)
        for value in case["invalid"]:
          if v.is_valid(value): print(case["name"], "lets through", value)
      """
    let input = JSON.array(
      cases.map {
        ["name": .string($0.name), "schema": $0.schema, "valid": .array($0.valid), "invalid": .array($0.invalid)]
      })
    return try Self.python(script, input).split(separator: "\n").map(String.init)
  }

  private static let record = RecordType(
    fields: ValueTypeTests.everyType.enumerated().map {
      FieldDeclaration(name: "field\($0)", type: $1, summary: "A \($1).")
    })

  @Test(
    "Schemas are schemas, and let every sample through", .enabled(if: hasValidator, "python3-jsonschema is missing"))
  func samples() throws {
    let cases = ValueTypeTests.everyType.flatMap { type in
      let samples = [1, 2, 1000].map { type.sample(seed: $0) }
      return [
        Case(
          name: "\(type) in a report", schema: JSONSchema.document(title: "t", type.jsonSchema(.report)),
          valid: samples.map(\.json)),
        Case(
          name: "\(type) in a runbook", schema: JSONSchema.document(title: "t", type.jsonSchema(.runbook)),
          valid: samples.map(type.literal) + [.string("${params.x}")]),
      ]
    }
    let sample = Self.record.sample(seed: 3)
    let whole = [
      Case(
        name: "report", schema: JSONSchema.document(title: "t", Self.record.jsonSchema(.report)), valid: [sample.json],
        invalid: [[:], .null, []]),
      Case(
        name: "runbook", schema: JSONSchema.document(title: "t", Self.record.jsonSchema(.runbook)),
        valid: [ValueType.record(Self.record).literal(sample)], invalid: [["unknown": 1]]),
    ]
    #expect(try objections(cases + whole) == [])
  }

  @Test(
    "What the type refuses and a schema can tell is refused",
    .enabled(if: hasValidator, "python3-jsonschema is missing"))
  func refused() throws {
    let refused: [(ValueType, [JSON])] = [
      (.int, [.double(1.5), "1.5", true]), (.bool, ["yes", 1]), (.port, [0, 65_536, "x"]),
      (.duration, ["5", 5, "5 s"]),
      (.byteSize, ["64", 64, "64mib"]), (.bandwidth, ["800", "8MBps"]), (.percent, ["95", 95]), (.ip, [1]),
      (.cidr, ["10.0.0.0"]), (.url, ["host"]), (.turnURI, ["http://x"]), (.cron, ["* * * *"]),
      (.enumeration(["udp"]), ["tcp", 1]), (.list(.int), [1, ["x"]]), (.map(.int), [["a": "b"], []]),
      (.turnServer, [["name": "x"], "turn:host"]), (.timestamp, [1]), (.string, [[], [:], .null]),
    ]
    let cases = refused.map { type, values in
      Case(
        name: "\(type)", schema: JSONSchema.document(title: "t", type.jsonSchema(.runbook)), invalid: values)
    }
    #expect(try objections(cases) == [])
  }

  @Test("Every field that may be left out in a runbook is there in a report")
  func required() {
    let record = RecordType(fields: [
      FieldDeclaration(name: "a", type: .int, summary: "A."),
      FieldDeclaration(name: "b", type: .int, fallback: .int(1), summary: "B."),
    ])
    #expect(record.jsonSchema(.runbook)["required"] == ["a"])
    #expect(record.jsonSchema(.report)["required"] == ["a", "b"])
    #expect(record.jsonSchema(.runbook)["additionalProperties"] == false)
  }

  @Test("A field's schema tells its summary, default and limits as a runbook writes them")
  func field() {
    let size = FieldDeclaration(
      name: "size", type: .byteSize, fallback: .int(64 << 20),
      bounds: Bounds(minimum: .int(1024), maximum: .int(1 << 30)), summary: "How much.")
    #expect(size.jsonSchema(.runbook)["description"] == "How much. From 1KiB to 1GiB.")
    #expect(size.jsonSchema(.runbook)["default"] == "64MiB")
    #expect(size.jsonSchema(.report)["minimum"] == 1024)
    #expect(size.jsonSchema(.report)["default"] == nil)
  }

  @Test("A secret is never shown in a report, and its schema says so")
  func secret() {
    #expect(ValueType.secret(.string).jsonSchema(.report) == ["const": .string(Secret.mask)])
  }
}
