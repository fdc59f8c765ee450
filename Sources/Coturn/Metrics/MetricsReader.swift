/// Takes the samples of coturn out of a scrape in Prometheus's text format as it comes, in memory that does not grow with the number
/// of series.
package struct MetricsReader: Sendable {
  private static let longestLine = 65_536

  private var scrape = MetricsScrape()
  /// A line whose end has not come yet.
  private var line: [UInt8] = []
  private var isTooLong = false

  package init() {}

  package mutating func take(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        endLine()
      } else if line.count < Self.longestLine {
        line.append(byte)
      } else {
        isTooLong = true
      }
    }
  }

  /// What was read once all has come.
  package mutating func end() -> MetricsScrape {
    // The format ends with a line feed.
    if !line.isEmpty { scrape.isCutOff = true }
    return scrape
  }

  private mutating func endLine() {
    defer {
      line.removeAll(keepingCapacity: true)
      isTooLong = false
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    guard !isTooLong, let text = String(validating: line, as: UTF8.self) else { return scrape.refuse("") }
    if text.isEmpty { return }
    if text.hasPrefix("#") {
      let words = text.split(separator: " ", maxSplits: 4)
      if words.count >= 4, words[1] == "TYPE" { scrape.take(type: String(words[3]), of: String(words[2])) }
      return
    }
    guard let sample = MetricsSample(text) else { return scrape.refuse(text) }
    scrape.take(sample)
  }
}

/// One line of a scrape: `turn_traffic_rcvp{realm="r.example",user="alice"} 42`.
package struct MetricsSample: Hashable, Sendable {
  package var name: String
  package var labels: [String: String] = [:]
  package var value: Double

  /// nil if the line is none.
  package init?(_ line: String) {
    var rest = line[...]
    let name = rest.prefix { $0 != "{" && $0 != " " && $0 != "\t" }
    guard !name.isEmpty, name.utf8.allSatisfy(Self.isOfName) else { return nil }
    self.name = String(name)
    rest = rest.dropFirst(name.count)
    if rest.first == "{" {
      rest.removeFirst()
      guard let labels = Self.labels(&rest) else { return nil }
      self.labels = labels
    }
    let words = rest.split { $0 == " " || $0 == "\t" }
    guard (1...2).contains(words.count), let value = Double(words[0]) else { return nil }
    self.value = value
  }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
      true
    default: false
    }
  }

  /// What stands between the braces; takes it away with the closing one.
  private static func labels(_ rest: inout Substring) -> [String: String]? {
    var labels: [String: String] = [:]
    func skipBlanks() { rest = rest.drop { $0 == " " || $0 == "," } }
    skipBlanks()
    while rest.first != "}" {
      let name = rest.prefix { $0 != "=" && $0 != "}" && $0 != "\"" }
      rest = rest.dropFirst(name.count)
      guard !name.isEmpty, rest.popFirst() == "=", rest.popFirst() == "\"" else { return nil }
      var value = ""
      while let character = rest.popFirst(), character != "\"" {
        guard character == "\\" else {
          value.append(character)
          continue
        }
        guard let escaped = rest.popFirst() else { return nil }
        value.append(escaped == "n" ? "\n" : escaped)
      }
      labels[String(name)] = value
      skipBlanks()
      if rest.isEmpty { return nil }
    }
    rest.removeFirst()
    return labels
  }
}
