import Journal
import Language
import Schema

/// The steps of a runbook or check, and in which order they are come to.
struct RunGraph {
  struct Node {
    /// Its place: `turn/relay`.
    let path: String
    /// Of the step that uses the check in which it stands; nil outside of one.
    let parent: String?
    let step: Outline.Step
    /// Whether it is come to, and run, whatever the steps before it come to.
    let alwaysRuns: Bool

    enum Kind: String {
      case module
      case check
      case parallel
      case forEach
      case phase
      case question
      /// One of the parts of a run besides its steps, with the steps in it.
      case stage
    }

    var kind: Kind {
      if ["hypothesis", "undo", "finally"].contains(step.use) { return .stage }
      if Question.Kind.allCases.contains(where: { $0.use == step.use }) { return .question }
      return Kind(rawValue: step.use) ?? (step.use.hasPrefix("checks/") ? .check : .module)
    }
  }

  /// From one step to the next in the same place.
  struct Edge {
    let from: Node
    /// Nil for the end of the place: no further step of it begins.
    let to: Node?
    let when: When

    enum When: String {
      /// However the step ended.
      case ended
      /// Unless it failed or could not be done.
      case passed
      case failed
    }
  }

  let outline: Outline
  private(set) var nodes: [Node] = []
  private(set) var edges: [Edge] = []

  init(_ outline: Outline) {
    self.outline = outline
    let (steps, last) = outline.staged
    add(steps, in: nil, alwaysRuns: true)
    let main = nodes(in: nil)
    for step in last { add([step], in: nil, alwaysRuns: step.use == "finally") }
    connect(main, with: nodes(in: nil).dropFirst(main.count))
  }

  /// Leads to the stages behind the steps: what ends the run leads to the first of them, the undo to the next, and a run that passes
  /// past the undo.
  private mutating func connect(_ main: [Node], with last: ArraySlice<Node>) {
    guard let first = last.first else { return }
    edges = edges.map { edge in
      edge.to == nil && edge.from.parent == nil ? Edge(from: edge.from, to: first, when: edge.when) : edge
    }
    let onward = last.first { $0.step.use != "undo" }
    if let end = main.last { edges.append(Edge(from: end, to: onward, when: end.step.mayStop ? .passed : .ended)) }
    if first.step.use == "undo" { edges.append(Edge(from: first, to: onward, when: .ended)) }
  }

  private mutating func add(_ steps: [Outline.Step], in parent: Node?, alwaysRuns: Bool) {
    var mayHaveStopped = false
    var last: Node?
    let isSequence = parent?.kind != .parallel
    for step in steps {
      let path = (parent.map { $0.path.hasSuffix(":") ? $0.path : $0.path + "/" } ?? "") + step.id
      let node = Node(
        path: path, parent: parent?.path, step: step,
        alwaysRuns: alwaysRuns && step.condition == nil && !(isSequence && mayHaveStopped))
      if isSequence, let last { edges.append(Edge(from: last, to: node, when: last.step.mayStop ? .passed : .ended)) }
      nodes.append(node)
      add(step.steps, in: node, alwaysRuns: node.alwaysRuns)
      if isSequence, step.mayStop {
        edges.append(Edge(from: node, to: nil, when: .failed))
        mayHaveStopped = true
      }
      last = node
    }
  }

  func nodes(in parent: String?) -> [Node] { nodes.filter { $0.parent == parent } }

  /// `runbook.graph/1`, as `docs/graph.md` describes it.
  var json: JSON {
    [
      "schema": "runbook.graph/1", "name": .string(outline.name), "title": .string(outline.title),
      "nodes": .array(nodes.map(\.json)), "edges": .array(edges.map(\.json)),
    ]
  }
}

extension Outline.Step {
  /// Whether no further step begins behind it where it fails.
  fileprivate var mayStop: Bool { onFailure == .stop && !isDiagnostic && effects != [.notify] }
}

extension RunGraph.Node {
  fileprivate var json: JSON {
    [
      "path": .string(path), "parent": parent.map(JSON.string) ?? .null, "kind": .string(kind.rawValue),
      "title": .string(step.title), "use": .string(step.use), "effect": .string(step.effect.rawValue),
      "effects": .array(step.effects.sorted().map { .string($0.rawValue) }),
      "group": .object(step.group.map { JSON.Member($0.name, .string($0.value)) }),
      "if": step.condition.map(JSON.string) ?? .null, "onFailure": .string(step.onFailure.rawValue),
      "diagnostic": .bool(step.isDiagnostic), "alwaysRuns": .bool(alwaysRuns),
      "tries": .int(Int64((step.retry?.times ?? 0) + 1)), "expectations": .int(Int64(step.expectations.count)),
    ]
  }
}

extension RunGraph.Edge {
  fileprivate var json: JSON {
    ["from": .string(from.path), "to": to.map { .string($0.path) } ?? .null, "when": .string(when.rawValue)]
  }
}
