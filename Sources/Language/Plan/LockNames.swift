internal import Schema

/// The name of a lock, in which params and the target may stand; in a check its inputs.
package struct LockName: Sendable {
  var template: Template
  var range: SourceRange
}

extension Template {
  /// The inputs of a check that its expressions name, and whether they name what only a run gives.
  private var needs: (inputs: Set<String>, run: Bool) {
    switch self {
    case .literal: return ([], false)
    case .expression(let expression, _): return expression.needs
    case .text(let parts):
      return Self.union(
        parts.map { if case .expression(let expression) = $0 { expression.needs } else { ([], false) } })
    case .list(let elements): return Self.union(elements.map(\.needs))
    case .members(let members, _): return Self.union(members.map(\.value.needs))
    }
  }

  private static func union(_ needs: [(inputs: Set<String>, run: Bool)]) -> (inputs: Set<String>, run: Bool) {
    needs.reduce(into: ([], false)) { result, next in
      result.0.formUnion(next.inputs)
      result.1 = result.1 || next.run
    }
  }

  /// Whether it is known only while a run goes on.
  ///
  /// - Parameters:
  ///   - unknown: inputs of the check around that are known only then.
  ///   - isInside: true for a check that another one uses, whose own steps were looked at when that one was read.
  fileprivate func isUnknown(_ unknown: Set<String>, isInside: Bool) -> Bool {
    let needs = needs
    return !isInside && needs.run || !needs.inputs.isDisjoint(with: unknown)
  }

  fileprivate func needsInputs(_ names: Set<String>) -> Bool { !needs.inputs.isDisjoint(with: names) }

  fileprivate var needsRun: Bool { needs.run }
}

extension Expression {
  fileprivate var needs: (inputs: Set<String>, run: Bool) { (dependencies.inputs, dependencies.needsRun) }
}

extension CheckCall {
  /// Each of its inputs that the step gives, as a template.
  fileprivate var given: [(name: String, value: Template)] {
    switch input {
    case .literal(.members(let members)): members.map { ($0.name, .literal($0.value)) }
    case .members(let members, _): members
    default: []
    }
  }
}

extension [CheckedStep] {
  /// Reports the checks whose lock has a name that is known only once the run has begun: all locks are taken at its start.
  func reportUnknownLocks(log: IssueLog) {
    for checked in self { report(checked.step, at: checked.step.range, unknown: [], isInside: false, log: log) }
  }

  private func report(
    _ step: PlannedStep, at range: SourceRange, unknown: Set<String>, isInside: Bool, log: IssueLog
  ) {
    guard case .check(let check) = step.body else {
      for inner in step.body.steps { report(inner, at: range, unknown: unknown, isInside: isInside, log: log) }
      return
    }
    let late = Set(check.given.filter { $0.value.isUnknown(unknown, isInside: isInside) }.map(\.name))
    if let lock = check.lock, lock.template.needsInputs(late) {
      let names = late.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      log.error(
        "lock-not-known",
        "the lock of checks/\(check.name) is named by its input \(names), which is known only while the run goes on",
        at: range, suggestion: "give the input a param, the target or a literal: locks are taken before the first step")
    }
    guard !late.isEmpty else { return }
    for inner in check.steps { report(inner, at: range, unknown: late, isInside: true, log: log) }
  }
}

/// The names of all locks that a run takes before its first step.
struct LockNames {
  private(set) var names: Set<String> = []
  private let log: IssueLog

  init(log: IssueLog) { self.log = log }

  /// Takes in a lock, if there is one, whose names have their values in a scope.
  mutating func add(_ lock: LockName?, in scope: Scope) {
    guard let lock else { return }
    do throws(ExpressionError) {
      let name = try lock.template.value(in: scope).plainText
      if name.isEmpty {
        log.error(
          "lock-empty", "the name of the lock is empty", at: lock.range,
          suggestion: "give the param that it is made of a value")
      }
      names.insert(name)
    } catch {
      log.error(
        "no-value", "the name of the lock has no value: \(error.message)", at: error.range,
        suggestion: "guard what may be absent, or give the param a value")
    }
  }

  /// Takes in the locks of the checks that steps use, those of undo too. A step that is surely skipped takes none.
  ///
  /// - Parameter unknown: inputs of the check around that are not known yet.
  mutating func add(of steps: [PlannedStep], in scope: Scope, unknown: Set<String> = []) {
    for step in steps {
      if let condition = step.condition, !condition.dependencies.needsRun,
        condition.dependencies.inputs.isDisjoint(with: unknown), (try? condition.value(in: scope)) == .bool(false)
      {
        continue
      }
      add(of: step.undo, in: scope, unknown: unknown)
      guard case .check(let check) = step.body else {
        add(of: step.body.steps, in: scope, unknown: unknown)
        continue
      }
      var values: [Value.Member] = []
      var late: Set<String> = []
      for field in check.inputType.fields {
        let given = check.given.first { $0.name == field.name }?.value
        let isLate = given.map { $0.needsRun || $0.needsInputs(unknown) } ?? false
        let value = isLate ? nil : given.map { try? $0.value(in: scope) } ?? field.fallback
        if let value { values.append(Value.Member(field.name, value)) } else { late.insert(field.name) }
      }
      var inner = Scope()
      inner.inputs = .members(values)
      if check.lock?.template.needsInputs(late) != true { add(check.lock, in: inner) }
      add(of: check.steps, in: inner, unknown: late)
    }
  }
}
