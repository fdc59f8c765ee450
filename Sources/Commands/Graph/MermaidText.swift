import Language
import Reports
import TerminalText

/// A graph as a flowchart of Mermaid, which code hosts and wikis draw.
struct MermaidText {
  private let graph: RunGraph
  private let ids: [String: String]

  /// The longest text of a node, in characters.
  private static let longest = 120

  init(_ graph: RunGraph) {
    self.graph = graph
    // Ids of our own: a step may be called `end`, which Mermaid takes for its keyword.
    ids = Dictionary(
      uniqueKeysWithValues: graph.nodes.enumerated().map { ($0.element.path, "s\($0.offset + 1)") })
  }

  var text: String {
    var lines = ["flowchart TD", "  begin([\(label([graph.outline.name, graph.outline.title]))])"]
    lines += place(nil, indent: "  ")
    lines.append("  finish([\(label(["The run ends"]))])")
    if let first = graph.nodes(in: nil).first { lines.append("  begin --> \(entry(of: first))") }
    lines += graph.edges.flatMap(edge)
    if let last = graph.nodes(in: nil).last,
      !graph.edges.contains(where: { $0.from.path == last.path && $0.to == nil && $0.when != .failed })
    {
      lines.append("  \(id(last)) --> finish")
      if last.step.condition != nil { lines.append("  \(entry(of: last)) -.->|\(label(["no"]))| finish") }
    }
    lines.append("  classDef always stroke-width:3px")
    lines.append("  classDef uncounted stroke-dasharray:5 5")
    for (name, nodes) in [
      ("always", graph.nodes.filter(\.alwaysRuns)), ("uncounted", graph.nodes.filter(\.step.isDiagnostic)),
    ] where !nodes.isEmpty {
      lines.append("  class \(nodes.map(id).joined(separator: ",")) \(name)")
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private func id(_ node: RunGraph.Node) -> String { ids[node.path] ?? "" }

  /// What is come to first: its condition, if it has one.
  private func entry(of node: RunGraph.Node) -> String { node.step.condition == nil ? id(node) : "if_\(id(node))" }

  /// The nodes of one place, those of checks inside of a frame.
  private func place(_ parent: String?, indent: String) -> [String] {
    graph.nodes(in: parent).flatMap { node -> [String] in
      let step = node.step
      var lines: [String] = []
      if let condition = step.condition { lines.append("\(indent)\(entry(of: node)){\(label(["if " + condition]))}") }
      let title = step.title == step.id ? [step.id, step.use] : [step.id, step.title, step.use]
      if graph.nodes(in: node.path).isEmpty {
        lines.append("\(indent)\(id(node))[\(label(title))]")
      } else {
        lines.append("\(indent)subgraph \(id(node)) [\(label(title))]")
        lines += place(node.path, indent: indent + "  ")
        lines.append("\(indent)end")
      }
      if step.condition != nil { lines.append("\(indent)\(entry(of: node)) -->|\(label(["yes"]))| \(id(node))") }
      return lines
    }
  }

  /// The way on from a step, and past the next one where that has a condition. How a check ends early is no edge: what counts is
  /// the way on from the step that uses it.
  private func edge(_ edge: RunGraph.Edge) -> [String] {
    let from = id(edge.from)
    let isPassable = edge.from.step.condition != nil
    switch (edge.to, edge.when) {
    case (nil, _):
      let isLast = edge.from.path == graph.nodes(in: nil).last?.path
      guard edge.from.parent == nil else { return [] }
      switch edge.when {
      case .failed: return isLast ? [] : ["  \(from) -.->|\(label(["failed"]))| finish"]
      case .passed: return ["  \(from) -->|\(label(["passed"]))| finish"]
      case .ended: return ["  \(from) --> finish"]
      }
    case (let next?, .failed): return ["  \(from) -.->|\(label(["failed"]))| \(entry(of: next))"]
    case (let next?, let when):
      let words = when == .passed ? "|\(label(["passed"]))|" : ""
      var lines = ["  \(from) -->\(words) \(entry(of: next))"]
      if isPassable { lines.append("  \(entry(of: edge.from)) -.->|\(label(["no"]))| \(entry(of: next))") }
      return lines
    }
  }

  /// Lines of text, quoted. Mermaid reads configuration, comments, Markdown and HTML out of what it draws, also inside of quotes:
  /// whatever is neither a letter, a digit nor plain punctuation stands as its number.
  private func label(_ lines: [String]) -> String {
    "\"" + lines.map { Self.escaped(shortened($0)) }.joined(separator: "<br/>") + "\""
  }

  private func shortened(_ text: String) -> String {
    text.count <= Self.longest ? text : text.prefix(Self.longest - 1) + "…"
  }

  private static func escaped(_ text: String) -> String {
    terminalSafe(text).unicodeScalars.map { scalar in
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", " ", ".", ",", "_", "-", "(", ")", "/", "=", "+", "*", "!", "?", "'":
        String(scalar)
      case _ where scalar.properties.isAlphabetic || scalar == "…": String(scalar)
      default: "#\(scalar.value);"
      }
    }.joined()
  }
}
