import Journal
package import Schema
import TerminalText

/// What a value came to, as people read it: durations short, numbers without a tail of digits, anything long as JSON.
///
/// - Parameter type: as declared. Text is a duration only if its type says so.
package func shownValue(_ value: Value, as type: ValueType) -> String {
  switch (type.withoutOptional, type.restored(value)) {
  case (_, .null): "nothing"
  case (.byteSize, .int(let number)): shownSize(number)
  case (.bandwidth, .int(let number)): shownBandwidth(number)
  case (.percent, .double(let number)): shownNumber(number) + "%"
  case (_, .double(let number)): shownNumber(number)
  case (_, .duration(let duration)): shortDuration(duration)
  case (_, .timestamp(let moment)): moment.description
  case (_, .string(let text)): "\"\(terminalSafe(text))\""
  default: terminalSafe(value.json.text())
  }
}

/// Three digits after the point, without zeros at the end.
private func shownNumber(_ number: Double) -> String {
  guard number.isFinite, abs(number) < 1e12 else { return "\(number)" }
  let rounded = (number * 1000).rounded() / 1000
  guard rounded != 0 || number == 0 else { return "\(number)" }
  return rounded == rounded.rounded() ? "\(Int64(rounded))" : "\(rounded)"
}

/// In the largest binary unit that leaves a whole part: `75GiB`.
private func shownSize(_ bytes: Int64) -> String {
  let units: [(String, Int64)] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]
  for (unit, size) in units where bytes.magnitude >= size.magnitude { return significant(bytes, unit: size) + unit }
  return "\(bytes)B"
}

private func shownBandwidth(_ bitsPerSecond: Int64) -> String {
  let units: [(String, Int64)] = [("Gbps", 1_000_000_000), ("Mbps", 1_000_000), ("kbps", 1000)]
  for (unit, size) in units where bitsPerSecond.magnitude >= size.magnitude {
    return significant(bitsPerSecond, unit: size) + unit
  }
  return "\(bitsPerSecond)bps"
}

extension JudgedExpectation {
  /// What its parts came to: `output.used = 91.2%, inputs.failAt = 90`.
  var shownActual: String {
    actual.map { "\(terminalSafe($0.expression)) = \(shownValue($0.value, as: $0.type))" }.joined(separator: ", ")
  }
}

extension RunReport.Step {
  /// The few figures of the output that say most: first those that an expectation looked at, words of an enumeration among
  /// them, then the others in their order, then its lists: the only number of one, else how long it is, as `NAME.count`; of
  /// a good step that has none of these, its texts.
  func figures(limit: Int = 3) -> [(name: String, value: String)] {
    var figures: [(name: String, value: String)] = []
    func add(_ name: String, _ value: String) {
      if !figures.contains(where: { $0.name == name }) { figures.append((name, value)) }
    }
    for actual in expectations.flatMap(\.actual) {
      guard let field = actual.field else { continue }
      switch (actual.type.withoutOptional, actual.value) {
      case (.enumeration, .string(let word)): add(field, terminalSafe(word))
      case _ where isFigure(actual.type.restored(actual.value)): add(field, shownValue(actual.value, as: actual.type))
      default: break
      }
    }
    let leaves = leaves(of: outputType.restored(output), as: outputType, under: "")
    for leaf in leaves where isFigure(leaf.value) { add(leaf.name, shownValue(leaf.value, as: leaf.type)) }
    for case (let name, .list(let elements), let type) in leaves {
      if elements.count == 1, let only = elements.first, isFigure(only) {
        add(name, shownValue(only, as: type.element))
      } else {
        add("\(name).count", "\(elements.count)")
      }
    }
    if figures.isEmpty, outcome.isGood {
      for case (let name, .string(let text), _) in leaves where text.count <= 40 { add(name, terminalSafe(text)) }
    }
    return Array(figures.prefix(limit))
  }

  /// Numbers, durations and truth values.
  private func isFigure(_ value: Value) -> Bool {
    switch value {
    case .int, .double, .duration, .bool: true
    default: false
    }
  }

  /// The values that are no record themselves, each with its path, in their order.
  func leaves(
    of value: Value, as type: ValueType, under name: String
  ) -> [(name: String, value: Value, type: ValueType)] {
    guard case .members(let members) = value else { return name.isEmpty ? [] : [(name, value, type)] }
    return members.flatMap { member in
      leaves(
        of: member.value, as: type.member(member.name), under: name.isEmpty ? member.name : "\(name).\(member.name)")
    }
  }
}

extension ValueType {
  /// The type of a list's elements; `any` where this is no list.
  fileprivate var element: ValueType { if case .list(let element) = withoutOptional { element } else { .any } }
}
