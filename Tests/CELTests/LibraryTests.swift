import CEL
import Testing

@Suite("Libraries, beyond what the conformance suite covers") struct LibraryTests {
  @Test(
    "an expression that holds",
    arguments: [
      // Texts are code points, never their canonical equivalents.
      "'\\u00e9' != 'e\\u0301'", "size('e\\u0301') == 2", "!'e\\u0301'.contains('\\u00e9')",
      "!('e\\u0301' in {'\\u00e9': 1})", "'e\\u0301'.charAt(0) == 'e'", "'\\u00e9' > 'e\\u0301'",
      "'a' < 'b' && 'B' < 'a' && '' < 'a'",
      "'👨‍👩‍👧'.size() == 5", "'abc'.reverse() == 'cba'", "'e\\u0301x'.reverse() == 'x\\u0301e'",
      "'aaa'.replace('', '-') == '-a-a-a-'", "'aaa'.replace('', '-', 2) == '-a-aa'", "''.replace('', 'x') == 'x'",
      "'aXbX'.replace('X', 'XX') == 'aXXbXX'",
      "'a,b,,c'.split(',') == ['a', 'b', '', 'c']", "'abc'.split('') == ['a', 'b', 'c']",
      "'abc'.split('', 2) == ['a', 'bc']", "''.split(',') == ['']",
      "''.split('') == []", "['a', 'b'].join(', ') == 'a, b'", "'aaaa'.lastIndexOf('aa') == 2",
      "'abcabcabcabcabcabd'.indexOf('abcabcabd') == 9 && 'abcabcabcabcabcabd'.contains('bcabcabcab')",
      "'aaaaaaaaaaaaaaab'.lastIndexOf('aaaaaaaaab') == 6 && 'xaaaaaaaaaaaaaaaa'.lastIndexOf('xaaaaaaaaaa') == 0",
      "'aaaaaaaaaaaa'.indexOf('aaaaaaaaaab') == -1 && 'é😀ab'.indexOf('a', 1) == 2 && 'é😀ab😀'.lastIndexOf('😀', 3) == 1",
      "'aaaa'.indexOf('aa', 3) == -1",
      "'%s'.format([ip('::1')]) == '::1'", "'%s'.format([cidr('10.0.0.0/8')]) == '10.0.0.0/8'",
      // Numbers.
      "5 / -2 == -2 && 5 % -2 == 1 && -5 % 2 == -1", "1.0 / 0.0 == double('Infinity')", "0.0 / 0.0 != 0.0 / 0.0",
      "!(0.0 / 0.0 < 1.0) && !(0.0 / 0.0 >= 1.0)",
      "dyn(1) == 1u && dyn(1u) == 1.0 && dyn(1.0) in [1]", "{1: 'a'}[dyn(1.0)] == 'a' && dyn(1u) in {1: 2}",
      "int('-9223372036854775808') == -9223372036854775808",
      "uint('18446744073709551615') == 18446744073709551615u",
      "dyn(9007199254740992.0) in [9007199254740993, 1, 2, 3, 4, 5, 6, 7, 8]",
      "!(dyn(2.5) in [1, 2, 3, 4, 5, 6, 7, 8, 9])",
      "{?'a': optional.none(), 'a': 1} == {'a': 1}", "base64.decode('AbC') == b'\\x01\\xb0'",
      "1.0 / math.sign(-0.0) > 0.0 && math.isNaN(math.sign(0.0 / 0.0))",
      "string(1.0) == '1' && string(1e100) == '1e+100' && string(-0.5) == '-0.5'",
      "math.round(2.5) == 3.0 && math.trunc(-2.7) == -2.0 && math.isNaN(0.0 / 0.0)",
      "math.greatest([1, 2u, 3.5]) == 3.5", "math.least('abc'.size(), 2) == 2",
      "math.bitNot(0) == -1 && math.bitXor(5u, 1u) == 4u", "math.sqrt(49) == 7.0",
      // Long constant lists are looked up by hash.
      "[1, 2, 3].all(x, x in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])",
      "!('z' in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])",
      "['j', 'a'].all(x, x in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])",
      "dyn(2.0) in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]", "!(dyn([]) in [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])",
      // Maps of more than eight entries are looked up by hash.
      "{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 7, 8: 8, 9: 9, 10: 10}[10] == 10",
      "{'a': 1, 'b': 2}.map(k, k) == ['a', 'b']",
      "{'b': 1, 'a': 2} == {'a': 2, 'b': 1}", "dyn({1: 2}) == {1u: 2.0}",
      // Optionals.
      "[optional.of(1), optional.none()].unwrapOpt() == [1]", "[1, 2].last() == optional.of(2)",
      "[].first() == optional.none()",
      "optional.ofNonZeroValue([]) == optional.none()", "{?'a': optional.none(), 'b': 1} == {'b': 1}",
      "[?optional.of(1), 2] == [1, 2]",
      // Network.
      "string(ip('2001:0db8:0:0:0:0:0:1')) == '2001:db8::1'", "string(ip('1:0:0:2:0:0:0:3')) == '1:0:0:2::3'",
      "string(ip('::')) == '::'", "string(ip('1::')) == '1::'",
      "string(ip('::1.2.3.4')) == '::102:304'",
      "!isIP('1.2.3.04') && !isIP('1.2.3') && !isIP('1::2::3') && !isIP('12345::') && !isIP('::1%eth0')",
      "isCIDR('::/0') && !isCIDR('10.0.0.0/33') && !isCIDR('10.0.0.0/08') && !isCIDR('10.0.0.0')",
      "cidr('::/0').containsIP('ffff::1') && !cidr('::/0').containsIP('1.2.3.4')",
      "cidr('0.0.0.0/0').containsIP('255.255.255.255')", "cidr('2001:db8::1/32').masked() == cidr('2001:db8::/32')",
      "cidr('10.0.0.0/8').containsCIDR('10.0.0.0/9') && !cidr('10.0.0.0/9').containsCIDR('10.0.0.0/8')",
      "cidr('2001:db8::/65').containsIP('2001:db8::7fff:0:0:1') && !cidr('2001:db8::/65').containsIP('2001:db8::8000:0:0:1')",
      "{ip('::1').family(): 1} == {6: 1}",
      "ip('127.0.0.1').isLoopback() && ip('fe80::1').isLinkLocalUnicast() && !ip('239.0.0.1').isGlobalUnicast()",
      // Macros.
      "[1, 2, 3].map(x, x > 1, x * 10) == [20, 30]", "{'a': 1, 'b': 2}.exists(k, v, k == 'b' && v == 2)",
      "[1, 2].transformList(i, v, i + v) == [1, 3]",
      "cel.bind(x, 1, cel.bind(x, x + 1, x + 1)) == 3", "[1].exists(x, [2].exists(x, x == 2) && x == 1)",
      "[[1], [2]].map(x, x.map(x, x)) == [[1], [2]]",
      "base64.decode('AA==') == b'\\x00' && base64.encode(b'') == ''", "b'a' + b'b' == b'ab' && size(b'é') == 2",
    ])
  func holds(source: String) throws {
    var environment = CELEnvironment()
    // Constant folding and evaluation must agree, so the check of constants is left to the evaluation.
    environment.validatesConstants = false
    let parsed = try environment.parse(source)
    let program = environment.program(try environment.check(parsed))
    #expect(try program.evaluate() == .bool(true))
    #expect(try program.observe(SlotActivation([]), tracing: true).result.get() == .bool(true))
    #expect(try environment.program(unchecked: parsed).evaluate() == .bool(true))
  }

