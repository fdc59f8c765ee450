/// The modules that runbooks can use, by name.
package struct Catalog: Sendable {
  private let byName: [String: AnyStepModule]
  /// In the order in which they were given.
  package let modules: [AnyStepModule]

  /// Where two modules share a name, the first is meant; the conformance suite forbids it.
  package init(_ modules: [AnyStepModule]) {
    self.modules = modules
    byName = Dictionary(modules.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  package subscript(_ name: String) -> AnyStepModule? { byName[name] }

  package var names: [String] { modules.map(\.name) }
}
