import Schema

/// One figure of a plugin's performance data, as the Monitoring Plugins' guidelines write it: `'label'=value[unit];warn;crit;min;max`.
package struct PluginFigure: Hashable, Sendable {
  package var label: String
  package var value: Double?
  package var unit: String
  package var warn: String?
  package var critical: String?
  package var minimum: Double?
  package var maximum: Double?

  static let record = Record(
    PluginFigure.init,
    Field("label", \.label, .string, "Its name."),
    Field(
      "value", \.value, .optional(.double), "Its value, in the plugin's unit; absent: the plugin does not know it (U)."),
    Field("unit", \.unit, .string, "The unit: s, ms, us, %, B, KB, MB, GB, TB, c for a counter; empty for none."),
    Field("warn", \.warn, .optional(.string), "The range outside of which the plugin warns, as it writes it."),
    Field("critical", \.critical, .optional(.string), "The range outside of which it is critical, as it writes it."),
    Field("minimum", \.minimum, .optional(.double), "The least value possible."),
    Field("maximum", \.maximum, .optional(.double), "The greatest value possible.")
  )

  /// Whether the value lies where the plugin calls it critical.
  var isCritical: Bool { value.flatMap { value in critical.flatMap { PluginRange($0)?.alerts(at: value) } } ?? false }
}

/// What stands behind the bar of a plugin's output.
struct PerformanceData {
  private(set) var figures: [PluginFigure] = []
  /// Items that cannot be read.
  private(set) var unreadable: [String] = []

  init(parsing text: String) {
    for item in Self.items(of: text) {
      if let figure = Self.figure(item) { figures.append(figure) } else { unreadable.append(item) }
    }
  }

  /// Parts between blanks that are not inside quotes.
  private static func items(of text: String) -> [String] {
    var items: [String] = []
    var item = ""
    var isQuoted = false
    for character in text {
      if character == "'" { isQuoted.toggle() }
      if character.isWhitespace, !isQuoted {
        if !item.isEmpty { items.append(item) }
        item = ""
      } else {
        item.append(character)
      }
    }
    return item.isEmpty ? items : items + [item]
  }

  private static func figure(_ item: String) -> PluginFigure? {
    guard let (label, rest) = label(of: item), !label.isEmpty else { return nil }
    let fields = rest.split(separator: ";", omittingEmptySubsequences: false).map(String.init)
    guard let first = fields.first, let (value, unit) = measure(first) else { return nil }
    func field(_ index: Int) -> String? { index < fields.count && !fields[index].isEmpty ? fields[index] : nil }
    return PluginFigure(
      label: label, value: value, unit: unit, warn: field(1), critical: field(2),
      minimum: field(3).flatMap(number), maximum: field(4).flatMap(number))
  }

  /// The label, and what stands behind its equals sign. Two quotes inside a quoted label are one.
  private static func label(of item: String) -> (label: String, rest: Substring)? {
    guard item.first == "'" else {
      guard let equals = item.firstIndex(of: "=") else { return nil }
      return (String(item[..<equals]), item[item.index(after: equals)...])
    }
    var label = ""
    var rest = item.dropFirst()
    while let character = rest.popFirst() {
      guard character == "'" else {
        label.append(character)
        continue
      }
      if rest.first == "'" {
        label.append("'")
        rest = rest.dropFirst()
      } else {
        return rest.first == "=" ? (label, rest.dropFirst()) : nil
      }
    }
    return nil
  }

  /// A number and its unit; nil for the number where the plugin does not know it.
  private static func measure(_ text: String) -> (value: Double?, unit: String)? {
    if text == "U" { return (nil, "") }
    let digits = text.prefix { $0.isASCII && ($0.isNumber || "+-.,eE".contains($0)) }
    // An e can begin a unit as well.
    for end in digits.indices.reversed() {
      if let value = number(String(digits[...end])) {
        let unit = text[text.index(after: end)...]
        return unit.contains(where: { $0.isNumber || $0 == "=" || $0 == "," }) ? nil : (value, String(unit))
      }
    }
    return nil
  }

  /// A number; a comma is taken for the point of a plugin that runs in another language.
  private static func number(_ text: String) -> Double? {
    let commas = text.count { $0 == "," }
    guard commas == 0 || commas == 1 && !text.contains("."), text.last != "." || text.count > 1 else { return nil }
    guard let value = Double(text.replacing(",", with: ".")), value.isFinite else { return nil }
    return value
  }
}

/// A threshold of the Monitoring Plugins: `10`, `10:`, `~:10`, `10:20`, `@10:20`.
struct PluginRange {
  private let low: Double
  private let high: Double
  private let alertsInside: Bool

  /// Nil if it is none.
  init?(_ text: String) {
    alertsInside = text.first == "@"
    let parts = text.drop { $0 == "@" }.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    switch parts.count {
    case 1:
      guard let end = Double(parts[0]), end >= 0 else { return nil }
      (low, high) = (0, end)
    case 2:
      guard let start = parts[0] == "~" ? -Double.infinity : Double(parts[0].isEmpty ? "0" : parts[0]),
        let end = parts[1].isEmpty ? Double.infinity : Double(parts[1]), start <= end
      else { return nil }
      (low, high) = (start, end)
    default: return nil
    }
  }

  func alerts(at value: Double) -> Bool { (low...high).contains(value) == alertsInside }
}
