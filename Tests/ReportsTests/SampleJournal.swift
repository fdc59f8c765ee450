import Journal
import Schema

/// Journals as runs write them, put together in memory.
struct SampleJournal {
  private var events: [RecordedEvent] = []
  private var milliseconds: Int64 = 0
  var isBeingWritten = false
  var tornBytes = 0

  static let id = "01KBHYXV80ABCDEFGHJKMNPQRS"
  var id = Self.id

  init(runbook: String = "daily-health", target: String? = "lab", parent: String? = nil, volatile: Bool = false) {
    add(
      .runStarted(
        RunStarted(
          runbook: runbook, title: "Daily health of a TURN server", number: volatile ? 0 : 42, severity: "P3",
          target: target.map { TargetFacts(name: $0) }, parent: parent,
          params: .members([.init("packets", .int(50)), .init("password", .string(Secret.mask))]),
          tool: ToolFacts(version: "0.1.0"),
          host: "turn-1", user: "ops", pid: 4711, sources: [], volatile: volatile)))
  }

  mutating func add(_ event: Event, after wait: Duration = .milliseconds(1)) {
    milliseconds += wait.components.seconds * 1000 + wait.components.attoseconds / 1_000_000_000_000_000
    let wall = Timestamp(
      seconds: 1_795_248_000 + milliseconds / 1000, nanoseconds: Int32(milliseconds % 1000) * 1_000_000)
    events.append(
      RecordedEvent(
        seq: events.count + 1,
        moment: Moment(wall: wall ?? .unixEpoch, monotonic: milliseconds * 1_000_000, boot: "b"), event: event))
  }

  mutating func start(
    _ path: String, _ title: String, use: String, diagnostic: Bool = false, output: [(String, ValueType)] = []
  ) {
    if !output.isEmpty { declare(use, output) }
    add(
      .stepStarted(
        StepStarted(
          path: StepPath(path), title: title, use: use, effect: .observe, input: .members([]), diagnostic: diagnostic)))
  }

  mutating func plan(_ paths: [String], targets: [String] = []) {
    let steps = paths.map { path in
      PlannedStepFacts(path: StepPath(path), title: "Title of \(path)", use: "m", effect: .observe)
    }
    add(.runPlanned(RunPlanned(steps: steps, targets: targets)))
  }

  mutating func declare(_ use: String, _ output: [(String, ValueType)]) {
    let fields = output.map { FieldDeclaration(name: $0.0, type: $0.1, summary: "") }
    add(
      .typesDeclared(
        TypesDeclared(use: use, version: 1, input: .any, output: .record(RecordType(fields: fields)))))
  }

  mutating func tryOnce(
    _ path: String, attempt: Int = 1, outcome: Outcome = .pass, output: Value = .null, finding: Finding? = nil,
    duration: Duration = .microseconds(12_100)
  ) {
    add(.stepIntent(StepIntent(path: StepPath(path), attempt: attempt, key: "k")))
    add(
      .stepResult(
        StepResultRecorded(
          path: StepPath(path), attempt: attempt, outcome: outcome, output: output, finding: finding, notStarted: false,
          duration: duration)), after: duration)
  }

  mutating func finish(
    _ path: String, _ outcome: Outcome = .pass, finding: Finding? = nil, expectations: [JudgedExpectation] = [],
    attempts: Int = 1, output: Value = .null, duration: Duration = .microseconds(12_345)
  ) {
    add(
      .stepFinished(
        StepFinished(
          path: StepPath(path), outcome: outcome, finding: finding, expectations: expectations, attempts: attempts,
          output: output, duration: duration)))
  }

  mutating func skip(_ path: String, _ title: String, use: String, reason: String) {
    add(.stepSkipped(StepSkipped(path: StepPath(path), title: title, use: use, effect: .observe, reason: reason)))
  }

  mutating func end(_ outcome: Outcome, finding: Finding? = nil, signal: Int? = nil, duration: Duration = .seconds(3)) {
    add(.runFinished(RunFinished(outcome: outcome, finding: finding, signal: signal, duration: duration)))
  }

  var run: RecordedRun {
    guard case .runStarted(let started)? = events.first?.event else { preconditionFailure("a journal begins with it") }
    return RecordedRun(
      folder: RunFolder("/srv/turn/.runbook/runs/\(id)"), id: id, started: started, events: events,
      tornBytes: tornBytes, isBeingWritten: isBeingWritten)
  }
}

func expectation(
  _ that: String, _ verdict: JudgedExpectation.ExpectationVerdict, _ severity: JudgedExpectation.Severity = .fail,
  message: String? = nil, actual: [(String, Value, ValueType)] = [], error: String? = nil
) -> JudgedExpectation {
  JudgedExpectation(
    that: that, verdict: verdict, severity: severity, message: message,
    actual: actual.map {
      ActualValue(
        expression: $0.0, field: $0.0.hasPrefix("output.") ? String($0.0.dropFirst("output.".count)) : nil,
        value: $0.1, type: $0.2)
    }, error: error)
}

