/// Takes the samples of coturn out of a scrape in Prometheus's text format as it comes, in memory that does not grow with the number
/// of series.
package struct MetricsReader: Sendable {
  private static let longestLine = 65_536

  private var scrape = MetricsScrape()
  /// A line whose end has not come yet.
  private var line: [UInt8] = []
  private var isTooLong = false

  package init() {}

  package mutating func take(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      append(rest[..<end])
      endLine()
      rest = rest[(end + 1)...]
    }
    append(rest)
  }

  private mutating func append(_ part: ArraySlice<UInt8>) {
    let room = Self.longestLine - line.count
    if part.count > room { isTooLong = true }
    line += part.prefix(room)
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
    guard let sample = MetricsSample(line) else { return scrape.refuse(text) }
    scrape.take(sample)
  }
}

/// One line of a scrape: `turn_traffic_rcvp{realm="r.example",user="alice"} 42`.
package struct MetricsSample: Hashable, Sendable {
  package var name: String
  package var labels: [String: String] = [:]
  package var value: Double

  /// nil if the line is none.
  package init?(_ line: String) { self.init(Array(line.utf8)) }

  /// - Parameter line: in UTF-8.
  init?(_ line: [UInt8]) {
    let nameEnd = line.firstIndex { !Self.isOfName($0) } ?? line.count
    guard nameEnd > 0, nameEnd < line.count else { return nil }
    name = String(decoding: line[..<nameEnd], as: UTF8.self)
    var place = nameEnd
    if line[place] == UInt8(ascii: "{") {
      guard let labels = Self.labels(line, behind: &place) else { return nil }
      self.labels = labels
    } else if !Self.isBlank(line[place]) {
      return nil
    }
    let words = line[place...].split(whereSeparator: Self.isBlank)
    guard (1...2).contains(words.count), let value = Double(String(decoding: words[0], as: UTF8.self)) else {
      return nil
    }
    self.value = value
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }

  private static func isOfName(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ":"):
      true
    default: false
    }
  }

  /// What stands between braces.
  ///
  /// - Parameter place: of the opening brace; behind the closing one afterwards.
  private static func labels(_ line: [UInt8], behind place: inout Int) -> [String: String]? {
    var labels: [String: String] = [:]
    place += 1
    while true {
      while place < line.count, line[place] == UInt8(ascii: " ") || line[place] == UInt8(ascii: ",") { place += 1 }
      guard place < line.count else { return nil }
      if line[place] == UInt8(ascii: "}") {
        place += 1
        return labels
      }
      let start = place
      while place < line.count, isOfName(line[place]) { place += 1 }
      guard place > start, place + 1 < line.count, line[place] == UInt8(ascii: "="),
        line[place + 1] == UInt8(ascii: "\"")
      else { return nil }
      let name = String(decoding: line[start..<place], as: UTF8.self)
      place += 2
      guard let value = quoted(line, until: &place) else { return nil }
      labels[name] = value
    }
  }

  /// A value up to its closing quote; `place` is behind that afterwards.
  private static func quoted(_ line: [UInt8], until place: inout Int) -> String? {
    let start = place
    while place < line.count, line[place] != UInt8(ascii: "\""), line[place] != UInt8(ascii: "\\") { place += 1 }
    var value = Array(line[start..<place])
    while place < line.count, line[place] != UInt8(ascii: "\"") {
      if line[place] == UInt8(ascii: "\\") {
        place += 1
        guard place < line.count else { return nil }
        value.append(line[place] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : line[place])
      } else {
        value.append(line[place])
      }
      place += 1
    }
    guard place < line.count else { return nil }
    place += 1
    return String(decoding: value, as: UTF8.self)
  }
}
