package import ArgumentParser
import Files
import Glibc
import Journal
import Language
import Ledger
import Reports
import Runs
import Schema
import TerminalText

/// `runbook approve`.
package struct ApproveCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "approve",
    abstract: "Answer a question of a run that goes on; without a run, list the questions that wait.",
    discussion: """
      A step of `manual.confirm`, `manual.form` or `manual.approve` waits until a person answers it. Without --decline the \
      answer is yes; what a form asks for is given with --form. The run records who answered, when, and in which way.

      Who may answer: those whom the step names as approvers; else the owner of the state folder, and for manual.confirm and \
      manual.form also whoever runs the run. You answer as the user that you are: there is no way to answer for another.

        runbook approve
        runbook approve 42 restart
        runbook approve 42 restart --decline --reason "not during the match"
        runbook approve 42 drain --form connections=200 --form note="agreed with support"
        runbook approve 42 restart --target all

      Exit codes: 0 the run took the answer, 2 it did not (nothing waits, another was faster, you may not answer, a value is \
      wrong), 3 nobody can tell.
      """)

  @Argument(
    help: ArgumentHelp("The run's number, its id or a unique beginning of that, or last.", valueName: "run"),
    completion: ProjectCompletion.waitingRuns)
  var reference: String?

  @Argument(
    help: ArgumentHelp("The step that asks: its id, or its path.", valueName: "step"),
    completion: ProjectCompletion.waitingSteps)
  var step: String?

  @Flag(help: "Say no: the step fails.") var decline = false

  @Option(
    help: ArgumentHelp("What a form asks for; may be repeated.", valueName: "name=value"))
  var form: [GivenParameter] = []

  @Option(help: ArgumentHelp("Why, for the record.", valueName: "text")) var reason: String?

  @Option(
    help: ArgumentHelp("In a run over several targets: the target whose run asks, or all.", valueName: "target"),
    completion: ProjectCompletion.targets)
  var target: String?

  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func validate() throws {
    if step == nil, decline || !form.isEmpty || reason != nil {
      throw ValidationError("an answer needs the run and the step that asks: runbook approve RUN STEP")
    }
    if decline, !form.isEmpty { throw ValidationError("--decline and --form exclude each other") }
    if let reason, reason.count > AnswerFile.longestReason {
      throw ValidationError("--reason takes at most \(AnswerFile.longestReason) characters; found \(reason.count)")
    }
    try GivenParameter.refuseRepetition(in: form, option: "--form")
  }

  package func run() async throws {
    let project = try options.load()
    do {
      let runs =
        if let reference { try family(of: project.ledger.run(reference)) } else { try goingOn(in: project.ledger) }
      let questions = runs.flatMap(AskedQuestion.all)
      guard let reference, let step else {
        show(questions.map { (question: $0, taken: nil) })
        return
      }
      let chosen = try choose(step, of: reference, among: questions, in: runs)
      try await answer(chosen, by: AnswerRules(owner: project.stateOwner, user: 0))
    } catch let error as JournalError {
      throw CommandFailure(error)
    } catch LedgerError.unreadable(let error) {
      throw CommandFailure(error)
    } catch let error as LedgerError {
      throw CommandFailure(.invalid, error.message, advice: error.advice)
    }
  }

  // MARK: Which questions

  /// A run, and those of its targets if it has some.
  private func family(of folder: RunFolder) throws(JournalError) -> [RecordedRun] {
    let run = try RecordedRun.read(folder)
    return [run] + run.childRuns().runs
  }

  /// Those that cannot be read wait for nothing that could be answered; `runbook history` names them.
  private func goingOn(in ledger: Ledger) throws(JournalError) -> [RecordedRun] {
    try ledger.runsThatGoOn().compactMap { try? RecordedRun.read($0) }
  }

  /// The questions that are meant.
  private func choose(
    _ step: String, of reference: String, among questions: [AskedQuestion], in runs: [RecordedRun]
  ) throws(CommandFailure) -> [AskedQuestion] {
    var found = questions.filter { $0.path == step }
    if found.isEmpty { found = questions.filter { $0.waiting.asked.path.id == step } }
    if let target, target != "all" { found = found.filter { $0.run.started.target?.name == target } }
    guard !found.isEmpty else { throw nothingWaits(step, of: reference, among: questions, in: runs) }
    let paths = Set(found.map(\.path))
    guard paths.count == 1 else {
      throw CommandFailure(
        .invalid, "several steps are called \(step): \(paths.sorted().joined(separator: ", "))",
        advice: "name the step by its path")
    }
    guard found.count == 1 || target != nil else {
      let names = found.compactMap { $0.run.started.target?.name }
      throw CommandFailure(
        .invalid, "the step \(step) asks on several targets: \(names.joined(separator: ", "))",
        advice: "choose one with --target, or all with --target all")
    }
    return found
  }

  private func nothingWaits(
    _ step: String, of reference: String, among questions: [AskedQuestion], in runs: [RecordedRun]
  ) -> CommandFailure {
    let place = target.map { $0 == "all" ? "" : " on \($0)" } ?? ""
    if let answered = runs.lazy.compactMap({ $0.lastAnswer(to: step) }).first, questions.isEmpty {
      return CommandFailure(
        .invalid, "\(step)\(place) of run \(reference) waits no longer: \(answered)",
        advice: "runbook report \(reference)")
    }
    if !questions.isEmpty {
      let near = nearName(to: step, among: questions.map(\.path)).map { "did you mean \($0)?" }
      let list = Set(questions.map(\.path)).sorted().joined(separator: ", ")
      return CommandFailure(
        .invalid, "no step \(step)\(place) of run \(reference) waits for an answer",
        advice: near ?? "these do: \(list)")
    }
    let end = runs.first.map { $0.isFinished ? "it has ended" : $0.isBeingWritten ? "it goes on" : "it died" } ?? ""
    return CommandFailure(
      .invalid, "nothing of run \(reference) waits for an answer: \(end)",
      advice: "`runbook approve` lists what waits")
  }

  // MARK: Answering

  private func answer(_ questions: [AskedQuestion], by rules: AnswerRules) async throws {
    var answers: [(question: AskedQuestion, taken: PersonAnswered?)] = []
    var failure: CommandFailure?
    for question in questions {
      do throws(CommandFailure) { answers.append((question, try await answer(question, rules))) } catch {
        answers.append((question, nil))
        failure = failure ?? error
      }
    }
    show(answers)
    if var failure {
      failure.isAfterOutput = true
      throw failure
    }
  }

  private func answer(_ question: AskedQuestion, _ rules: AnswerRules) async throws(CommandFailure) -> PersonAnswered {
    var rules = rules
    rules.user = question.run.started.actor.euid
    let (asked, waiting) = (question.waiting.asked, question.waiting)
    if let refusal = rules.refusal(of: Int(geteuid()), approvers: asked.approvers, isApproval: waiting.isApproval) {
      throw CommandFailure(.invalid, "\(question.name): \(refusal)", advice: "ask one of them to answer")
    }
    var values: [String: String] = [:]
    for given in form { values[given.name] = given.value }
    if !decline { try check(values, question) }
    let file = AnswerFile(digest: asked.digest, accepted: !decline, values: values, reason: reason)
    do { try file.send(to: question.run.folder) } catch {
      guard !error.isMissing else { throw tooLate(question) }
      throw CommandFailure(
        .error, "\(question.name): the answer cannot be brought to the run: \(error.message)",
        advice: "the state folder must be one that you may write to: see `approvers` in docs/language.md")
    }
    return try await outcome(of: question)
  }

  /// What is wrong is said here, before the run is told; the run looks again.
  private func check(_ values: [String: String], _ question: AskedQuestion) throws(CommandFailure) {
    let fields = question.waiting.fields
    let names = fields.map(\.name)
    for name in values.keys.sorted() where !names.contains(name) {
      let near = nearName(to: name, among: names).map { "did you mean \($0)?" }
      throw CommandFailure(
        .invalid, "\(question.name) has no field \(name)",
        advice: near ?? (names.isEmpty ? "it is answered with yes or no" : "it has \(names.joined(separator: ", "))"))
    }
    for field in fields {
      do throws(Mismatch) { _ = try field.filled(values[field.name]) } catch {
        throw CommandFailure(
          .invalid, "\(question.name): \(error.path): \(error.message)", advice: "give it with --form \(field.name)=…")
      }
    }
  }

  private func tooLate(_ question: AskedQuestion) -> CommandFailure {
    CommandFailure(
      .invalid, "\(question.name) waits no longer: the run has ended",
      advice: "runbook report \(question.reference)")
  }

  /// How long a run may need to take an answer.
  private static let patience = Duration.seconds(10)

  /// Waits until the run has taken or refused the answer.
  private func outcome(of question: AskedQuestion) async throws(CommandFailure) -> PersonAnswered {
    let uid = Int(geteuid())
    let asked = question.waiting.asked
    let before = question.run.refusals(of: asked).count
    let end = ContinuousClock.now + Self.patience
    while true {
      let run: RecordedRun
      do throws(JournalError) { run = try RecordedRun.read(question.run.folder) } catch { throw CommandFailure(error) }
      if let answer = run.answer(to: asked) {
        if answer.uid == uid, answer.accepted != decline { return answer }
        throw CommandFailure(
          .invalid, "\(question.name): \(answer.user) was faster and \(answer.accepted ? "agreed" : "declined")")
      }
      if let refused = run.refusals(of: asked).dropFirst(before).last(where: { $0.uid == uid }) {
        throw CommandFailure(.invalid, "\(question.name): the run did not take the answer: \(refused.reason)")
      }
      guard run.waitingQuestions.contains(where: { $0.asked == asked }) else { throw tooLate(question) }
      guard ContinuousClock.now < end else {
        throw CommandFailure(
          .error, "\(question.name): the run has not taken the answer within \(shortDuration(Self.patience))",
          advice: "runbook report \(question.reference) tells whether it did later")
      }
      try? await Task.sleep(for: .milliseconds(100))
    }
  }

  // MARK: Showing

  private func show(_ questions: [(question: AskedQuestion, taken: PersonAnswered?)]) {
    switch format {
    case .json:
      let json: JSON = [
        "schema": "runbook.questions/1",
        "questions": .array(questions.map { $0.question.json(answer: $0.taken) }),
      ]
      Terminal.standardOutput.write(json.text(.indented) + "\n")
    case .text:
      let text = step == nil ? list(questions.map(\.question)) : told(questions)
      Terminal.standardOutput.write(text)
    }
  }

  private func list(_ questions: [AskedQuestion]) -> String {
    guard !questions.isEmpty else { return "nothing waits for an answer\n" }
    let now = Moment.now().wall
    return questions.map { question in
      let text = QuestionText(
        run: question.reference, title: question.waiting.step.title, asked: question.waiting.asked, now: now,
        offset: localOffset(at:))
      let head = "run \(question.reference) of \(terminalSafe(question.run.started.runbook))\(question.place)\n"
      return head + text.lines(width: Terminal.standardOutput.pageWidth).map { $0 + "\n" }.joined()
    }.joined(separator: "\n")
  }

  private func told(_ answers: [(question: AskedQuestion, taken: PersonAnswered?)]) -> String {
    answers.compactMap { question, taken in
      taken.map { "\(terminalSafe(question.name)): \(terminalSafe($0.user)) \($0.accepted ? "agreed" : "declined")\n" }
    }.joined()
  }
}

