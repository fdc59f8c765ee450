import Journal
import Schema

/// A number that a step put out, with what it counts.
struct Measurement {
  enum Unit {
    /// A plain number, the length of a list, or 1 and 0 for true and false.
    case none
    case seconds
    case bytes
    case bitsPerSecond
    case percent
    /// Seconds since 1970, of a moment.
    case timestamp
  }

  /// Its path in the output: `rtt.p95`.
  var name: String
  var number: Double
  /// The number as exactly as it is known, without an exponent.
  var text: String
  var unit: Unit
  /// As people read it: `4.2ms`.
  var shown = ""

  /// Nil for what is no number: a text, nothing, a number that JSON does not hold.
  init?(_ name: String, _ value: Value, as type: ValueType) {
    switch (type.withoutOptional, value) {
    case (.byteSize, .int(let number)): self.init(name, Double(number), "\(number)", .bytes)
    case (.bandwidth, .int(let number)): self.init(name, Double(number), "\(number)", .bitsPerSecond)
    case (.percent, .double(let number)): self.init(name, number, .percent)
    case (_, .int(let number)): self.init(name, Double(number), "\(number)", .none)
    case (_, .double(let number)): self.init(name, number, .none)
    case (_, .bool(let flag)): self.init(name, flag ? 1 : 0, flag ? "1" : "0", .none)
    case (_, .list(let elements)): self.init(name, Double(elements.count), "\(elements.count)", .none)
    case (_, .duration(let time)): self.init(name, time / .seconds(1), decimalSeconds(time), .seconds)
    case (_, .timestamp(let moment)):
      let time = moment.duration(since: .unixEpoch)
      self.init(name, time / .seconds(1), decimalSeconds(time), .timestamp)
    default: return nil
    }
    if case .list(let elements) = value { shown = "\(elements.count)" } else { shown = shownValue(value, as: type) }
  }

  private init?(_ name: String, _ number: Double, _ unit: Unit) {
    guard number.isFinite else { return nil }
    self.init(name, number, plainDecimal(number), unit)
  }

  private init(_ name: String, _ number: Double, _ text: String, _ unit: Unit) {
    self.name = name
    self.number = number
    self.text = text
    self.unit = unit
  }
}

extension RunReport.Step {
  /// Every number of the output in its order, each name once. What is missing is not among them: it is no zero.
  var measurements: [Measurement] {
    var names: Set<String> = []
    return leaves(of: outputType.restored(output), as: outputType, under: "").compactMap { leaf in
      Measurement(leaf.name, leaf.value, as: leaf.type)
    }.filter { names.insert($0.name).inserted }
  }

  /// The same, those first that an expectation looked at.
  var foremostMeasurements: [Measurement] {
    let judged = expectations.flatMap(\.actual).compactMap(\.field)
    let all = measurements
    let first = judged.compactMap { name in all.first { $0.name == name } }
    var names: Set<String> = []
    return (first + all).filter { names.insert($0.name).inserted }
  }
}

/// Seconds to the nanosecond, without zeros at the end: `0.0042`.
func decimalSeconds(_ duration: Duration) -> String {
  let (seconds, attoseconds) = duration.components
  guard seconds >= 0, attoseconds >= 0 else { return "-" + decimalSeconds(.zero - duration) }
  let nanoseconds = "\(attoseconds / 1_000_000_000)"
  var fraction = String(repeating: "0", count: max(0, 9 - nanoseconds.count)) + nanoseconds
  while fraction.hasSuffix("0") { fraction.removeLast() }
  return fraction.isEmpty ? "\(seconds)" : "\(seconds).\(fraction)"
}

/// The shortest digits that mean the number, without an exponent: `0.00001`.
///
/// - Parameter number: finite.
func plainDecimal(_ number: Double) -> String {
  if number == number.rounded(), abs(number) < 1e15 { return "\(Int64(number))" }
  let text = "\(number)"
  guard let mark = text.firstIndex(of: "e"), let exponent = Int(text[text.index(after: mark)...]) else { return text }
  let sign = number < 0 ? "-" : ""
  let mantissa = text[..<mark].drop { $0 == "-" }
  let parts = mantissa.split(separator: ".")
  let digits = parts.joined().replacing(/0+$/, with: "")
  let point = (parts.first?.count ?? 1) + exponent
  if point <= 0 { return "\(sign)0.\(String(repeating: "0", count: -point))\(digits)" }
  return sign + digits + String(repeating: "0", count: max(0, point - digits.count))
}

extension ValueType {
  /// The type inside an optional.
  var withoutOptional: ValueType { if case .optional(let wrapped) = self { wrapped.withoutOptional } else { self } }
}
