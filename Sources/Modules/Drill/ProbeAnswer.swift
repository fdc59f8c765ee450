import Journal
import Schema

/// What a probe found at a server, as far as another server that does the same gives the same.
struct ProbeAnswer: Sendable {
  private struct Fact: Hashable {
    let name: String
    let text: String
  }

  /// `pass`, `warn`, `fail` or `error`.
  private let outcome: String
  private let code: String?
  private let message: String
  /// What the probe put out, by field; an element of a list is by the list's name and its own. Nil if it put out nothing.
  private var facts: [String: [Fact]]?

  init(outcome: String, finding: Finding?, output: Value?) {
    self.outcome = outcome
    code = finding?.code
    let text = finding.map { "\($0.message)" } ?? ""
    message = text.hasSuffix(".") ? String(text.dropLast()) : text
    guard case .members(let members) = output else { return }
    facts = [:]
    add(members, under: "")
  }

  /// What chance gives out, or the network between.
  private static let byChance: Set = [
    "retransmissions", "reflexiveAddress", "reflexivePort", "relayedAddress", "relayedPort", "server", "passedOver",
    "received", "lost", "loss", "duplicates", "reordered", "nonce", "relayedAddresses", "throughput",
  ]

  private mutating func add(_ members: [Value.Member], under prefix: String) {
    for member in members where !Self.byChance.contains(member.name) {
      let path = prefix + member.name
      switch member.value {
      case .members(let inner): add(inner, under: "\(path).")
      case .list(let elements) where elements.contains(where: { Self.named($0) != nil }):
        for element in elements {
          guard let (key, others) = Self.named(element) else { continue }
          var place = "\(path) \(key)"
          while facts?[place] != nil { place += "+" }
          facts?[place] = others
        }
      default:
        if let text = Self.text(of: member.value) { facts?[path] = [Fact(name: "", text: text)] }
      }
    }
  }

  /// An element of a list of records: the text that comes first in it names it.
  private static func named(_ value: Value) -> (key: String, others: [Fact])? {
    guard case .members(let members) = value, case .string(let key)? = members.first?.value else { return nil }
    return (
      key,
      members.dropFirst().filter { !byChance.contains($0.name) }.compactMap { member in
        text(of: member.value).map { Fact(name: member.name, text: $0) }
      }
    )
  }

  /// Nil for times, and for what is made of nothing else.
  private static func text(of value: Value) -> String? {
    switch value {
    case .null, .duration, .timestamp, .secret: nil
    // Two digits tell enough.
    case .double(let number): Value.double((number * 100).rounded() / 100).plainText
    case .members(let members):
      {
        let parts = members.filter { !byChance.contains($0.name) }.compactMap { member in
          text(of: member.value).map { "\(member.name) \($0)" }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
      }()
    case .list(let values): values.isEmpty ? "none" : values.compactMap(text).joined(separator: "; ")
    default: value.plainText
    }
  }

  /// Whether the probe could not find out anything.
  var isError: Bool { outcome == "error" }
  var isFailure: Bool { outcome == "fail" }

  /// How it ended, and why.
  var ending: String { code.map { "\(outcome) (\($0): \(message))" } ?? outcome }

  /// Every fact that one of both has, by name, with what each does: equal texts if both do the same.
  func compared(with other: ProbeAnswer) -> [(fact: String, before: String, after: String)] {
    // Messages have times in them, and ports.
    let isSame = (outcome, code) == (other.outcome, other.code)
    var found = [(fact: "outcome", before: ending, after: isSame ? ending : other.ending)]
    guard let facts, let others = other.facts else { return found }
    for name in Set(facts.keys).union(others.keys).sorted() {
      let (old, new) = (facts[name], others[name])
      if old == new {
        found.append((name, "", ""))
      } else {
        found.append((name, Self.told(old, without: new), Self.told(new, without: old)))
      }
    }
    return found
  }

  /// What one has of a fact and the other has not.
  private static func told(_ facts: [Fact]?, without others: [Fact]?) -> String {
    guard let facts else { return "nothing" }
    let own = facts.filter { !(others ?? []).contains($0) }
    guard !own.isEmpty else { return "nothing" }
    return own.map { $0.name.isEmpty ? $0.text : "\($0.name) \($0.text)" }.joined(separator: ", ")
  }
}
