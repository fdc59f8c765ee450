internal import Addresses
internal import Schema

extension ValueDecoder {
  /// What was most likely meant by a text that is no value of a type; nil if that is not known.
  func advice(on text: String, as type: ValueType) -> String? {
    if case .compiled(_, let context) = expressions, let dot = text.firstIndex(of: "."),
      let root = Root(rawValue: String(text[..<dot])), context.roots.contains(root)
    {
      return didYouMean("${\(text)}")
    }
    if let foreign = foreignExpression(in: text) { return "an expression is written \"${\(foreign.inner)}\"" }
    if let inner = withoutTypographicQuotes(text), (try? type.parse(inner)) != nil {
      return "YAML knows the quotes \" and ' only: write \(quoted(inner))"
    }
    if let advice = quantityAdvice(on: text, as: type) { return advice }
    if let advice = addressAdvice(on: text, as: type) { return advice }
    switch type {
    case .optional(let wrapped): return advice(on: text, as: wrapped)
    case .list(let element):
      let words = text.split(separator: " ")
      let arePlain = words.allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber || "-_./=+".contains($0) } }
      let isList = arePlain && !words.isEmpty && words.allSatisfy { (try? element.parse(String($0))) != nil }
      return isList ? "write a list: [\(words.joined(separator: ", "))]" : "a list is written [a, b]"
    case .map: return "a map is written {name: value}"
    case .turnURI: return uriAdvice(on: text)
    case .bool: return boolAdvice(on: text)
    case .turnServer: return serverAdvice
    default: return nil
    }
  }

  /// What older YAML and other tools take for a truth value.
  private func boolAdvice(on text: String) -> String? {
    switch text.lowercased() {
    case "yes", "y", "on", "true", "1": "write true"
    case "no", "n", "off", "false", "0": "write false"
    default: nil
    }
  }

  /// Where a server comes from, in this place; nil if no expression can stand.
  private var serverAdvice: String? {
    guard case .compiled(_, let context) = expressions else { return nil }
    if context.roots.contains(.target) {
      return "a server is a target of runbook.yaml (or TURN_SERVER), chosen with --target: write \"${target}\""
    }
    guard context.roots.contains(.inputs) else { return nil }
    return "declare an input of the type turn-server, and write \"${inputs.NAME}\""
  }

  /// The part that is due of an address or a URI that says more than that.
  private func addressAdvice(on text: String, as type: ValueType) -> String? {
    let meant: String?
    switch type {
    case .cidr: meant = IPAddress(text).map { "\(text)/\($0.family == .ipv4 ? 32 : 128)" }
    case .host, .ip, .port:
      let isWeb = ["http://", "https://"].contains { text.lowercased().hasPrefix($0) }
      let address = isWeb ? text.split(separator: "/").dropFirst().first.map(String.init) ?? "" : text
      let uri = (try? ServerURI(parsing: address)) ?? ServerURI(.turn, address: address)
      meant = type == .port ? uri?.port.map { "\($0)" } : uri?.host
    default: return nil
    }
    guard let meant, meant != text, (try? type.parse(meant)) != nil else { return nil }
    return type == .cidr
      ? "write \(meant) for this address alone" : "write \(type == .port ? "the port" : "the host") alone: \(meant)"
  }
}

/// What to write for a text that is no URI of a server: a URI for an address without a scheme; nil if that is not known.
func uriAdvice(on text: String, _ scheme: ServerURI.Scheme = .turn) -> String? {
  ServerURI(scheme, address: text).map { "write \($0)" } ?? ServerURI.mistake(in: text)?.advice
}
