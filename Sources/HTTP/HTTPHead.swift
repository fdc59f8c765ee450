/// Status line and header fields of a response, gathered line by line as they come.
struct HTTPHead: Sendable {
  private(set) var version = ""
  private(set) var status = 0
  private(set) var reason = ""
  private(set) var headers: [HTTPHeader] = []
  /// Whether the empty line behind it has come. What follows are trailers, or the head of a further response after an interim one.
  private(set) var isComplete = false

  /// Takes one line as libcurl hands it on, with its end.
  mutating func append(_ line: String) {
    let line = line.trimmingSuffix { $0 == "\r\n" || $0 == "\n" || $0 == "\r" }
    if line.hasPrefix("HTTP/") {
      self = HTTPHead()
      let words = line.dropFirst(5).split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
      version = words.first.map(String.init) ?? ""
      status = words.count > 1 ? Int(words[1]) ?? 0 : 0
      reason = words.count > 2 ? String(words[2]) : ""
    } else if line.isEmpty {
      isComplete = true
    } else if !isComplete {
      if line.first == " " || line.first == "\t", !headers.isEmpty {
        // A folded field (RFC 9112, section 5.2).
        headers[headers.count - 1].value += " " + line.trimmingBlanks
        return
      }
      guard let colon = line.firstIndex(of: ":") else { return }
      headers.append(HTTPHeader(line[..<colon].trimmingBlanks, line[line.index(after: colon)...].trimmingBlanks))
    }
  }
}

extension StringProtocol {
  fileprivate func trimmingSuffix(_ isTrimmed: (Character) -> Bool) -> SubSequence {
    var end = endIndex
    while end > startIndex, isTrimmed(self[index(before: end)]) { end = index(before: end) }
    return self[..<end]
  }

  fileprivate var trimmingBlanks: String {
    String(drop { $0 == " " || $0 == "\t" }.trimmingSuffix { $0 == " " || $0 == "\t" })
  }
}
