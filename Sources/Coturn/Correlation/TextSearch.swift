/// Where to begin a search.
enum SearchOrder {
  case first
  case last
}

extension Substring {
  /// The place of a text of ASCII characters; nil if it is not there.
  func range(of text: String, options order: SearchOrder = .first) -> Range<Index>? {
    let (here, wanted) = (utf8, Array(text.utf8))
    guard let first = wanted.first else { return nil }
    var found: Range<Index>?
    var start = here.startIndex
    while let place = here[start...].firstIndex(of: first) {
      let rest = here[place...]
      if rest.starts(with: wanted) {
        found = place..<rest.index(place, offsetBy: wanted.count)
        if order == .first { return found }
      }
      start = here.index(after: place)
    }
    return found
  }

  /// Whether a text of ASCII characters is there.
  func contains(_ text: String) -> Bool { range(of: text) != nil }
}

extension String {
  var trimmingBlanks: String {
    var text = self[...].drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
