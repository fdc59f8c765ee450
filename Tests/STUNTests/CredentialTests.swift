import STUN
import Testing

@Suite("Credentials")
struct CredentialTests {
  @Test("REST credentials: the password is the HMAC-SHA1 of the user name in base64")
  func rest() {
    let first = RESTCredentials.make(secret: "north", user: "alice", expiry: 1_700_000_000)
    #expect(first.username == "1700000000:alice")
    #expect(first.password == "Cd/49soE35ICqcJF/bCTn8Z4OyE=")
    let second = RESTCredentials.make(secret: "north", user: "alice", expiry: 1_700_000_000, order: .userFirst)
    #expect(second.username == "alice:1700000000")
    #expect(RESTCredentials.make(secret: "north", user: "", expiry: 5).username == "5")
  }

  @Test("Credentials and keys do not print their secrets")
  func redaction() throws {
    let credentials = LongTermCredentials(username: "alice", password: "hunter2")
    var dumped = ""
    dump(credentials, to: &dumped)
    dump(IntegrityKey(shortTermPassword: "hunter2"), to: &dumped)
    #expect(!"\(credentials) \(String(reflecting: credentials)) \(dumped)".contains("hunter2"))
  }
}