  @Test("a pattern is matched in time linear in the text")
  func linearPatterns() throws {
    var environment = CELEnvironment()
    environment.declare(variable: "s", type: .string)
    let program = try environment.compile("s.matches('^(a+)+$')")
    let text = String(repeating: "a", count: 100_000) + "b"
    #expect(try program.evaluate(NamedActivation(["s": .string(text)])) == .bool(false))
  }

  @Test(
    "octets that are no text, and base64 that is none, are refused",
    arguments: [
      "string(b'\\xff')", "base64.decode('A')", "base64.decode('A===')", "base64.decode('*AAA')",
      "base64.decode('AAA=A')",
    ])
  func refused(source: String) {
    #expect(problems(source).first?.code == .invalidConstant)
  }

  @Test(
    "the greatest of nothing, or of what is no number, does not compile, and the message has the function's name",
    arguments: [
      ("math.greatest([])", "an empty list"), ("math.least([])", "an empty list"),
      ("math.greatest('a')", "'math.greatest'"),
    ])
  func noExtreme(source: String, message: String) {
    #expect(problems(source).first?.code == .invalidConstant)
    #expect(problems(source).first?.message.contains(message) == true)
  }

  @Test(
    "what is in a map twice is an error also where one entry may be absent",
    arguments: ["{?'a': optional.of(1), 'a': 1}", "{'a': 1, ?'a': optional.of(1)}"])
  func duplicateKey(source: String) throws {
    #expect(try evaluationError(source)?.code == .duplicateKey)
  }
}
