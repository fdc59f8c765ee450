internal import Addresses
internal import Schema

extension ValueDecoder {
  /// What was most likely meant by a text that is no value of a type; nil where that is not known.
  func advice(on text: String, as type: ValueType) -> String? {
    if case .compiled(_, let place) = expressions, let dot = text.firstIndex(of: "."),
      let root = Root(rawValue: String(text[..<dot])), place.roots.contains(root)
    {
      return "did you mean \"${\(text)}\"?"
    }
    switch type {
    case .optional(let wrapped): return advice(on: text, as: wrapped)
    case .list(let element):
      let words = text.split(separator: " ")
      let arePlain = words.allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber || "-_./=+".contains($0) } }
      let isList = arePlain && !words.isEmpty && words.allSatisfy { (try? element.parse(String($0))) != nil }
      return isList ? "write a list: [\(words.joined(separator: ", "))]" : "a list is written [a, b]"
    case .map: return "a map is written {name: value}"
    case .turnURI: return uriAdvice(on: text)
    default: return nil
    }
  }
}

/// What to write for a text that is no URI of a server: a URI for an address without a scheme; nil where that is not known.
func uriAdvice(on text: String, _ scheme: ServerURI.Scheme = .turn) -> String? {
  ServerURI(scheme, address: text).map { "write \($0)" } ?? ServerURI.mistake(in: text)?.advice
}
