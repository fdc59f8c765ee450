import Foundation
import Journal
import Schema
import Testing

@testable import Reports

@Suite struct MarkdownReportTests {
  private let style = Style(offset: { _ in 0 })

  /// As GitHub shows it.
  private func rendered(_ report: RunReport) async throws -> String {
    let read = try await ForeignReader(report.markdown(style)).run(
      "cmark-gfm --unsafe -e table -e autolink -e strikethrough -e tasklist \"$1\"")
    try #require(read.status == 0, "\(read.stderr)")
    return read.stdout
  }

  @Test("The verdict comes first, then what did not pass, then every step")
  func content() async throws {
    let html = try await rendered(.failing)
    #expect(html.hasPrefix("<h1>FAIL: daily-health on lab</h1>\n"))
    #expect(
      html.contains(
        "<h3>FAIL: <code>turn/relay</code> Packets come back through two allocations</h3>\n<ul>\n"
          + "<li><strong>expected</strong> <code>output.loss &lt;= inputs.maxLoss</code></li>\n"), "\(html)")
    #expect(html.components(separatedBy: "<tr>").count == 1 + 1 + 8)
    #expect(html.contains("<td>skipped</td>\n<td><code>cleanup</code></td>"))
  }

  @Test("Bars in an expectation are shown as they are")
  func bars() async throws {
    var journal = SampleJournal()
    journal.start("either", "Either", use: "host.load")
    journal.tryOnce("either")
    journal.finish("either", .fail, expectations: [expectation("output.a || output.b", .broken)])
    journal.end(.fail)
    let html = try await rendered(RunReport(journal.run))
    #expect(html.contains("<code>output.a || output.b</code>"), "\(html)")
  }

  @Test("Nothing in a run is markup, a link or a mention", arguments: ["hostile", "failing", "fleet"])
  func hostile(name: String) async throws {
    let report = try #require(RunReport.samples.first { $0.name == name }).report
    let html = try await rendered(report)
    for tag in ["<script", "<a ", "<b>", "<em>", "<del>", "<img", "<hr"] { #expect(!html.contains(tag), "\(tag)") }
    // Each row has as many cells as the header.
    for table in html.split(separator: "<table>").dropFirst() {
      let cells = table.split(separator: "</table>")[0].split(separator: "<tr>").dropFirst().map { row in
        row.components(separatedBy: "</t").count
      }
      #expect(Set(cells).count <= 2, "\(cells)")
    }
    let text = html.replacing(/<code>.*?<\/code>/, with: "")
    #expect(!text.contains("@admin"))
  }
}