extension SampleJournal {
  /// Every step passes.
  static var passing: SampleJournal {
    var journal = SampleJournal()
    journal.stun()
    journal.disk()
    journal.end(.pass, duration: .milliseconds(1532))
    return journal
  }

  /// A relay that loses packets, a realm and a load that are worth a warning, a step that was not run.
  static var failing: SampleJournal {
    var journal = SampleJournal()
    journal.stun()
    journal.start("turn", "TURN relays media", use: "checks/turn-relay")
    journal.start(
      "turn/relay", "Packets come back through two allocations", use: "turn.relay",
      output: [("loss", .percent), ("rtt", .rtt)])
    let output = Value.members([
      .init("server", .string("192.0.2.7:3478")), .init("sent", .int(50)), .init("lost", .int(6)),
      .init("loss", .double(12)),
      .init("rtt", .members([.init("p50", .string("1.2ms")), .init("p95", .string("4.217338ms"))])),
    ])
    journal.tryOnce("turn/relay", output: output, duration: .seconds(1))
    journal.add(
      .stepWaiting(StepWaiting(path: "turn/relay", attempt: 1, delay: .seconds(1), reason: "fail")),
      after: .seconds(1))
    journal.tryOnce("turn/relay", attempt: 2, output: output, duration: .milliseconds(1100))
    journal.finish(
      "turn/relay", .fail,
      expectations: [
        expectation(
          "output.loss <= inputs.maxLoss", .broken,
          actual: [("output.loss", .double(12), .percent), ("inputs.maxLoss", .double(1), .percent)]),
        expectation(
          "output.rtt.p95 <= inputs.maxRtt", .holds,
          actual: [
            ("output.rtt.p95", .string("4.217338ms"), .duration), ("inputs.maxRtt", .string("500ms"), .duration),
          ]),
      ], attempts: 2, duration: .milliseconds(3104))
    journal.finish("turn", .fail, attempts: 0, duration: .milliseconds(3106))
    journal.realm()
    journal.disk()
    journal.start("load", "The host keeps up", use: "host.load")
    journal.tryOnce("load", output: .members([.init("load1", .double(6.82)), .init("perProcessor", .double(3.41))]))
    journal.finish(
      "load", .warn,
      expectations: [
        expectation(
          "output.perProcessor < 2.0", .broken, .warn, message: "more work than processors",
          actual: [("output.perProcessor", .double(3.41), .double)])
      ])
    journal.skip("cleanup", "Old files are removed", use: "command.run", reason: "turn failed")
    journal.end(.fail, duration: .milliseconds(4871))
    return journal
  }

  mutating func stun() {
    start("stun", "STUN tells clients their address", use: "checks/stun-binding", output: [("rtt", .duration)])
    start("stun/binding", "Binding requests are answered in time", use: "stun.binding", output: [("rtt", .rtt)])
    tryOnce(
      "stun/binding",
      output: .members([
        .init("responses", .int(5)), .init("rtt", .members([.init("p95", .string("850.123us"))])),
      ]))
    finish(
      "stun/binding",
      expectations: [
        expectation(
          "output.rtt.p95 <= inputs.maxRtt", .holds, actual: [("output.rtt.p95", .string("850.123us"), .duration)])
      ])
    finish("stun", attempts: 0, output: .members([.init("rtt", .string("850.123us"))]))
  }

  mutating func realm() {
    let finding = Finding(
      "turn.realmMismatch",
      "turn:turn.example.net accepts the credentials in the realm \"example.net\", not in \"example.org\".",
      advice: "Look at the server's realm (coturn: realm= in turnserver.conf), or change the target's.")
    let output = Value.members([.init("realm", .string("example.net"))])
    start("realm", "Clients' keys are of the server's realm", use: "turn.allocate")
    tryOnce("realm", outcome: .warn, output: output, finding: finding)
    finish("realm", .warn, finding: finding)
  }

  mutating func disk() {
    start("disk", "The disk has room", use: "host.disk", output: [("used", .percent), ("available", .byteSize)])
    tryOnce(
      "disk",
      output: .members([
        .init("path", .string("/")), .init("used", .double(41.23456)), .init("available", .int(80_550_051_840)),
      ]))
    finish(
      "disk",
      expectations: [expectation("output.used < 90.0", .holds, actual: [("output.used", .double(41.23456), .percent)])])
  }
}

extension ValueType {
  /// Two of the figures of a round-trip time.
  fileprivate static var rtt: ValueType {
    .record(
      RecordType(
        fields: ["p50", "p95"].map { FieldDeclaration(name: $0, type: .duration, summary: "") }))
  }
}
