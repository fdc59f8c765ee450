import Foundation
import Journal
import Schema
import TestSupport
import Testing

@testable import Reports

@Suite struct HTMLReportTests {
  private let style = Style(offset: { _ in 0 })

  /// What a browser finds of a page in a window of some width.
  private struct Look: Decodable {
    let name: String
    let width: Int
    /// Elements that go beyond the window's edges, or text that does.
    let tooWide: [String]
    let scripts: Int
    let handlers: Int
    /// What would be loaded, or leads out of the page.
    let references: [String]
    let isStyled: Bool
    let headings: [String]
    let steps: Int
    /// Links into the page that lead nowhere.
    let brokenLinks: Int
  }

  /// Opens each page in a frame of each width and looks at it. The script is this page's: the reports have none.
  private func looks(at pages: [(name: String, html: String)], widths: [Int]) async throws -> [Look] {
    let frames = pages.flatMap { page in
      widths.map { width in
        let source = page.html.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
        return "<iframe data-name=\"\(page.name)\" width=\"\(width)\" height=\"900\" srcdoc=\"\(source)\"></iframe>"
      }
    }
    let page = """
      <!DOCTYPE html><meta charset="utf-8"><style>iframe{border:0}</style><body>\(frames.joined())<script>
      function look(frame) {
        const page = frame.contentDocument, width = frame.contentWindow.innerWidth;
        page.querySelectorAll('details').forEach(d => d.open = true);
        const all = [...page.querySelectorAll('body, body *')];
        const beyond = all.filter(e => {
          const box = e.getBoundingClientRect();
          return box.left < -0.5 || box.right > width + 0.5 || e.scrollWidth > Math.max(e.clientWidth, width) + 1;
        });
        const links = [...page.querySelectorAll('a')].map(a => a.getAttribute('href'));
        const loaded = [...page.querySelectorAll('[src],[href],[style]')].map(e =>
          e.getAttribute('src') || e.getAttribute('style') || e.getAttribute('href')).filter(r => !r.startsWith('#'));
        return {name: frame.dataset.name, width, tooWide: beyond.slice(0, 5).map(e => e.outerHTML.slice(0, 300)),
          scripts: page.scripts.length, references: loaded,
          handlers: all.filter(e => [...e.attributes].some(a => a.name.startsWith('on'))).length,
          isStyled: frame.contentWindow.getComputedStyle(page.body).marginTop === '0px',
          headings: [...page.querySelectorAll('h2')].map(e => e.textContent),
          steps: page.querySelectorAll('article.step').length,
          brokenLinks: links.filter(l => l.startsWith('#') && !page.getElementById(l.slice(1))).length};
      }
      window.addEventListener('load', () => {
        const found = [...document.querySelectorAll('iframe')].map(look);
        document.body.textContent = 'LOOKS' + btoa(unescape(encodeURIComponent(JSON.stringify(found)))) + 'END';
      });
      </script></body>
      """
    let reader = try ForeignReader(page)
    let dump = try await reader.run(
      """
      mv "$1" page.html
      chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --no-first-run \
        --user-data-dir="$PWD/profile" --dump-dom "file://$PWD/page.html" 2>chromium.log
      """)
    let text = try #require(dump.stdout.firstMatch(of: /LOOKS(.*?)END/)?.1, "\(reader.folder.read("chromium.log"))")
    return try JSONDecoder().decode([Look].self, from: try #require(Data(base64Encoded: String(text))))
  }

  @Test("In a browser nothing is wider than the window, wide or narrow, nothing is loaded, and nothing runs")
  func browser() async throws {
    let pages = RunReport.samples.map { (name: $0.name, html: $0.report.html(style)) }
    let looks = try await looks(at: pages, widths: [1280, 400])
    #expect(looks.count == pages.count * 2)
    for look in looks {
      #expect(look.tooWide == [], "\(look.name) at \(look.width)")
      #expect(look.scripts == 0 && look.handlers == 0 && look.references == [], "\(look.name): \(look.references)")
      #expect(look.isStyled && look.brokenLinks == 0, "\(look.name)")
    }
    let failing = try #require(looks.first { $0.name == "failing" })
    #expect(failing.headings == ["What did not pass", "Timeline", "Steps", "Parameters", "Evidence"])
    #expect(failing.steps == 8)
    let fleet = try #require(looks.first { $0.name == "fleet" })
    #expect(fleet.headings.prefix(3) == ["What did not pass", "Targets", "On eu-1"] && fleet.steps == 8)
    #expect(looks.first { $0.name == "long" }?.steps == 1000)
  }

  @Test("What did not pass comes first, with what was expected and what it came to")
  func order() throws {
    let html = RunReport.failing.html(style)
    let places = try [
      "<p class=\"word\">FAIL</p>", "<h2>What did not pass</h2>", "<h2>Timeline</h2>", "<h2>Steps</h2>",
    ].map {
      try #require(html.range(of: $0)?.lowerBound)
    }
    #expect(places == places.sorted())
    #expect(
      html.contains(
        """
        <article class="problem fail">
        <h3><span class="outcome fail">FAIL</span> <a href="#s4"><code>turn/relay</code></a> Packets come back through two allocations</h3>
        <dl>
        <dt>expected</dt><dd><code>output.loss &lt;= inputs.maxLoss</code></dd>
        <dt>actual</dt><dd><code>output.loss = 12%, inputs.maxLoss = 1%</code></dd>
        </dl>
        </article>
        """))
    #expect(html.contains("<article id=\"s4\" class=\"step depth1 fail\">"))
    #expect(html.contains("<dt>password</dt><dd><code>\(Secret.mask)</code></dd>"))
  }

