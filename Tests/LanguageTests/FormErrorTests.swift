import Language
import Schema
import Testing

/// Texts that are no YAML: what is said points at the cause, and not at where the parser gave up.
@Suite("Errors of form")
struct FormErrorTests {
  private func issues(_ text: String) throws -> [Schema.Issue] {
    try SampleProject(["runbooks/sample.yaml": text]).issues()
  }

  private static let step = "  - id: a\n    use: sample.look\n"

  @Test(
    "A bracket that is not closed is pointed at",
    arguments: [
      ("steps:\n\(step)    expect: [output.ready\n  - id: b\n    use: sample.look\n", "5:13-14", "[", nil),
      ("steps:\n\(step)    expect: [output.ready\n", "5:13-14", "[", nil),
      ("allow: [observe\nsteps:\n\(step)    expect: [output.ready]\n", "2:8-9", "[", nil),
      (
        "steps:\n  - {id: a, use: sample.look, expect: [output.ready]\n  - {id: b, use: sample.look}\n", "3:5-6", "{",
        nil
      ),
      ("steps:\n\(step)    with: {name: [a, b}\n", "5:18-19", "[", "}"),
      ("steps:\n\(step)    expect: [output.ready}\n", "5:13-14", "[", "}"),
      (
        "steps:\n\(step)    expect: [\n      output.ready,\n      output.count > 1\n    until: x\n", "5:13-14", "[", nil
      ),
      ("steps:\n\(step)    expect: [\"]\", 'it''s ]', output.ready # ]\n  - id: b\n    use: x\n", "5:13-14", "[", nil),
    ] as [(String, String, String, String?)])
  func unclosed(text: String, place: String, bracket: String, closer: String?) throws {
    let found = try issues("runbook: sample\n\(text)")
    #expect(found.map(\.short) == ["\(place) yaml"])
    let end = closer.map { "is not closed before the next \($0)" } ?? "is not closed"
    #expect(found.map(\.message) == ["the \(bracket) that opens here \(end)"])
    let way = "close it with \(bracket == "[" ? "]" : "}"); text that begins with \(bracket) needs quotes"
    #expect(found.map(\.suggestion) == [way])
  }

  @Test(
    "A quote that is not closed is pointed at",
    arguments: [
      (
        "title: \"hello\nsteps:\n\(step)    expect: [output.ready]\n", "2:8-9", "the \" that opens here is not closed",
        "close it with \""
      ),
      (
        "title: 'hello\nsteps:\n\(step)    expect: [output.ready]\n", "2:8-9", "the ' that opens here is not closed",
        "close it with '"
      ),
      (
        "title: \"hello\nsteps:\n  - id: a\n    use: \"sample.look\"\n", "2:8-9",
        "the \" that opens here is closed in line 5 only",
        "close it with \" where the text ends"
      ),
    ])
  func quotes(text: String, place: String, message: String, advice: String) throws {
    let found = try issues("runbook: sample\n\(text)")
    #expect(found.map(\.short) == ["\(place) yaml"])
    #expect(found.map(\.message) == [message])
    #expect(found.map(\.suggestion) == [advice])
  }

  @Test("An apostrophe inside single quotes")
  func apostrophe() throws {
    let found = try issues("runbook: sample\ntitle: 'it's here'\nsteps:\n\(Self.step)")
    #expect(found.map(\.short) == ["2:12-13 yaml"])
    #expect(found.map(\.suggestion) == ["inside '…' an apostrophe is written twice; simpler: \"it's here\""])
  }

  @Test(
    "A bracket too many",
    arguments: [
      ("    expect: [output.ready]]\n", "5:27-28", "]"), ("    with: {name: a}}\n", "5:20-21", "}"),
    ])
  func tooMany(line: String, place: String, bracket: String) throws {
    let found = try issues("runbook: sample\nsteps:\n\(Self.step)\(line)")
    #expect(found.map(\.short) == ["\(place) yaml"])
    #expect(found.map(\.message) == ["there is one \(bracket) too many"])
  }

  @Test(
    "A key without a colon, or without a blank behind it",
    arguments: [
      ("runbook: sample\nsteps\n\(step)", "2:1-6", "\"steps\" has no colon behind it", "write steps: if it is a key"),
      (
        "runbook:sample\nsteps:\n\(step)", "1:1-15", "no blank stands behind the colon of \"runbook\"",
        "write runbook: sample"
      ),
      (
        "runbook: sample\nsteps:\n  - id:a\n    use: sample.look\n", "3:5-9",
        "no blank stands behind the colon of \"id\"",
        "write id: a"
      ),
    ])
  func colon(text: String, place: String, message: String, advice: String) throws {
    let found = try issues(text)
    #expect(found.map(\.short) == ["\(place) yaml"])
    #expect(found.map(\.message) == [message])
    #expect(found.map(\.suggestion) == [advice])
  }

  @Test("Braces of templates are led to those of the language, and nothing else is said of the value")
  func templates() throws {
    let relay = "runbook: sample\nsteps:\n  - id: a\n    use: sample.relay\n"
    for (with, place) in [
      ("    with: {server: {{ target }}}\n", "5:20-32"), ("    with:\n      server: {{ target }}\n", "6:15-27"),
    ] {
      let found = try issues(relay + with)
      #expect(found.map(\.short) == ["\(place) key-not-text"])
      #expect(found.map(\.suggestion) == ["write \"${target}\", in quotes"])
    }
  }

  @Test("Where every bracket is closed, what YAML says stands")
  func other() throws {
    let found = try issues("runbook: sample\nsteps:\n\(Self.step)    expect: [a: b: c]\n")
    #expect(found.map(\.code) == ["yaml"])
    #expect(found.first?.message.hasPrefix("this is not YAML: ") == true)
  }
}
