import CEL
import Foundation
import Testing

@Suite("Numbers as texts") struct NumberTextTests {
  static let numbers: [Double] =
    [
      0, -0.0, 1, -1, 0.5, 1.5, 2.5, 0.05, 1.2345, 123.456, 1e21, 1e-7, 9.995, 0.1, 1 / 3.0, 1e308,
      .leastNonzeroMagnitude, .pi,
      .greatestFiniteMagnitude, .leastNormalMagnitude, 999_999.5, 9.5, 99.5, 0.000_95, 123_456_789.987_654_321,
    ]
    + (0..<400).map { index in
      // Numbers of all magnitudes, from a fixed sequence.
      var state = UInt64(index) &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678
      state ^= state >> 29
      state = state &* 0xBF58_476D_1CE4_E5B9
      let number = Double(bitPattern: state)
      return number.isFinite ? number : Double(index)
    }

  @Test("fixed and scientific forms are those of the C library", arguments: [0, 1, 3, 6, 17, 40])
  func forms(decimals: Int) throws {
    var environment = CELEnvironment()
    environment.declare(variable: "x", type: .double)
    let program = try environment.compile("'%.\(decimals)f|%.\(decimals)e'.format([x, x])")
    for number in Self.numbers {
      let expected = String(format: "%.\(decimals)f|%.\(decimals)e", number, number)
      #expect(try program.evaluate(NamedActivation(["x": .double(number)])) == .string(expected), "\(number)")
    }
  }

  @Test("the text of a number reads back as the number")
  func shortest() throws {
    var environment = CELEnvironment()
    environment.declare(variable: "x", type: .double)
    let program = try environment.compile("double(string(x)) == x")
    for number in Self.numbers { #expect(try program.evaluate(NamedActivation(["x": .double(number)])) == .bool(true)) }
  }

  @Test(
    "formats are refused where they do not fit",
    arguments: [
      "'%'.format([])", "'%s'.format([])", "'%.f'.format([1.0])", "'%.1001f'.format([1.0])", "'%.2'.format([1.0])",
      "'%q'.format([1])", "'%d'.format(['a'])", "'%s'.format([optional.none()])",
    ])
  func refused(source: String) {
    // All arguments are literals, but a list is none of one value, so it is refused when it is evaluated.
    #expect(throws: EvaluationError.self) { try CELEnvironment().compile(source).evaluate() }
  }
}
