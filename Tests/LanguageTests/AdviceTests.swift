import Language
import Schema
import Testing

/// What people write in a first hour, and what they are told to write instead.
@Suite("Advice")
struct AdviceTests {
  private func advice(_ documents: [String: String]) throws -> [String?] {
    let project = try SampleProject(documents)
    return try withExtendedLifetime(project) {
      try project.load().validate(catalog: sampleCatalog).filter { $0.severity == .error }.map(\.suggestion)
    }
  }

  private static let relay = "- id: relay\n  use: sample.relay\n  with: {server: \"${target}\"}\n  expect:\n    - "

  @Test(
    "An expectation that other languages would take",
    arguments: [
      (
        "output.sent > 1 ? true : false",
        "an expression with \": \" in it needs quotes: \"output.sent > 1 ? true : false\""
      ),
      ("output.address == 'a: b'", "an expression with \": \" in it needs quotes: \"output.address == 'a: b'\""),
      ("output.rtt.p95 < 200ms", "write duration('200ms')"), ("output.sent > 1TiB", "write bytesize('1TiB')"),
      ("output.sent > 800Mbps", "write bandwidth('800Mbps')"),
      ("output.lost < 1%", "a percentage is a number in expressions: write 1.0"),
      ("output.lost < 2.5% && output.sent > 1", "a percentage is a number in expressions: write 2.5"),
      (
        "output.rtt.p95 * 3 < duration('1s')",
        "a duration cannot be multiplied or divided; it can be added, and compared with duration('200ms')"
      ),
      ("output.rtt.p95 < '200ms'", "write a duration as duration('200ms')"),
      (
        "1.5 / output.sent < 2.0", "write double(…) around the whole number, or the number with a point: 5.0"
      ),
      ("output.sent == \"5\"", "a number stands without quotes: 5"),
      ("output.sent == string(output.address)", "write string(…) around the number"),
      ("output.sent > 1 and output.lost < 1", "write &&"),
      ("not (output.sent > 1)", "write \"!(…)\", in quotes: to YAML a leading ! is a tag"),
      ("output.sent > 1 && not (output.lost > 1)", "write !(…)"),
      ("\"${output.sent} == 5\"", "inside an expression names stand without ${…}"),
      ("sent > 1", "did you mean \"output.sent\"?"), ("rtt.p95 < duration('1s')", "did you mean \"output.rtt\"?"),
      ("output.packets > 1", "it has sent, lost, rtt, address, note"),
      ("output.rtt.average < duration('1s')", "it has p50, p95"),
      (
        "target.server != ''",
        "it has name, uri, tlsURI, host, username, credential, secret, realm, ca, certificate, key, labels"
      ),
      ("env.HOME != ''", "here there are params, target, secrets, steps, run, output"),
    ])
  func expectations(expectation: String, expected: String) throws {
    let found = try advice(["runbooks/sample.yaml": runbook(steps: Self.relay + expectation)])
    #expect(found == [expected])
  }

  @Test(
    "A value that was meant otherwise",
    arguments: [
      ("numbers: {int: params.count}", "did you mean \"${params.count}\"?"),
      ("list: 5s 6s", "write a list: [5s, 6s]"), ("list: about 5s", "a list is written [a, b]"),
      ("map: a", "a map is written {name: value}"),
      ("text: \"${secrets.word}\"", "sample.everything takes no secret"),
      ("text: \"${steps.later.outcome}\"", "move the step \"later\" up, before this one"),
      ("text: \"${steps.all.outcome}\"", "expect and until can use it, as output"),
      ("text: \"${params.missing}\"", "it has count"),
    ])
  func values(input: String, expected: String) throws {
    let steps = """
      - {id: all, use: sample.everything, with: {\(input)}}
      - {id: later, use: sample.login, with: {user: "n ${params.count}", password: "${secrets.word}"}}
      """
    let head = "params: {count: {type: int}}\nsecrets: {word: {env: WORD}}\n"
    #expect(try advice(["runbooks/sample.yaml": runbook(steps: steps, head: head)]) == [expected])
  }

  @Test("A secret in the wrong field is led to the module's own secret fields")
  func secretField() throws {
    let steps = "- {id: login, use: sample.login, with: {user: \"${secrets.word}\", password: \"${secrets.word}\"}}"
    let document = runbook(steps: steps, head: "secrets: {word: {env: WORD}}\n")
    #expect(try advice(["runbooks/sample.yaml": document]) == ["bind it to \"password\" of sample.login"])
  }

  @Test(
    "What a document declares",
    arguments: [
      ("title: \"${secrets.word}\"\n", "- {id: all, use: sample.everything}", "here there are params, target"),
      ("", "- {id: stun-check, use: sample.everything}", "write stunCheck"),
      ("", "- {id: MAX_RTT, use: sample.everything}", "write maxRtt"),
      ("", "- {id: 5, use: sample.everything}", nil),
      (
        "params: {rate: {type: float}}\n", "- {id: all, use: sample.everything, with: {text: \"${params.rate}\"}}",
        "did you mean \"double\"?"
      ),
    ])
  func declarations(head: String, steps: String, expected: String?) throws {
    let found = try advice(["runbooks/sample.yaml": runbook(steps: steps, head: head)])
    #expect(found.first == expected)
  }

  @Test("A type that no language has is answered with those that there are")
  func types() throws {
    let head = "params: {rate: {type: quaternion}}\n"
    let found = try advice(["runbooks/sample.yaml": runbook(steps: "- {id: all, use: sample.everything}", head: head)])
    #expect(found.first??.hasPrefix("types are any, bandwidth, bool") == true)
  }

  @Test(
    "Of a server's URI the part that is wrong is named",
    arguments: [
      ("turn:a?transport=sctp", "the transport is neither udp nor tcp"),
      ("turns://a", "no // stands behind the scheme"),
      ("turn:a:99999", "the port is not from 1 to 65535"), ("turn:", "the host is missing"),
      ("turn:-a-", "the host is neither a name nor an address"),
      ("https://a", "it begins with none of stun:, stuns:, turn: and turns:"),
      (
        "stun:a?transport=udp",
        "only ?transport=udp and ?transport=tcp may follow, and only behind turn: and turns:"
      ),
    ])
  func serverURI(text: String, reason: String) {
    let mismatch = #expect(throws: Mismatch.self) { try ValueType.turnURI.parse(text) }
    #expect(mismatch?.message.hasSuffix("found \"\(text)\": \(reason)") == true)
  }
}