  @Test("What it means that an expectation does not hold stands only where it does not")
  func meaning() {
    var journal = SampleJournal()
    journal.start("load", "Load", use: "host.load")
    journal.tryOnce("load")
    journal.finish(
      "load", .warn,
      expectations: [
        expectation("output.load1 < 9.0", .holds, message: "one minute of it"),
        expectation("output.load5 < 1.0", .broken, .warn, message: "five minutes of it"),
      ])
    journal.end(.warn)
    let html = RunReport(journal.run).html(style)
    #expect(!html.contains("one minute of it"))
    #expect(html.contains("<code>output.load5 &lt; 1.0</code><p>five minutes of it</p>"), "\(html)")
  }

  @Test("A distribution and counts are pictures, with their numbers beside them; bars lie on the scale of the run")
  func pictures() {
    var journal = SampleJournal()
    let type = ValueType.record(
      RecordType(fields: ["min", "p50", "p95", "max"].map { FieldDeclaration(name: $0, type: .duration, summary: "") }))
    journal.start("relay", "Relay", use: "turn.relay", output: [("rtt", type)])
    let rtt = [("min", "1ms"), ("p50", "2ms"), ("p95", "8ms"), ("max", "10ms")].map { Value.Member($0, .string($1)) }
    let matches = [("lost", 3), ("refused", 0)].map { Value.Member($0, .members([.init("count", .int($1))])) }
    journal.tryOnce("relay", output: .members([.init("rtt", .members(rtt)), .init("matches", .members(matches))]))
    journal.finish("relay", duration: .seconds(1))
    journal.end(.pass, duration: .seconds(2))
    let html = RunReport(journal.run).html(style)
    #expect(html.contains("aria-label=\"rtt: min 1ms · p50 2ms · p95 8ms · max 10ms\""), "\(html)")
    #expect(html.contains("<rect class=\"box\" x=\"63\" y=\"5\" width=\"174\" height=\"14\"/>"))
    #expect(
      html.contains(
        "<li><span>lost</span><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">"))
    #expect(html.contains("<rect class=\"pass\" x=\"1\" y=\"0\" width=\"500\" height=\"10\"/>"), "\(html)")
  }
}
