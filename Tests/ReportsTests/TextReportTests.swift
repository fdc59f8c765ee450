import Journal
import Schema
import Testing

@testable import Reports

@Suite struct TextReportTests {
  static func text(_ journal: SampleJournal, width: Int = 100, colored: Bool = false, ahead: Int = 3600) -> String {
    RunReport(journal.run).text(Style(isColored: colored, width: width, offset: { _ in ahead }))
  }

  @Test("A passed run is told in a line, a table and where the evidence lies")
  func passing() {
    #expect(
      Self.text(.passing) == """
        PASS  daily-health on lab in 1.53s: all 2 steps passed

        OUTCOME  STEP       TIME    FIGURES
        pass     stun       12.3ms  rtt 850us
        pass       binding  12.3ms  rtt.p95 850us  responses 5
        pass     disk       12.3ms  used 41.235%  available 75GiB

        run       01KBHYXV80ABCDEFGHJKMNPQRS (no. 42) by ops on turn-1
        started   2026-11-21 08:00:00 UTC (09:00:00 +01:00)
        finished  2026-11-21 08:00:00 UTC (09:00:00 +01:00)
        journal   /srv/turn/.runbook/runs/01KBHYXV80ABCDEFGHJKMNPQRS/journal.jsonl

        """)
  }

  @Test("Without numbers a list's only number or its length is shown, else the texts of a good step")
  func figuresOfLists() {
    var journal = SampleJournal()
    let peers = Value.members([
      .init("peers", .list([.string("a"), .string("b")])), .init("openings", .list([])), .init("server", .string("s")),
    ])
    let settings = Value.members([
      .init("rmem_max", .list([.int(4_194_304)])), .init("tcp_rmem", .list([.int(4096), .int(131_072)])),
      .init("files", .list([.string("turn.log")])),
    ])
    let address = Value.members([.init("address", .string("192.0.2.1\u{7}")), .init("reason", .null)])
    for (path, outcome, output) in [
      ("relay", Outcome.fail, peers), ("good", .pass, address), ("bad", .fail, address), ("tuned", .pass, settings),
    ] {
      journal.start(path, path, use: "sample")
      journal.tryOnce(path, outcome: outcome, output: output)
      journal.finish(path, outcome)
    }
    let lines = Self.text(journal).split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
    #expect(lines.contains("FAIL relay 12.3ms peers.count 2 openings.count 0"))
    #expect(lines.contains("pass tuned 12.3ms rmem_max 4194304 tcp_rmem.count 2 files.count 1"))
    #expect(lines.contains("pass good 12.3ms address 192.0.2.1\\u{7}"))
    #expect(lines.contains("FAIL bad 12.3ms"))
  }

  @Test("A failed run begins with what did not pass: expectation, values, finding, what to look at next")
  func failing() {
    #expect(
      Self.text(.failing) == """
        FAIL  daily-health on lab in 4.87s: 1 of 6 steps failed, 2 with a warning, 1 skipped

        FAIL  turn/relay  Packets come back through two allocations  (turn.relay)
          expected  output.loss <= inputs.maxLoss
          actual    output.loss = 12%, inputs.maxLoss = 1%

        WARN  realm  Clients' keys are of the server's realm  (turn.allocate)
          found     turn:turn.example.net accepts the credentials in the realm "example.net", not in
                    "example.org". (turn.realmMismatch)
          next      Look at the server's realm (coturn: realm= in turnserver.conf), or change the target's.

        WARN  load  The host keeps up  (host.load)
          expected  output.perProcessor < 2.0
          actual    output.perProcessor = 3.41
          meaning   more work than processors

        OUTCOME  STEP       TIME    TRIES  FIGURES
        pass     stun       12.3ms         rtt 850us
        pass       binding  12.3ms         rtt.p95 850us  responses 5
        FAIL     turn       3.11s
        FAIL       relay    3.1s    2      loss 12%  rtt.p95 4.22ms  sent 50
        WARN     realm      12.3ms         realm example.net
        pass     disk       12.3ms         used 41.235%  available 75GiB
        WARN     load       12.3ms         perProcessor 3.41  load1 6.82
        skipped  cleanup                   turn failed

        run       01KBHYXV80ABCDEFGHJKMNPQRS (no. 42) by ops on turn-1
        started   2026-11-21 08:00:00 UTC (09:00:00 +01:00)
        finished  2026-11-21 08:00:03 UTC (09:00:03 +01:00)
        journal   /srv/turn/.runbook/runs/01KBHYXV80ABCDEFGHJKMNPQRS/journal.jsonl

        """)
  }

  @Test("No line but the identity's is wider than it may be", arguments: [40, 50, 60, 80])
  func widths(width: Int) {
    let lines = Self.text(.failing, width: width).split(separator: "\n")
    for line in lines.dropLast(4).dropFirst() { #expect(line.count <= width, "\(line)") }
    #expect(lines.allSatisfy { !$0.hasSuffix(" ") })
  }

  @Test("Colours change nothing but colours, and there are none unless asked for")
  func colors() {
    let plain = Self.text(.failing)
    #expect(!plain.unicodeScalars.contains("\u{1B}"))
    let colored = Self.text(.failing, colored: true)
    #expect(colored.hasPrefix("\u{1B}[1;31mFAIL\u{1B}[0m  \u{1B}[1mdaily-health on lab\u{1B}[0m in 4.87s"))
    #expect(colored.replacing(#/\x1B\[[0-9;]*m/#, with: "") == plain)
  }

  @Test("A run that died says so, and which step has no end")
  func died() {
    var journal = SampleJournal()
    journal.start("restart", "coturn is restarted", use: "service.restart")
    journal.add(.stepIntent(StepIntent(path: "restart", attempt: 1, key: "k")))
    journal.tornBytes = 17
    #expect(
      Self.text(journal, ahead: 0) == """
        INDETERMINATE  daily-health on lab: 1 of 1 step without an end

          found     the run died: its journal has no end, and nobody writes to it
          next      look at what the steps without an end have left behind before it is run again; or go on
                    with runbook resume 42, or let it be over with runbook cancel 42

        INDETERMINATE  restart  coturn is restarted  (service.restart)
          found     no end of it is recorded

        OUTCOME        STEP     TIME  FIGURES
        INDETERMINATE  restart        no end of it is recorded

          note      the journal's last line was cut off by a crash: 17 bytes are left out

        run         01KBHYXV80ABCDEFGHJKMNPQRS (no. 42) by ops on turn-1
        started     2026-11-21 08:00:00 UTC
        last event  2026-11-21 08:00:00 UTC
        journal     /srv/turn/.runbook/runs/01KBHYXV80ABCDEFGHJKMNPQRS/journal.jsonl

        """)
  }

  @Test("A run that is still being written is not called dead")
  func goesOn() {
    var journal = SampleJournal()
    journal.start("relay", "Relay", use: "turn.relay")
    journal.isBeingWritten = true
    let text = Self.text(journal)
    #expect(text.contains("found     the run goes on: a process is writing to its journal"))
    #expect(text.contains("finished  not yet"))
    #expect(!text.contains("died"))
  }

  @Test("A signal and the run's own reason come first")
  func signalled() {
    var journal = SampleJournal()
    journal.add(.runSignalled(RunSignalled(signal: 15)))
    journal.end(.error, finding: Finding("run.stopped", "asked to end", advice: "Run it again"), signal: 15)
    let lines = Self.text(journal).split(separator: "\n")
    #expect(
      lines.prefix(4) == [
        "ERROR  daily-health on lab in 3s", "  found     SIGTERM asked the run to end",
        "  found     asked to end (run.stopped)", "  next      Run it again",
      ])
  }

  @Test("An expectation that could not be judged says why, and is no pass")
  func unjudged() {
    var journal = SampleJournal()
    journal.start("relay", "Relay", use: "turn.relay")
    journal.tryOnce("relay")
    journal.finish(
      "relay", .error,
      expectations: [expectation("output.rtt.p95 < 5.0", .error, error: "output.rtt has no member p95")])
    journal.end(.error)
    let text = Self.text(journal)
    #expect(text.contains("  expected  output.rtt.p95 < 5.0\n  unjudged  output.rtt has no member p95\n"))
    #expect(text.hasPrefix("ERROR  daily-health on lab in 3s: 1 of 1 step ended in error\n"))
  }

  @Test("A diagnostic step is shown, and is not counted among what did not pass")
  func diagnostic() {
    var journal = SampleJournal()
    journal.disk()
    journal.start("dump", "Collect what coturn says", use: "command.run", diagnostic: true)
    journal.tryOnce("dump", outcome: .fail, output: .members([.init("lines", .int(7))]))
    journal.finish("dump", .fail)
    journal.end(.pass)
    let text = Self.text(journal)
    #expect(text.hasPrefix("PASS  daily-health on lab in 3s: 1 step passed\n\nOUTCOME"))
    #expect(text.contains("FAIL     dump  12.3ms  not counted  lines 7\n"))
  }

  @Test("What throws doubt on the evidence is noted")
  func warnings() {
    var journal = SampleJournal(volatile: true)
    journal.add(.clockStepped(ClockStepped(back: .seconds(3600))))
    journal.add(.journalRecovered(JournalRecovered(file: "line-3.torn", bytes: 5)))
    journal.end(.pass)
    let text = Self.text(journal)
    #expect(
      text.contains("note      the wall clock went back by 1h00m: durations are right, times of day may not be\n"))
    #expect(text.contains("5 bytes of a torn line are kept in line-3.torn\n"))
    #expect(text.contains("note      the journal lies in memory: copy it before the host restarts\n"))
    #expect(text.contains("run       01KBHYXV80ABCDEFGHJKMNPQRS by ops on turn-1\n"))
  }

  @Test(
    "Nothing that a run holds can move the cursor, hide, or turn the direction of writing",
    arguments: [
      "\u{1B}[2J\u{1B}[H", "\u{1B}]52;c;ZXZpbA==\u{07}", "\r PASS", "\u{9B}31m", "\u{202E}ssap", "a\nPASS  all is well",
      "\u{2028}x", "\u{200B}", "\u{E0041}", "\u{FEFF}", "\t", "\u{0}", "\u{7F}", "\u{2066}",
    ])
  func hostileText(text: String) {
    var journal = SampleJournal(runbook: text, target: text)
    journal.start("a\(text)", text, use: text)
    let finding = Finding(text, text, advice: text)
    journal.tryOnce("a\(text)", outcome: .fail, output: .members([.init(text, .int(1)), .init("b", .string(text))]))
    journal.finish(
      "a\(text)", .fail, finding: finding,
      expectations: [
        expectation(
          text, .broken, message: text, actual: [(text, .string(text), .string), ("x", .list([.string(text)]), .any)]),
        expectation(text, .error, error: text),
      ])
    journal.skip("z", text, use: text, reason: text)
    journal.add(
      .childFinished(
        ChildFinished(
          run: text, target: text, outcome: .fail, steps: [ChildStep(path: StepPath(text), title: text, outcome: .fail)]
        )))
    journal.add(.journalRecovered(JournalRecovered(file: text, bytes: 1)))
    journal.end(.fail, finding: finding)
    let report = Self.text(journal, colored: false)
    let allowed: (Unicode.Scalar) -> Bool = { scalar in
      scalar == "\n" || ![.control, .format, .lineSeparator, .privateUse].contains(scalar.properties.generalCategory)
    }
    #expect(report.unicodeScalars.allSatisfy(allowed))
    #expect(!report.contains("\nPASS"))
  }
}
