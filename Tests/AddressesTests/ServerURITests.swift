import Addresses
import Testing

@Suite("ServerURI")
struct ServerURITests {
  @Test(
    "URIs of RFC 7064 and RFC 7065 are read and written",
    arguments: [
      ("stun:example.org", "stun:example.org", 3478), ("STUNS:Example.ORG", "stuns:example.org", 5349),
      ("turn:192.0.2.1:3479", "turn:192.0.2.1:3479", 3479), ("turns:[2001:db8::1]", "turns:[2001:db8::1]", 5349),
      ("turn:[2001:DB8::1]:80?transport=TCP", "turn:[2001:db8::1]:80?transport=tcp", 80),
      ("turns:turn.example.org:443?transport=udp", "turns:turn.example.org:443?transport=udp", 443),
      ("turn:global.turn.twilio.com:3478?transport=tcp", "turn:global.turn.twilio.com:3478?transport=tcp", 3478),
      ("turn:localhost", "turn:localhost", 3478), ("turn:a_b.example.", "turn:a_b.example.", 3478),
    ])
  func reading(text: String, expected: String, port: UInt16) throws {
    let uri = try ServerURI(parsing: text)
    #expect(uri.description == expected)
    #expect(uri.port ?? uri.scheme.defaultPort == port)
    #expect(try ServerURI(parsing: uri.description) == uri)
  }

  @Test(
    "A wrong URI says which part is wrong",
    arguments: [
      ("example.org", ServerURI.ParsingError.unknownScheme), ("http://example.org", .unknownScheme),
      ("turn:", .missingHost), ("turn::3478", .missingHost), ("turn:exa mple", .invalidHost),
      ("turn://example.org", .invalidHost), ("turn:-a.example", .invalidHost), ("turn:256.1.1.1", .invalidHost),
      ("turn:[::1", .invalidHost), ("turn:[192.0.2.1]", .invalidHost), ("turn:user@example.org", .invalidHost),
      ("turn:a.example:0", .invalidPort), ("turn:a.example:70000", .invalidPort), ("turn:a.example:", .invalidPort),
      ("turn:[::1]3478", .invalidPort), ("turn:a.example:+1", .invalidPort),
      ("turn:a.example?transport=sctp", .invalidTransport), ("turn:a.example?x=y", .unexpectedQuery),
      ("stun:a.example?transport=udp", .unexpectedQuery), ("turn:a.example?", .unexpectedQuery),
    ])
  func refusal(text: String, expected: ServerURI.ParsingError) {
    #expect(throws: expected) { try ServerURI(parsing: text) }
  }
}
