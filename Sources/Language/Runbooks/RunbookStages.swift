internal import Journal
internal import Schema
internal import Steps

/// The steps of a runbook as they are written, by the part of the run that they belong to.
struct StageDeclarations {
  let hypothesis: [StepDeclaration]
  let steps: [StepDeclaration]
  let finally: [StepDeclaration]
  let rollback: RollbackPolicy

  init(_ reader: MappingReader<RunbookKey>, _ documents: DocumentCompiler) {
    var ids: [String: Int] = [:]
    // In the order of the file's usual form, so that of two steps with one id the second is reported.
    hypothesis = stepDeclarations(reader[.hypothesis], key: "hypothesis", ids: &ids, documents)
    steps = stepDeclarations(reader[.steps], ids: &ids, mayUndo: true, documents)
    finally = stepDeclarations(reader[.finally], key: "finally", ids: &ids, documents)
    rollback = reader.choice(.rollback) ?? .never
  }

  private var undo: [StepDeclaration] { steps.flatMap(\.undo) }

  var all: [StepDeclaration] { hypothesis + steps + undo + finally }

  /// Their names; those of the steps come first, since positions are counted from there.
  func addNames(to names: inout DocumentNames) {
    names.hasHypothesis = !hypothesis.isEmpty
    names.add(steps)
    names.add(hypothesis, of: .before)
    names.add(finally, of: .finally)
    names.add(undo, of: .undo)
  }

  /// Compiles them, each where it stands.
  func compiled(
    _ compiler: ExpressionCompiler, titleRoots: Set<Root>, log: IssueLog
  ) -> CheckedStages {
    var roots: Set<Root> = [.params, .target, .secrets, .steps, .run]
    let looking = StepCompiler(compiler: compiler, log: log, roots: roots, titleRoots: titleRoots)
    if !hypothesis.isEmpty { roots.insert(.hypothesis) }
    let acting = StepCompiler(compiler: compiler, log: log, roots: roots, titleRoots: titleRoots)
    let count = steps.totalCount
    var before = ExpressionContext(roots: looking.roots)
    before.stages = StagePlace(stage: .before, before: count..<count)
    var last = ExpressionContext(roots: roots, stepsBefore: count)
    let first = count + hypothesis.totalCount
    last.stages = StagePlace(stage: .finally, before: first..<first)
    return CheckedStages(
      hypothesis: looking.steps(hypothesis, from: before), steps: acting.steps(steps),
      finally: acting.steps(finally, from: last))
  }
}

/// The steps of a runbook that were read and checked.
struct CheckedStages {
  var hypothesis: [CheckedStep]
  var steps: [CheckedStep]
  var finally: [CheckedStep]

  /// All of them, those of undo too, in the order in which they are first come to.
  var all: [CheckedStep] { hypothesis + steps.flatMap(\.withUndo) + finally }

  /// How many steps a run has: the hypothesis is looked at up to three times.
  var expandedCount: Int { 3 * hypothesis.expandedCount + steps.expandedCount + finally.expandedCount }

  /// Reports a hypothesis that does more than look, or that holds whatever it finds.
  func checkHypothesis(at range: SourceRange?, log: IssueLog) {
    for checked in hypothesis {
      guard let (effect, use) = checked.effects.first(where: { $0.effect != .observe }) else { continue }
      let inside = use == checked.step.use ? "" : " (in \(checked.step.use))"
      log.error(
        "hypothesis-acts", "\(use)\(inside) has the effect \"\(effect.rawValue)\"; the hypothesis only looks",
        at: checked.step.range, suggestion: "move the step to \"steps\"")
    }
    if let range, !hypothesis.contains(where: \.asserts) {
      log.error(
        "nothing-asserted", "no step of the hypothesis judges anything: it would hold whatever it finds", at: range,
        suggestion: "add \"expect\" to a step that counts")
    }
  }

  /// Reports a rollback that has nothing to take back, and an undo that is never done.
  func checkRollback(_ declarations: StageDeclarations, at range: SourceRange?, log: IssueLog) {
    let undone = declarations.steps.filter { !$0.undo.isEmpty }
    switch declarations.rollback {
    case .onFailure where undone.isEmpty:
      guard let range, !declarations.steps.contains(where: { $0.reader[.undo] != nil }) else { return }
      log.error(
        "rollback-without-undo", "no step says how it is taken back: a rollback would do nothing", at: range,
        suggestion: "add \"undo\" to the steps that change something")
    case .never:
      for step in undone {
        guard let place = step.reader.keyRange(.undo) else { continue }
        log.error(
          "undo-without-rollback", "the undo is never done: the runbook does not roll back", at: place,
          suggestion: "add rollback: onFailure to the runbook")
      }
    case .onFailure: break
    }
  }
}

extension StepDeclaration {
  /// Reads `undo`, and reports one that cannot stand there.
  mutating func readUndo(ids: inout [String: Int], mayUndo: Bool, _ documents: DocumentCompiler) {
    guard let range = reader.keyRange(.undo) else { return }
    let steps = stepDeclarations(reader[.undo], key: "undo", ids: &ids, documents)
    guard mayUndo else {
      documents.log.error(
        "undo-not-here", "\"undo\" stands only on a step in the runbook's own list of steps", at: range,
        suggestion: "put it on the step of the runbook around it")
      return
    }
    undo = steps
    guard let effects, !effects.contains(.change) else { return }
    let names = effects.map(\.rawValue).sorted().joined(separator: " and ")
    documents.log.error(
      "undo-without-change", "\(useName) changes nothing that could be taken back: its effect is \(names)", at: range,
      suggestion: "leave \"undo\" out")
  }
}
