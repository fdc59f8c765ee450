import Language
import Schema
import Testing

/// Characters that word processors, chats and web pages leave behind, in YAML and in expressions.
@Suite("Typographic characters")
struct TypographyTests {
  private func issues(_ text: String) throws -> [Schema.Issue] {
    try SampleProject(["runbooks/sample.yaml": text]).issues()
  }

  private static let space = "write an ordinary space, or remove it; if it belongs to a text, quote the text"

  @Test(
    "A blank that YAML takes for a letter is named, at its place, and nothing that follows from it",
    arguments: [
      (
        "runbook: sample\nsteps:\n  - id: a\n\u{A0}\u{A0}  use: sample.everything\n", "4:1-2", "no-break space (U+00A0)"
      ),
      (
        "runbook: sample\ntitle:\u{A0}hello\nsteps:\n  - {id: a, use: sample.everything}\n", "2:7-8",
        "no-break space (U+00A0)"
      ),
      ("runbook: sample\nsteps:\n  -\u{A0}id: a\n    use: sample.everything\n", "3:4-5", "no-break space (U+00A0)"),
      (
        "runbook: sample\nsteps:\n  - id:\u{202F}a\n    use: sample.everything\n", "3:8-9",
        "narrow no-break space (U+202F)"
      ),
      (
        "runbook: sample\nsteps:\n  - id: a\n    use: sample.everything\n    with: {text:\u{3000}x}\n", "5:17-18",
        "ideographic space (U+3000)"
      ),
    ])
  func structure(text: String, place: String, name: String) throws {
    let found = try issues(text)
    #expect(found.map(\.short) == ["\(place) invisible-character"])
    #expect(found.map(\.message) == ["YAML takes this blank for a letter: \(name)"])
    #expect(found.map(\.suggestion) == [Self.space])
  }

  @Test(
    "At an end of a name, a module or a key too",
    arguments: [
      ("- {id: a\u{200B}, use: sample.everything}", "3:11-12"), ("- {id: a, use: sample.everything\u{A0}}", "3:35-36"),
      ("- {id: a,\u{A0}use: sample.everything}", "3:12-13"),
    ])
  func ends(step: String, place: String) throws {
    let found = try issues(runbook(steps: step))
    #expect(found.map(\.short) == ["\(place) invisible-character"])
    #expect(found.map(\.suggestion) == [Self.space])
  }

  @Test("Inside a text it is part of the text")
  func inside() throws {
    let text = "title: 20\u{A0}% de\u{A0}plus\ndoc: \"\u{A0}x\u{A0}\"\n"
    #expect(try issues(runbook(steps: "- {id: a, use: sample.everything}", head: text)).map(\.line) == [])
  }

  @Test("A dash in place of the hyphen of a list is named")
  func dash() throws {
    let found = try issues("runbook: sample\nsteps:\n  \u{2013} id: a\n    use: sample.everything\n")
    #expect(found.map(\.short) == ["3:3-4 yaml"])
    #expect(found.map(\.message) == ["the line begins with a dash that is no hyphen: en dash (U+2013)"])
    #expect(found.map(\.suggestion) == ["write a hyphen: -"])
  }

  @Test("Quotes that YAML does not know are named, also where they keep a document from being read")
  func quotes() throws {
    let step = "- {id: a, use: sample.everything}"
    let broken = try issues(runbook(steps: step, head: "title: “hello: world”\n"))
    #expect(broken.map(\.suggestion) == ["YAML knows the quotes \" and ' only: write \"hello: world\""])
    let part = try issues(runbook(steps: step, head: "title: “hello”\n"))
    #expect(part.map(\.short) == ["2:8-15 typographic-character"])
    #expect(part.map(\.severity) == [.warning])
    #expect(part.map(\.suggestion) == ["write \"hello\""])
    let value = try issues(runbook(steps: "- {id: a, use: sample.everything, with: {time: “5s”}}"))
    #expect(value.map(\.short) == ["3:50-54 type-mismatch"])
    #expect(value.map(\.suggestion) == ["YAML knows the quotes \" and ' only: write \"5s\""])
    let within = try issues(runbook(steps: step, head: "title: the “best” of “all”\n"))
    #expect(within.map(\.line) == [])
  }

  @Test("A program's arguments in such quotes, and options behind such dashes")
  func arguments() throws {
    let found = try issues(
      runbook(steps: "- {id: a, use: sample.command, effect: observe, with: {command: [“ls”, –la, —all, a–b]}}"))
    #expect(found.map(\.code) == ["typographic-character", "typographic-character", "typographic-character"])
    #expect(found.map(\.suggestion) == ["write \"ls\"", "write -la", "write --all"])
    #expect(found.map(\.range.column) == [68, 74, 79])
  }

  @Test(
    "In an expression each is named, with what the keyboard has for it",
    arguments: [
      ("output.names[0] == ‘a’", "7:28-31", "write 'a'"), ("output.names[0] == “a b”", "7:28-33", "write 'a b'"),
      ("output.names[0] == «a»", "7:28-31", "write 'a'"),
      ("output.names[0] == ”a", "7:28-29", "text stands in ' or \""),
      ("output.count\u{A0}> 1", "7:21-22", "write an ordinary space, or remove it"),
      ("output.count\u{200B} > 1", "7:21-22", "write an ordinary space, or remove it"),
      ("output.count ≥ 1", "7:22-23", "write >="), ("output.count ≤ 1", "7:22-23", "write <="),
      ("output.count ≠ 1", "7:22-23", "write !="), ("output.count − 1 > 0", "7:22-23", "write -"),
      ("output.count × 2 > 0", "7:22-23", "write *"),
    ])
  func expressions(expression: String, place: String, advice: String) throws {
    let steps = "- id: look\n  use: sample.look\n  with: {name: b}\n  expect:\n    - \(expression)"
    let found = try issues(runbook(steps: steps))
    #expect(found.map(\.short) == ["\(place) expression-syntax"])
    #expect(found.map(\.suggestion) == [advice])
  }

  @Test(
    "What cannot be seen is called by its name",
    arguments: [
      ("1\u{A0}+ 1", "unexpected no-break space, U+00A0"), ("1 \u{200B}+ 1", "unexpected zero width space, U+200B"),
      ("1 – 1", "unexpected character '–' (en dash, U+2013)"),
      ("‘a’ == 'a'", "these quotes (left single quotation mark, U+2018) begin no text; a text stands in ' or \""),
    ])
  func names(expression: String, message: String) throws {
    let found = try issues(runbook(steps: "- id: look\n  use: sample.look\n  expect:\n    - \(expression)"))
    #expect(found.first?.message == message)
  }

  @Test(
    "Names in the braces and with the signs of other languages",
    arguments: [
      ("output.count > {{ params.n }}", "inside an expression names stand without {{ }}"),
      ("\"{{ output.count }} > 1\"", "inside an expression names stand without {{ }}"),
      ("output.count > $params.n", "inside an expression names stand without $"),
      ("\"{ output.ready }\"", "inside an expression names stand without { }"),
    ])
  func braces(expression: String, advice: String) throws {
    let steps = "- id: look\n  use: sample.look\n  with: {name: \"${params.n}\"}\n  expect:\n    - \(expression)"
    let found = try issues(runbook(steps: steps, head: "params: {n: {type: string, default: a}}\n"))
    #expect(found.map(\.code) == ["expression-syntax"])
    #expect(found.map(\.suggestion) == [advice])
  }
}
