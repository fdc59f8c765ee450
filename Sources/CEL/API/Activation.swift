/// A variable of an environment.
public struct Variable: Hashable, Sendable {
  /// The full name, as it was declared: `steps`, `com.example.x`.
  public let name: String
  /// The declared type.
  public let type: CELType
  /// The position in the order of declaration: where ``SlotActivation`` holds its value.
  public let slot: Int
}

/// Gives variables their values, when and if an evaluation asks for them.
///
/// A variable may be asked for more than once in an evaluation. A conforming type may make values when they are first
/// asked for.
public protocol Activation {
  /// The value of `variable`; `nil` when it has none; throws when finding out failed.
  func value(of variable: Variable) throws(EvaluationError) -> CELValue?
}

/// Values by the variables' positions: the fastest form.
public struct SlotActivation: Activation, Sendable {
  /// The values; `nil` for a variable without one.
  public var values: [CELValue?]

  /// Values in the order of ``Environment/variables``; missing ones at the end have no value.
  public init(_ values: [CELValue?]) {
    self.values = values
  }

  /// The value at the variable's position.
  public func value(of variable: Variable) throws(EvaluationError) -> CELValue? {
    variable.slot < values.count ? values[variable.slot] : nil
  }
}

/// Values by the variables' names.
public struct NamedActivation: Activation, Sendable, ExpressibleByDictionaryLiteral {
  /// The values by full names.
  public var values: [String: CELValue]

  /// Values by full names.
  public init(_ values: [String: CELValue] = [:]) {
    self.values = values
  }

  /// Values by full names.
  public init(dictionaryLiteral elements: (String, CELValue)...) {
    values = Dictionary(elements, uniquingKeysWith: { _, last in last })
  }

  /// The value of that name.
  public func value(of variable: Variable) throws(EvaluationError) -> CELValue? { values[variable.name] }
}

/// Values from a closure, asked each time a variable is read.
public struct LazyActivation: Activation {
  private let provide: (Variable) throws(EvaluationError) -> CELValue?

  /// `provide` gives the value of a variable, `nil` when it has none.
  public init(_ provide: @escaping (Variable) throws(EvaluationError) -> CELValue?) {
    self.provide = provide
  }

  /// What the closure gives.
  public func value(of variable: Variable) throws(EvaluationError) -> CELValue? { try provide(variable) }
}