/// A question that waits, and whose it is.
struct AskedQuestion {
  let run: RecordedRun
  let waiting: WaitingQuestion

  static func all(of run: RecordedRun) -> [AskedQuestion] {
    run.waitingQuestions.map { AskedQuestion(run: run, waiting: $0) }
  }

  var path: String { waiting.asked.path.description }
  /// Of the run: its number, or the id of one that has none.
  var reference: String { run.started.number > 0 ? "\(run.started.number)" : run.id }
  /// ` on frankfurt`.
  var place: String { run.started.target.map { " on \(terminalSafe($0.name))" } ?? "" }
  var name: String { "\(path) of run \(reference)\(run.started.target.map { " on \($0.name)" } ?? "")" }

  private static func json(_ answer: PersonAnswered) -> JSON {
    ["accepted": .bool(answer.accepted), "user": .string(answer.user)]
  }

  /// One question of `runbook.questions/1`, as `docs/people.md` describes it.
  func json(answer: PersonAnswered?) -> JSON {
    let asked = waiting.asked
    return [
      "run": .string(run.id), "number": .int(Int64(run.started.number)),
      "parent": run.started.parent.map(JSON.string) ?? .null,
      "runbook": .string(run.started.runbook), "target": run.started.target.map { .string($0.name) } ?? .null,
      "step": .string(path), "title": .string(waiting.step.title), "use": .string(waiting.step.use),
      "question": .string(asked.question),
      "form": .array(
        waiting.fields.map { ["name": .string($0.name), "type": .string($0.type.description)] }),
      "approvers": asked.approvers.map { Approvers.record.encode($0).json } ?? .null,
      "askedAt": .string(waiting.askedAt.description),
      "until": asked.expires.map { .string($0.description) } ?? .null, "digest": .string(asked.digest),
      "answer": answer.map(Self.json) ?? .null,
    ]
  }
}

extension RecordedRun {
  /// How a step that asked was answered last, for people; nil if it never was.
  fileprivate func lastAnswer(to step: String) -> String? {
    for recorded in events.reversed() {
      switch recorded.event {
      case .personAnswered(let answer) where answer.path.description == step || answer.path.id == step:
        let moment = momentText(recorded.moment.wall, offset: localOffset(at:))
        return "\(answer.user) \(answer.accepted ? "agreed" : "declined") at \(moment)"
      case .stepFinished(let finished)
      where finished.path.description == step && finished.finding?.code == "person.absent":
        return finished.finding?.message
      default: continue
      }
    }
    return nil
  }
}
