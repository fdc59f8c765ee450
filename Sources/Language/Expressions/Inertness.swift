internal import CEL
internal import Schema

extension NameWalk {
  /// True if the text of an expression's value can hold nothing that a shell obeys: numbers, times and addresses, names
  /// of hosts and of enumerations that were checked when they were given, and what the document itself spells out.
  func isInert(_ node: SyntaxNode, _ checked: CheckedExpression) -> Bool {
    switch node.kind {
    case .literal: return true
    case .conditional(_, let first, let second): return isInert(first, checked) && isInert(second, checked)
    case .call(nil, let function, let arguments) where function.text == "string":
      return arguments.allSatisfy { isInert($0, checked) }
    default: break
    }
    switch checked.type(of: node) {
    case .bool, .int, .uint, .double, .timestamp, .duration, .ip, .cidr, .null: return true
    default: break
    }
    guard let path = NamePath(node), let root = Root(rawValue: path.root.text),
      [.params, .inputs, .target].contains(root)
    else { return false }
    switch type(of: path, root) {
    case .host?, .ip?, .cidr?, .optional(.host)?: return true
    case .enumeration(let names)?:
      return names.allSatisfy { $0.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) } }
    default: return false
    }
  }
}
