import Journal
import Schema

/// When each step ran, as bars on one scale. Positions stand in attributes: a policy without inline styles lets them be.
struct Timeline {
  /// What the width of a bar's picture stands for.
  private let whole: Double
  private static let width = 1000.0

  init(_ steps: [RunReport.Step], whole: Duration?) {
    let ends = steps.compactMap { step in step.begunAfter.map { $0 + (step.duration ?? .zero) } }
    self.whole = max((ends + [whole ?? .zero]).max() ?? .zero, .microseconds(1)) / .seconds(1)
  }

  func row(_ step: RunReport.Step, anchor: String) -> String {
    let name = "<a href=\"#\(anchor)\">\(markupSafe(step.path))</a>"
    let time = step.duration.map(shortDuration) ?? (step.isDue ? "not begun" : step.outcome.rawValue)
    return "<li><span>\(name)</span>\(bar(step))<span class=\"time\">\(time)</span></li>\n"
  }

  private func bar(_ step: RunReport.Step) -> String {
    guard let begun = step.begunAfter else { return picture("") }
    let start = begun / .seconds(1) / whole * Self.width
    // A step without an end goes on to the end of the picture; one of no length is still seen.
    let length = step.duration.map { $0 / .seconds(1) / whole * Self.width } ?? Self.width - start
    let width = max(length, 3)
    let x = min(start, Self.width - width)
    return picture(
      "<rect class=\"\(step.outcome.rawValue)\" x=\"\(rounded(max(0, x)))\" y=\"0\" width=\"\(rounded(width))\" height=\"10\"/>"
    )
  }

  private func picture(_ content: String) -> String {
    "<svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\(content)</svg>"
  }
}

/// How a quantity was distributed: what a step put out as `p50` and `p95`, and where it has them `min`, `p99` and `max`.
struct Distribution {
  private let name: String
  private let parts: [(name: String, number: Double, shown: String)]

  private static let known = ["min", "p50", "p95", "p99", "max"]

  static func all(in measurements: [Measurement]) -> [Distribution] {
    var groups: [(name: String, parts: [Measurement])] = []
    for measurement in measurements {
      let path = measurement.name.split(separator: ".")
      guard path.count > 1, let last = path.last, known.contains(String(last)) else { continue }
      let name = path.dropLast().joined(separator: ".")
      if let index = groups.firstIndex(where: { $0.name == name }) {
        groups[index].parts.append(measurement)
      } else {
        groups.append((name, [measurement]))
      }
    }
    return groups.compactMap { group in
      let parts = known.compactMap { known in
        group.parts.first { $0.name.hasSuffix(".\(known)") }.map { (known, $0.number, $0.shown) }
      }
      let names = parts.map(\.0)
      guard names.contains("p50"), names.contains("p95"), parts.allSatisfy({ $0.1 >= 0 }) else { return nil }
      return Distribution(name: group.name, parts: parts)
    }
  }

  /// A line from the least to the most, a box from the median to the 95th percentile, on a scale from zero.
  var html: String {
    let most = max(parts.map(\.number).max() ?? 0, .leastNonzeroMagnitude)
    func place(_ name: String) -> Double? { parts.first { $0.name == name }.map { $0.number / most * 290 + 5 } }
    guard let median = place("p50"), let high = place("p95") else { return "" }
    let least = place("min") ?? median
    let end = place("max") ?? place("p99") ?? high
    var marks =
      "<line class=\"axis\" x1=\"5\" y1=\"24\" x2=\"295\" y2=\"24\"/>"
      + "<line class=\"range\" x1=\"\(rounded(least))\" y1=\"12\" x2=\"\(rounded(end))\" y2=\"12\"/>"
      + "<rect class=\"box\" x=\"\(rounded(median))\" y=\"5\" width=\"\(rounded(max(1, high - median)))\" height=\"14\"/>"
      + "<line class=\"median\" x1=\"\(rounded(median))\" y1=\"3\" x2=\"\(rounded(median))\" y2=\"21\"/>"
    for edge in [least, end] {
      marks += "<line class=\"range\" x1=\"\(rounded(edge))\" y1=\"8\" x2=\"\(rounded(edge))\" y2=\"16\"/>"
    }
    let words = parts.map { "\($0.name) \($0.shown)" }.joined(separator: " · ")
    return """
      <figure>
      <svg viewBox="0 0 300 28" role="img" aria-label="\(markupSafe("\(name): \(words)"))">\(marks)</svg>
      <figcaption><b>\(markupSafe(name))</b> \(markupSafe(words))</figcaption>
      </figure>

      """
  }
}

/// How often each of several things was counted: what a step put out as `matches.NAME.count`.
struct CountChart {
  private let name: String
  private let counts: [(name: String, number: Double, shown: String)]

  static func all(in measurements: [Measurement]) -> [CountChart] {
    var groups: [(name: String, counts: [(name: String, number: Double, shown: String)])] = []
    for measurement in measurements where measurement.name.hasSuffix(".count") {
      let path = measurement.name.dropLast(".count".count)
      guard let dot = path.firstIndex(of: "."), measurement.number >= 0 else { continue }
      let count = (String(path[path.index(after: dot)...]), measurement.number, measurement.shown)
      if let index = groups.firstIndex(where: { $0.name == path[..<dot] }) {
        groups[index].counts.append(count)
      } else {
        groups.append((String(path[..<dot]), [count]))
      }
    }
    return groups.filter { $0.counts.count > 1 }.map { CountChart(name: $0.name, counts: $0.counts) }
  }

  var html: String {
    let most = max(counts.map(\.number).max() ?? 0, 1)
    let rows = counts.prefix(40).map { count in
      let width = count.number / most * 1000
      return "<li><span>\(markupSafe(count.name))</span><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" "
        + "aria-hidden=\"true\"><rect class=\"box\" width=\"\(rounded(width))\" height=\"10\"/></svg>"
        + "<span class=\"time\">\(markupSafe(count.shown))</span></li>\n"
    }
    return
      "<figure>\n<figcaption><b>\(markupSafe(name))</b></figcaption>\n<ol class=\"timeline\">\n\(rows.joined())</ol>\n</figure>\n"
  }
}

/// To a tenth: more is not seen.
private func rounded(_ number: Double) -> String { plainDecimal((number * 10).rounded() / 10) }
