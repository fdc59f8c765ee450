import Journal
import Schema
import Testing

@testable import Reports

@Suite struct TAPReportTests {
  @Test("A line for each step, and below one that did not pass why")
  func content() {
    let text = RunReport.failing.tap
    #expect(text.hasPrefix("TAP version 13\n1..6\n# daily-health on lab\nok 1 - stun/binding Binding requests are"))
    #expect(
      text.contains(
        """
        not ok 2 - turn/relay Packets come back through two allocations
          ---
          outcome: fail
          seconds: 3.104
          explanation: |
            expected: output.loss <= inputs.maxLoss
            actual: output.loss = 12%, inputs.maxLoss = 1%
          ...

        """))
    #expect(text.contains("ok 6 - cleanup Old files are removed # SKIP turn failed\n"))
  }

  /// What Perl's TAP::Parser makes of a report.
  private func read(_ report: RunReport) async throws -> JSON {
    let script = """
      perl -MTAP::Parser -MJSON::PP -e '
        open my $file, "<:utf8", $ARGV[0]; local $/; my $parser = TAP::Parser->new({tap => <$file>});
        my (@tests, @details, @unknown);
        while (my $r = $parser->next) {
          push @tests, $r->is_actual_ok ? 1 : 0 if $r->is_test;
          push @details, $r->data if $r->is_yaml;
          push @unknown, $r->as_string if $r->is_unknown || $r->is_bailout;
        }
        print encode_json({planned => 0 + $parser->tests_planned, tests => \\@tests, failed => [$parser->failed],
          skipped => 0 + $parser->skipped, todo => 0 + $parser->todo, details => \\@details, unknown => \\@unknown,
          errors => [$parser->parse_errors]})' "$1"
      """
    let read = try await ForeignReader(report.tap).run(script)
    try #require(read.status == 0, "\(read.stderr)")
    return try JSON(parsing: read.stdout)
  }

  @Test("Perl's reader takes every kind of run, and finds what did not pass", arguments: RunReport.samples.map(\.name))
  func parser(name: String) async throws {
    let report = try #require(RunReport.samples.first { $0.name == name }).report
    let read = try await read(report)
    #expect(read["errors"] == [] && read["unknown"] == [], "\(read.text())")
    #expect(read["planned"]?.int == read["tests"]?.array.map { Int64($0.count) })
    let isBad = !(report.verdict.isGood || report.verdict == .skipped)
    #expect(read["failed"]?.array?.isEmpty == !isBad, "\(read.text())")
    if isBad { #expect(read["details"]?.array?.isEmpty == false) }
  }

  @Test("Reasons arrive as they are, and a step that is not counted fails nothing")
  func details() async throws {
    let failing = try await read(.failing)
    #expect(
      failing["details"]?.array?.first?["explanation"]
        == "expected: output.loss <= inputs.maxLoss\nactual: output.loss = 12%, inputs.maxLoss = 1%\n")
    #expect(failing["skipped"] == 1)
    let diagnostic = try await read(.diagnostic)
    #expect(diagnostic["todo"] == 1 && diagnostic["failed"] == [])
  }

  @Test("prove fails for a run that failed, and passes for one that passed")
  func prove() async throws {
    #expect(try await ForeignReader(RunReport.passing.tap).run("prove -e cat \"$1\"").status == 0)
    let failed = try await ForeignReader(RunReport.failing.tap).run("prove -e cat \"$1\"")
    #expect(failed.status == 1)
    #expect(failed.stdout.contains("Failed test:  2") || failed.stdout.contains("Failed 1/6"), "\(failed.stdout)")
  }
}
