import CEL

extension ConformanceCase {
  /// What differs from the expectation; `nil` when nothing does.
  func failure() -> String? {
    let environment = makeEnvironment()
    let program: CELProgram
    do throws(CompileError) {
      let parsed = try environment.parse(expr)
      if disableCheck == true {
        program = environment.program(unchecked: parsed)
      } else {
        let checked = try environment.check(parsed)
        if let expected = expect.deducedType?.type, checked.type != expected {
          return "the type is \(checked.type), expected \(expected)"
        }
        if checked.type.containsDyn, !checked.bringsInDyn() {
          return "the type is \(checked.type), though nothing brings in dyn"
        }
        program = environment.program(checked)
      }
    } catch {
      return expect.error == nil ? "does not compile: \(error)" : nil
    }
    return checkOnly == true ? nil : failure(of: program)
  }

  private func failure(of program: CELProgram) -> String? {
    let activation = NamedActivation((bindings ?? [:]).mapValues(\.value))
    do throws(EvaluationError) {
      let value = try program.evaluate(activation)
      if !value.belongs(to: program.type) { return "the value \(value) is not of type \(program.type)" }
      guard let expected = correctedValue ?? expect.value?.value else {
        return "the value is \(value), expected an error"
      }
      return value.isSame(as: expected) ? nil : "the value is \(value), expected \(expected)"
    } catch {
      return expect.error == nil ? "fails: \(error)" : nil
    }
  }

  /// The expected value of the two cases whose value was spoilt when the suite was turned into JSON: Python's reader of the
  /// text format leaves the escape `\?` (a plain `?`) in octets as it is, `protoc` and the reference evaluator do not.
  private var correctedValue: CELValue? {
    let isSpoilt = section == "bytes_literals" && name.hasSuffix("_unescaped_punctuation")
    return isSpoilt && expect.value?.value == .bytes(Array(" \\? \" ' ` ".utf8))
      ? .bytes(Array(" ? \" ' ` ".utf8)) : nil
  }

  private func makeEnvironment() -> CELEnvironment {
    var environment = CELEnvironment(container: container ?? "")
    environment.hasMacros = disableMacros != true
    // The one message of the suite that no well-known type covers.
    environment.declare(
      record: CELRecordType("cel.expr.conformance.proto2.TestRequired", fields: [.init("required_int32", .int)]))
    for declaration in declarations ?? [] {
      if let type = declaration.type?.type { environment.declare(variable: declaration.name, type: type) }
      for overload in declaration.function ?? [] {
        environment.declare(
          function: declaration.name,
          Overload(
            overload.id, overload.params.map(\.type), overload.result.type, isMember: overload.member,
            implementation: .none))
      }
    }
    return environment
  }
}

extension CELValue {
  /// Exactly the same; NaN is the same as NaN, and types are compared by name.
  fileprivate func isSame(as other: CELValue) -> Bool {
    switch (self, other) {
    case (.double(let a), .double(let b)): a == b && a.sign == b.sign || (a.isNaN && b.isNaN)
    case (.list(let a), .list(let b)): a.count == b.count && zip(a, b).allSatisfy { $0.isSame(as: $1) }
    case (.map(let a), .map(let b)):
      a.count == b.count
        && zip(b.keys, b.values).allSatisfy { key, value in
          a.keys.contains(key) && a[key].map { $0.isSame(as: value) } == true
        }
    default: self == other
    }
  }
}

extension CheckedExpression {
  /// Whether an input, a mixed or empty aggregate, `dyn()` or the name of a type with parameters is in the expression.
  func bringsInDyn() -> Bool {
    var pending = [root]
    while let node = pending.popLast() {
      switch (node.kind, reference(of: node)) {
      case (.identifier, .constant(.type)?): return true
      case (_, .variable(let variable)?) where variable.type.containsDyn: return true
      case (.call, .function("dyn", _)?): return true
      case (.list(let elements), _):
        if elements.isEmpty || Set(elements.map { type(of: $0.value) }).count > 1 { return true }
      case (.map(let entries), _):
        if entries.isEmpty || Set(entries.map { type(of: $0.key) }).count > 1
          || Set(entries.map { type(of: $0.value) }).count > 1
        {
          return true
        }
      case (.call(_, _, let arguments), .function(let name, _)?):
        // The greatest of numbers of several types is of any of them.
        let isExtreme = name == "math.greatest" || name == "math.least"
        if isExtreme, Set(arguments.map { type(of: $0) }).count > 1 { return true }
        if name == "optional.none" { return true }
      case (.record(let type, _), _) where type.text.hasSuffix("Value"): return true
      default: break
      }
      pending += node.children
    }
    return false
  }
}
