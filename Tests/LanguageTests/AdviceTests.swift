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
      ("output.lost < 1%", "a percentage is a number in expressions: write 1.0 to compare it with one"),
      (
        "output.lost < 2.5% && output.sent > 1",
        "a percentage is a number in expressions: write 2.5 to compare it with one"
      ),
      (
        "output.rtt.p95 * 3 < duration('1s')",
        "a duration cannot be multiplied or divided; it can be added, and compared with duration('200ms')"
      ),
      ("output.rtt.p95 < '200ms'", "write a duration as duration('200ms')"),
      (
        "1.5 / output.sent < 2.0", "write double(…) around the whole number, or the number with a point: 5.0"
      ),
      ("output.sent == \"5\"", "a number stands without quotes: 5"),
      ("output.sent == string(output.address)", "compare numbers as numbers: leave string(…) out, or write int(…)"),
      ("5 < output.sent && output.sent != '7'", "a number stands without quotes: 7"),
      ("output.sent > '5.5'", "write double(…) around the whole number, and 5.5 without quotes"),
      ("output.sent > '1e30'", "a number is compared with a number, without quotes"),
      ("output.sent > 'many'", "a number is compared with a number, without quotes"),
      ("output.sent > '64 MiB'", "write bytesize('64MiB')"),
      ("output.sent > '5s'", "a number is compared with a number, without quotes"),
      ("output.sent <= '1%'", "a number is compared with a number, without quotes"),
      ("output.sent < target.name", "write int(target.name.trim()) to read the number"),
      ("target.name == 4.5", "write double(target.name.trim()) to read the number"),
      ("target.name + 4 == 'a4'", "write string(…) around the number"),
      ("output.rtt.p95 < 500", "write a duration with its unit, such as duration('500ms') or duration('500s')"),
      ("output.rtt.p95 < '500'", "write a duration with its unit, such as duration('500ms') or duration('500s')"),
      ("output.rtt.p95 < '500 ms'", "write a duration as duration('500ms')"),
      ("output.rtt.p95 < output.sent", "write a duration as duration('200ms')"),
      ("output.address == '192.0.2.1'", "write ip('192.0.2.1')"),
      ("output.address == 'router'", nil),
      ("run.startedAt > '2026-01-31T08:00:00Z'", "write timestamp('2026-01-31T08:00:00Z')"),
      ("output.sent > 1 and output.lost < 1", "write &&"),
      ("not (output.sent > 1)", "write \"!(…)\", in quotes: to YAML a leading ! is a tag"),
      ("output.sent > 1 && not (output.lost > 1)", "write !(…)"),
      ("\"${output.sent} == 5\"", "inside an expression names stand without ${…}"),
      ("sent > 1", "did you mean \"output.sent\"?"), ("rtt.p95 < duration('1s')", "did you mean \"output.rtt\"?"),
      ("output.packets > 1", "it has sent, lost, rtt, address, note"),
      ("output.rtt.average < duration('1s')", "it has p50, p95"),
      (
        "target.server != ''",
        "it has name, uri, tlsURI, host, username, credential, secret, realm, ca, certificate, key, namespace, address, labels"
      ),
      ("env.HOME != ''", "here there are params, target, secrets, steps, run, output"),
    ])
  func expectations(expectation: String, expected: String?) throws {
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

  @Test(
    "What is measured or written as text is never compared as text",
    arguments: [
      ("output.ratio <= '1%'", "a percentage is a number in expressions: write 1.0"),
      ("output.ratio <= '2.5 %'", "a percentage is a number in expressions: write 2.5"),
      ("output.ratio <= '1'", "a number stands without quotes: 1.0"),
      ("output.names[0] < 4", "write int(output.names[0].trim()) to read the number"),
      ("4.0 > output.names[0]", "write double(output.names[0].trim()) to read the number"),
    ])
  func numbers(expectation: String, expected: String) throws {
    let steps = "- id: look\n  use: sample.look\n  expect:\n    - \(expectation)"
    #expect(try advice(["runbooks/sample.yaml": runbook(steps: steps)]) == [expected])
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
    "Of a server's URI the part that is wrong is named, and what to write",
    arguments: [
      ("turn:a?transport=sctp", "the transport is neither udp nor tcp", nil),
      ("turn:a?transport=", "the transport is neither udp nor tcp", nil),
      ("turns://a", "no // stands behind the scheme", "write turns:a"),
      ("turn://a:3478/", "no // stands behind the scheme", "write turn:a:3478"),
      ("turn:a:3478/path", "no path stands behind the host", "write turn:a:3478"),
      ("turn:a:99999", "the port is not from 1 to 65535", nil), ("turn:", "the host is missing", nil),
      ("turn:-a-", "the host is neither a name nor an address", nil),
      (
        "https://a",
        "https: is not what STUN and TURN servers speak; it begins with stun:, stuns:, turn: or turns:", nil
      ),
      ("a.example", "it begins with none of stun:, stuns:, turn: and turns:", "write turn:a.example"),
      (
        "stun:a?transport=udp",
        "only ?transport=udp and ?transport=tcp may follow, and only behind turn: and turns:", "write stun:a"
      ),
      (
        "stun:a?transport=tcp",
        "only ?transport=udp and ?transport=tcp may follow, and only behind turn: and turns:", nil
      ),
      (
        "turn:a:5349?transport=tls", "encryption is not named as the transport: it is the scheme turns:",
        "write turns:a:5349?transport=tcp"
      ),
      (
        "turns:a?transport=DTLS", "encryption is not named as the transport: it is the scheme turns:",
        "write turns:a?transport=udp"
      ),
      (
        "turn:a,turns:b", "it holds 2 URIs, and one is due", "write turn:a; further servers are targets of their own"
      ),
      ("turn:a turn:b", "it holds 2 URIs, and one is due", "write turn:a; further servers are targets of their own"),
      ("turn:2001:db8::1", "an IPv6 address stands in brackets", "write turn:[2001:db8::1]"),
      (
        "turn:2001:db8::1:3478", "an IPv6 address stands in brackets",
        "write turn:[2001:db8::1:3478], or with the port turn:[2001:db8::1]:3478"
      ),
      (
        "turn:2001:db8:0:0:0:0:0:1:3478?transport=tcp", "an IPv6 address stands in brackets",
        "write turn:[2001:db8:0:0:0:0:0:1]:3478?transport=tcp"
      ),
      ("turn:[192.0.2.1]:3478", "only an IPv6 address stands in brackets", "write turn:192.0.2.1:3478"),
      ("turn:bücher.example", "a host name is written in ASCII", "write turn:xn--bcher-kva.example"),
      ("turn:Zürich.例え.jp:3478", "a host name is written in ASCII", "write turn:xn--zrich-kva.xn--r8jz45g.jp:3478"),
      (" turn:a ", "blanks stand around it", "write turn:a"), ("\"turn:a\"", "quotes stand around it", "write turn:a"),
    ])
  func serverURI(text: String, reason: String, meant: String?) throws {
    let mismatch = #expect(throws: Mismatch.self) { try ValueType.turnURI.parse(text) }
    #expect(mismatch?.message.hasSuffix("found \"\(text)\": \(reason)") == true, "\(mismatch?.message ?? "")")
    let project = try SampleProject()
    let found = issues { try project.load(["TURN_SERVER": text]) }
    #expect(found.map(\.suggestion) == [meant])
  }

  @Test(
    "A user name and a password in a URI are not repeated",
    arguments: ["turn:user:sesame@a.example:3478", "user:sesame@a.example", "turn:user:ses@me@a.example"])
  func userInformation(text: String) throws {
    let project = try SampleProject()
    let found = issues { try project.load(["TURN_SERVER": text]) }
    #expect(found.map(\.code) == ["type-mismatch"])
    #expect(found.first?.message.contains("ses") == false)
    #expect(found.first?.message.hasSuffix("no user name or password stands in it") == true)
    let home =
      "user name and password stand apart, as username and credential of the target (TURN_USERNAME, TURN_CREDENTIAL)"
    let meant =
      text.contains("3478") ? "write turn:a.example:3478; " : text.hasPrefix("turn") ? "write turn:a.example; " : ""
    #expect(found.first?.suggestion == meant + home)
  }

  @Test("A host name that ends in a dot is one", arguments: ["turn:a.example.", "turns:a.example.:5349"])
  func trailingDot(text: String) throws {
    #expect(try ValueType.turnURI.parse(text) == .string(text))
  }

  @Test(
    "A name of .env that nothing reads is a warning if it is a slip of one that is read",
    arguments: [
      ("TURN_SECERT=s", "TURN_SECRET"), ("TURN_RELAM=r", "TURN_REALM"),
      ("TURN_PORT=1", nil), ("TURN_SECRET=s\nTURN_SECERT=s", nil), ("SECERT=s", nil),
    ])
  func mistypedName(lines: String, expected: String?) throws {
    let project = try SampleProject([".env": "TURN_SERVER=turn:x\n\(lines)\n"])
    let warnings = try project.load().warnings.filter { $0.code != "secret-readable" }
    #expect(warnings.map(\.meant) == (expected.map { [$0] } ?? []))
    #expect(warnings.allSatisfy { $0.code == "unread-name" && $0.severity == .warning })
  }

  @Test("A time-limited name whose time is in milliseconds is a warning")
  func milliseconds() throws {
    let project = try SampleProject([
      ".env": "TURN_SERVER=turn:x\nTURN_USERNAME=1764300000000:alice\nTURN_CREDENTIAL=c\n"
    ])
    func warnings() throws -> [Schema.Issue] {
      try project.load().warnings.filter { $0.code != "secret-readable" }
    }
    #expect(
      try warnings().map(\.suggestion) == [
        "the name of a time-limited credential is SECONDS:NAME, here 1764300000:NAME"
      ])
    try project.write(".env", "TURN_SERVER=turn:x\nTURN_USERNAME=1764300000:alice\nTURN_CREDENTIAL=c\n")
    #expect(try warnings() == [])
    try project.write(
      "runbook.yaml",
      "targets: {a: {server: 'turn:x', username: '1764300000000', credential: {env: TURN_CREDENTIAL}}}\n")
    #expect(try warnings().map(\.code) == ["time-in-milliseconds"])
  }
}
