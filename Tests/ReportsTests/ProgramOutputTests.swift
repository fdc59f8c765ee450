import Journal
import Schema
import Testing

@testable import Reports

/// What a report shows of a program's own words.
@Suite struct ProgramOutputTests {
  private func report(stderr: String, stdout: String = "", outcome: Outcome = .fail) -> String {
    var journal = SampleJournal()
    journal.start("reload", "The service reloads", use: "command.run")
    let output = Value.members([
      .init("exitCode", .int(3)), .init("stdout", .string(stdout)), .init("stderr", .string(stderr)),
    ])
    let finding =
      outcome == .fail ? Finding("command.failed", "systemctl ended with exit code 3", advice: "Look there") : nil
    journal.tryOnce("reload", outcome: outcome, output: output, finding: finding)
    journal.finish("reload", outcome, finding: finding)
    journal.end(outcome)
    return TextReportTests.text(journal)
  }

  @Test("A program that failed is shown with its last words, between what was found and what to do")
  func lastWords() {
    #expect(
      report(stderr: "Job failed.\n\n  see journalctl\n", stdout: "reloading\n").contains(
        """
        FAIL  reload  The service reloads  (command.run)
          found     systemctl ended with exit code 3 (command.failed)
          stderr    Job failed.
                    see journalctl
          stdout    reloading
          next      Look there

        """))
  }

  @Test("Of many lines the last ten are shown, or the last five of each output")
  func bounded() {
    let lines = (1...40).map { "line \($0)" }.joined(separator: "\n")
    let one = report(stderr: lines)
    #expect(one.contains("stderr    …\n            line 31\n"))
    #expect(one.contains("line 40\n") && !one.contains("line 30\n"))
    let both = report(stderr: lines, stdout: lines)
    #expect(both.contains("stderr    …\n            line 36\n"))
    #expect(both.contains("stdout    …\n            line 36\n"))
    #expect(report(stderr: String(repeating: "x", count: 1 << 20)).utf8.count < 2_000)
  }

  @Test("Nothing in it reaches the terminal as a command, and a step that passed shows nothing of it")
  func safe() {
    let text = report(stderr: "\u{1B}]0;owned\u{7}\r\n\u{202E}evil")
    #expect(text.contains("stderr    \\u{1B}]0;owned\\u{7}\n            \\u{202E}evil\n"), "\(text)")
    #expect(!report(stderr: "noise", outcome: .pass).contains("noise"))
  }
}
