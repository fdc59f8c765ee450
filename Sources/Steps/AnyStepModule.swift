package import Journal
package import Schema

/// A module without its types: what the checker and the engine see. It never changes, and every step that uses it shares it.
package final class AnyStepModule: Sendable {
  package let name: String
  package let version: Int
  package let summary: String
  package let discussion: String
  package let effect: Effect
  package let mayOnlyObserve: Bool
  package let repetition: Repetition
  package let judges: Bool
  package let services: Set<Service>
  package let programs: [RequiredProgram]
  package let files: [String]
  package let deadline: Duration
  package let input: RecordType
  package let output: RecordType
  package let examples: [Example]

  /// One step as people would write it.
  package struct Example: Hashable, Sendable {
    package let title: String
    package let with: String
    package let expect: [String]
  }

  /// Why the step can never be done on these members within a timeout; nil if it may be, or where the input's type does
  /// not admit them.
  package let objection: @Sendable (Value, Duration) -> Finding?
  /// Does the step once, on members that the input's type admits. Secrets of the input are masked in all that comes back.
  package let run: @Sendable (Value, StepContext) async throws(StepError) -> StepResult<Value>
  /// Finds out how a beginning ended. Secrets of the input are masked in all that comes back.
  package let reconcile: @Sendable (Value, StepContext) async throws(StepError) -> Reconciliation
  /// The names of input and output fields that do not read back what was written into them.
  package let swappedFields: @Sendable () throws(Mismatch) -> [String]

  package init<Module: StepModule>(_ module: Module.Type) {
    let declaration = Module.declaration
    name = declaration.name
    version = declaration.version
    summary = declaration.summary
    discussion = declaration.discussion
    effect = declaration.effect
    mayOnlyObserve = declaration.mayOnlyObserve
    repetition = declaration.repetition
    judges = declaration.judges
    services = declaration.services
    programs = declaration.programs
    files = declaration.files
    deadline = declaration.deadline
    input = declaration.input.type
    output = declaration.output.type
    examples = declaration.examples.map { Example(title: $0.title, with: $0.with, expect: $0.expect) }
    objection = { value, timeout in
      guard let input = try? declaration.input.decode(value) else { return nil }
      return Module.objection(to: input, within: timeout)
    }
    run = { (value, context) async throws(StepError) in
      let masking = SecretMasking(secretsIn: value)
      do throws(StepError) {
        let result = try await Module().run(
          try Self.decode(value, by: declaration.input), in: context.masked(by: masking))
        return StepResult(
          output: masking.masked(declaration.output.encode(result.output), as: .record(declaration.output.type)),
          objection: result.objection.map {
            .init(severity: $0.severity == .fail ? .fail : .warn, finding: $0.finding.masked(by: masking))
          })
      } catch {
        throw error.masked(by: masking)
      }
    }
    reconcile = { (value, context) async throws(StepError) in
      let masking = SecretMasking(secretsIn: value)
      do throws(StepError) {
        let answer = try await Module().reconcile(
          try Self.decode(value, by: declaration.input), in: context.masked(by: masking))
        switch answer {
        case .done(let output?):
          return .done(masking.masked(output, as: .record(declaration.output.type)))
        case .unknown(let reason): return .unknown(masking.masked(reason))
        case .done(nil), .notDone: return answer
        }
      } catch {
        throw error.masked(by: masking)
      }
    }
    swappedFields = { () throws(Mismatch) in
      try declaration.input.swappedFields() + declaration.output.swappedFields()
    }
  }

  private static func decode<Input>(_ value: Value, by record: Record<Input>) throws(StepError) -> Input {
    do {
      return try record.decode(value)
    } catch {
      throw .notStarted(
        "input.mismatch", "\(error.path): \(error.message)",
        advice: "Correct the expression in `with` that gave this value.")
    }
  }
}

extension StepContext {
  fileprivate func masked(by masking: SecretMasking) -> Self {
    Self(
      run: run, path: path, attempt: attempt, idempotencyKey: idempotencyKey, deadline: deadline,
      services: services, origin: origin, deliveredTo: deliveredTo, isRepetition: isRepetition,
      progress: { [progress] in progress(masking.masked($0)) },
      delivered: { [delivered] answer in
        delivered(
          ChannelAnswer(
            channel: answer.channel, receipt: answer.receipt.map(masking.masked),
            answer: answer.answer.map(masking.masked), finding: answer.finding?.masked(by: masking),
            isSuppressed: answer.isSuppressed))
      },
      started: { [started] process in
        var process = process
        process.program = masking.masked(process.program)
        started(process)
      })
  }
}

extension StepError {
  fileprivate func masked(by masking: SecretMasking) -> Self {
    Self(
      kind, finding.masked(by: masking),
      learnt: learnt.map { .init($0.name, masking.masked($0.value, as: .any)) })
  }
}

extension Finding {
  fileprivate func masked(by masking: SecretMasking) -> Self {
    Self(code, masking.masked(sentence), advice: advisory.map(masking.masked))
  }
}

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
