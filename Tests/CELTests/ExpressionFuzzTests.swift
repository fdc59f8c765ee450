import CEL
import FoundationEssentials
import Testing

/// A sequence of numbers that a seed determines (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}

/// Makes sources from others: words are left away, doubled, swapped, replaced, and octets changed.
struct Mutator {
  var generator: SeededGenerator

  private static let words =
    FuzzCorpus.sources.flatMap { $0.split(whereSeparator: { " .,".contains($0) }).map(String.init) }
    + [
      "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "?", ":", ".", ",", "-", "!", "&&", "||", "in", "0", "9", "e", "u",
      "//", "\n",
    ]

  mutating func source() -> String {
    var words = Self.parts(FuzzCorpus.sources.randomElement(using: &generator) ?? "")
    for _ in 0..<Int.random(in: 0...4, using: &generator) { change(&words) }
    var bytes = Array(words.joined().utf8)
    if Int.random(in: 0..<8, using: &generator) == 0, !bytes.isEmpty {
      bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private mutating func change(_ words: inout [String]) {
    let position = words.isEmpty ? 0 : Int.random(in: words.indices, using: &generator)
    let other = Self.words.randomElement(using: &generator) ?? ""
    switch Int.random(in: 0..<6, using: &generator) {
    case 0 where !words.isEmpty: words.remove(at: position)
    case 1 where !words.isEmpty: words.insert(words[position], at: position)
    case 2 where !words.isEmpty: words.swapAt(position, Int.random(in: words.indices, using: &generator))
    case 3 where !words.isEmpty: words[position] = other
    case 4: words.insert(other, at: position)
    default:
      let rest = Self.parts(FuzzCorpus.sources.randomElement(using: &generator) ?? "")
      words = Array(words.prefix(position)) + rest.suffix(Int.random(in: 0...rest.count, using: &generator))
    }
  }

  /// Letters and digits together, everything else alone.
  private static func parts(_ source: String) -> [String] {
    var parts: [String] = []
    for character in source {
      if let last = parts.last?.last, last.isLetter || last.isNumber, character.isLetter || character.isNumber {
        parts[parts.count - 1].append(character)
      } else {
        parts.append(String(character))
      }
    }
    return parts
  }
}

@Suite("No input crashes or hangs, and all parts agree") struct ExpressionFuzzTests {
  static let environment: CELEnvironment = {
    var environment = CELEnvironment(limits: CELLimits(cost: 20_000))
    let types: [(String, CELType)] = [
      ("a", .int), ("b", .bool), ("s", .string), ("l", .list(.int)), ("m", .map(.string, .map(.string, .int))),
      ("d", .dyn),
    ]
    for (name, type) in types { environment.declare(variable: name, type: type) }
    return environment
  }()

  static let activation = SlotActivation([
    .int(3), .bool(true), .string("abc"), .list([.int(1), .int(2)]),
    .map(CELMap([("k", .map(CELMap([("v", .int(1))])))])), .int(7),
  ])

  /// What does not hold for a source; `nil` when all does.
  static func disagreement(_ source: String) -> String? {
    _ = try? CELTemplate.closingBrace(in: "${" + source, from: 2)
    let parsed: ParsedExpression
    do throws(CompileError) {
      parsed = try environment.parse(source)
    } catch {
      let length = source.utf8.count
      return error.problems.allSatisfy { $0.range.end <= length } ? nil : "a problem outside of the source: \(error)"
    }
    let text = parsed.root.unparsed
    guard let again = try? environment.parse(text) else { return "its text does not parse: \(text)" }
    if !again.root.isSameTree(as: parsed.root) { return "its text parses to another tree: \(text)" }
    _ = try? environment.program(unchecked: parsed).evaluate(activation)
    guard let checked = try? environment.check(parsed) else { return nil }
    let program = environment.program(checked)
    let observation = program.observe(activation)
    let estimate = checked.estimatedCost()
    if let most = estimate.most, observation.cost > most {
      return "costs \(observation.cost), estimated at most \(most)"
    }
    guard case .success(let value) = observation.result else { return nil }
    if observation.cost < estimate.least { return "costs \(observation.cost), estimated at least \(estimate.least)" }
    if !value.belongs(to: checked.type) { return "\(value) is not of type \(checked.type)" }
    if let constant = program.constantValue, constant.description != value.description {
      return "constant \(constant), evaluated \(value)"
    }
    return nil
  }

  @Test("every source of the corpus")
  func corpus() {
    for source in FuzzCorpus.sources {
      let disagreement = Self.disagreement(source)
      #expect(disagreement == nil, "\(source.debugDescription)")
    }
  }

  /// How long to look for more; 0 for a fixed number of sources.
  static let seconds = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"].flatMap { Double($0) } ?? 0

  /// When to stop looking, for all tests together.
  static let end = ContinuousClock.now + .seconds(seconds)

  @Test("mutations of the corpus", arguments: 0..<4)
  func mutations(seed: Int) {
    var remaining = 2500
    let start = Self.seconds > 0 ? UInt64.random(in: 0...UInt64.max) : UInt64(seed)
    var mutator = Mutator(generator: SeededGenerator(seed: start))
    while remaining > 0 || ContinuousClock.now < Self.end {
      remaining -= 1
      let source = mutator.source()
      if let disagreement = Self.disagreement(source) {
        Issue.record("\(source.debugDescription) (seed \(start)): \(disagreement)")
        return
      }
    }
  }
}
