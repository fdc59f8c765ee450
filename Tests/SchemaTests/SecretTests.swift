import Testing

@testable import Schema

@Suite struct SecretTests {
  @Test("A secret shows in no form that a value can be printed in")
  func neverShown() {
    let secret = Secret("hunter2")
    let value = Value.members([.init("password", .secret(secret)), .init("list", .list([.secret(secret)]))])
    var dumped = ""
    dump(value, to: &dumped)
    dump(secret, to: &dumped)
    let forms = [
      "\(secret)", "\(value)", String(reflecting: secret), String(reflecting: value), value.json.text(),
      value.plainText, dumped,
    ]
    for form in forms { #expect(!form.contains("hunter2"), "\(form)") }
    #expect(secret.revealText() == "hunter2")
  }

  @Test("A secret is found at any depth of a value")
  func holdsSecret() {
    #expect(Value.members([.init("a", .list([.members([.init("b", .secret(Secret("x")))])]))]).holdsSecret)
    #expect(!Value.members([.init("a", .list([.string("x")]))]).holdsSecret)
  }
}
