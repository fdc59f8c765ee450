import Journal
import Schema

@testable import Reports

/// Runs of the kinds that every form of a report must tell rightly.
extension RunReport {
  static var passing: RunReport { RunReport(SampleJournal.passing.run) }
  static var failing: RunReport { RunReport(SampleJournal.failing.run) }

  /// A run that a signal ended between two steps: what ran had passed.
  static var signalled: RunReport {
    var journal = SampleJournal()
    journal.disk()
    journal.add(.runSignalled(RunSignalled(signal: 15)))
    journal.skip("turn", "TURN relays media", use: "checks/turn-relay", reason: "the run was ended by signal 15")
    journal.end(.pass, signal: 15)
    return RunReport(journal.run)
  }

  /// A run that died in its second step, before its third.
  static var died: RunReport {
    var journal = SampleJournal()
    journal.plan(["disk", "restart", "turn"])
    journal.disk()
    journal.start("restart", "coturn is restarted", use: "service.restart")
    return RunReport(journal.run)
  }

  /// A run whose own timeout passed while every step was well.
  static var timedOut: RunReport {
    var journal = SampleJournal()
    journal.disk()
    journal.end(.error, finding: Finding("run.timeout", "the run did not end within its timeout of 3s"))
    return RunReport(journal.run)
  }

  /// No step was due.
  static var nothingRan: RunReport {
    var journal = SampleJournal()
    journal.skip("disk", "The disk has room", use: "host.disk", reason: "its condition is false")
    journal.end(.skipped)
    return RunReport(journal.run)
  }

  /// A step that fails and is not counted.
  static var diagnostic: RunReport {
    var journal = SampleJournal()
    journal.disk()
    journal.start("look", "What the log says", use: "command.run", diagnostic: true)
    journal.finish("look", .fail, finding: Finding("command.failed", "sh ended with exit code 3"))
    journal.end(.pass)
    return RunReport(journal.run)
  }

  /// Three targets: of the first the journal is at hand, of the second its parent alone tells, the third was never begun.
  static var fleet: RunReport {
    var first = SampleJournal.failing
    first.id = "01KBHYXV80ABCDEFGHJKMNPQR1"
    var parent = SampleJournal(target: nil)
    parent.add(.childStarted(ChildStarted(run: first.id, target: "eu-1")))
    parent.add(.childStarted(ChildStarted(run: "01KBHYXV80ABCDEFGHJKMNPQR2", target: "eu-2")))
    parent.add(
      .childFinished(ChildFinished(run: first.id, target: "eu-1", outcome: .fail, steps: first.run.childSteps)))
    parent.add(
      .childFinished(
        ChildFinished(
          run: "01KBHYXV80ABCDEFGHJKMNPQR2", target: "eu-2", outcome: .warn,
          steps: SampleJournal.failing.run.childSteps.filter { $0.outcome == .pass || $0.outcome == .warn })))
    parent.add(.childFinished(ChildFinished(run: "", target: "eu-3", outcome: .skipped, steps: [])))
    parent.end(.fail, duration: .seconds(61))
    return RunReport(parent.run, details: ChildRuns(runs: [first.run]))
  }

  /// Everything that a reader of one of the forms could take for something else.
  static let hostileText =
    "\u{0}\u{1B}[2J\u{7F}\u{9B} <script>alert(1)</script> ]]> --> & \" ' ` | # \\ \u{202E}evil\u{2066} \u{FFFE}\u{FFFF}"
    + "\u{FEFF}\u{2028} {=<%$ __init__ *x* ~y~ @admin http://a.example www.a.example [a](b) \r\n---\nnot ok 1\n...\n1..9\n"
    + "Bail out! ❤️ é 漢字"

  /// A run in which nothing has a harmless name.
  static var hostile: RunReport {
    let long = String(repeating: "x", count: 3000)
    var journal = SampleJournal(runbook: "n \"q\" <b>", target: "t'\"\\\n|{}=")
    for (path, outcome) in [("one", Outcome.fail), ("two", .error), ("three", .warn), ("four", .pass)] {
      journal.start("\(path) \(hostileText)", hostileText + long, use: hostileText)
      let output = Value.members([
        .init(hostileText, .int(7)), .init("stderr", .string(hostileText + long)), .init("'a'=|b", .double(0.5)),
      ])
      journal.tryOnce("\(path) \(hostileText)", outcome: outcome, output: output)
      journal.finish(
        "\(path) \(hostileText)", outcome, finding: Finding(hostileText, hostileText + long, advice: hostileText),
        expectations: [
          expectation(
            hostileText, outcome == .pass ? .holds : .broken, outcome == .warn ? .warn : .fail, message: hostileText,
            actual: [(hostileText, .string(hostileText + long), .string)])
        ])
    }
    journal.skip("five", hostileText, use: "m", reason: hostileText)
    journal.end(.error, finding: Finding("x", hostileText, advice: long))
    return RunReport(journal.run)
  }

  /// As many steps as the longest runbooks have, the last a failure.
  static var long: RunReport {
    var journal = SampleJournal()
    for number in 1...1000 {
      let path = "step\(number)"
      journal.start(path, "Step \(number) of many", use: "host.disk", output: [("used", .percent)])
      journal.tryOnce(path, output: .members([.init("used", .double(Double(number % 100)))]))
      journal.finish(
        path, number == 1000 ? .fail : .pass,
        expectations: [
          expectation(
            "output.used < 100.0", number == 1000 ? .broken : .holds,
            actual: [("output.used", .double(Double(number % 100)), .percent)])
        ])
    }
    journal.end(.fail, duration: .seconds(13))
    return RunReport(journal.run)
  }

  /// Every kind of run, by a name.
  static var samples: [(name: String, report: RunReport)] {
    [
      ("passing", passing), ("failing", failing), ("signalled", signalled), ("died", died), ("timedOut", timedOut),
      ("nothingRan", nothingRan), ("diagnostic", diagnostic), ("fleet", fleet), ("hostile", hostile), ("long", long),
    ]
  }
}
