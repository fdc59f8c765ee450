import Journal
import Schema
import TerminalText

extension RunReport {
  /// A page that needs nothing but itself: no script, nothing that is loaded, light and dark, fit for a telephone and for
  /// paper. What did not pass stands first, then when each step ran, then every step with what was expected of it.
  package func html(_ style: Style) -> String {
    let sheet = htmlStyleSheet
    let title = "\(verdict.word) \(subject)"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta http-equiv="Content-Security-Policy" content="\(contentSecurityPolicy(for: sheet))">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <meta name="referrer" content="no-referrer">
      <title>\(markupSafe(title))</title>
      <style>\(sheet)</style>
      </head>
      <body>
      \(headerHTML(style))
      <main>
      \(problemsHTML)\(targetsHTML)\(stepsHTML(anchor: "s"))\(childrenHTML)\(notesHTML)\(parametersHTML)\(evidenceHTML(style))
      </main>
      </body>
      </html>

      """
  }

  private func headerHTML(_ style: Style) -> String {
    let time = duration.map { " in \(shortDuration($0))" } ?? ""
    let lead = subject + time + (summary.isEmpty ? "" : ": \(summary)")
    return """
      <header class="\(verdict.rawValue)">
      <p class="word">\(verdict.word)</p>
      <h1>\(markupSafe(title))</h1>
      <p>\(markupSafe(lead))</p>
      <p class="soft">\(markupSafe(momentText(startedAt, offset: style.offset)))</p>
      </header>
      """
  }

  // MARK: What did not pass

  private var problemsHTML: String {
    let anchors = Dictionary(
      steps.flatMap { $0.flattened().map(\.step.path) }.enumerated().map { ($0.element, "s\($0.offset + 1)") },
      uniquingKeysWith: { first, _ in first })
    let end = endExplanation
    var articles = end.isEmpty ? [] : [articleHTML(verdict, "the run", "", end)]
    for problem in notPassed {
      switch problem {
      case .step(let step):
        let title = step.title == step.id ? "" : markupSafe(step.title)
        let place = "<a href=\"#\(anchors[step.path] ?? "")\"><code>\(markupSafe(step.path))</code></a>"
        articles.append(articleHTML(step.outcome, place, title, step.explanation))
      case .child(let child): articles.append(child.problemHTML)
      }
    }
    guard !articles.isEmpty else { return "" }
    return "<section>\n<h2>What did not pass</h2>\n\(articles.joined())</section>\n"
  }

  // MARK: Several targets

  private var targetsHTML: String {
    guard !children.isEmpty else { return "" }
    let rows = children.enumerated().map { index, child in
      let name = markupSafe(child.target)
      let place = child.report == nil ? name : "<a href=\"#t\(index + 1)\">\(name)</a>"
      let chips = child.steps.map { step in
        "<span class=\"chip \(step.outcome.rawValue)\">\(markupSafe(step.path.description))"
          + (step.outcome == .pass ? "" : " \(step.outcome.rawValue)") + "</span>"
      }
      let word = child.isDue ? "not begun" : child.verdict.cell
      let time = child.report?.duration.map(shortDuration) ?? ""
      return "<li><span class=\"outcome \(child.verdict.rawValue)\">\(word)</span> <b>\(place)</b> "
        + "<span class=\"soft\">\(time)</span><p class=\"chips\">\(chips.joined(separator: " "))</p></li>\n"
    }
    return "<section>\n<h2>Targets</h2>\n<ul class=\"targets\">\n\(rows.joined())</ul>\n</section>\n"
  }

  private var childrenHTML: String {
    children.enumerated().compactMap { index, child in
      child.report.map { report in
        "<section id=\"t\(index + 1)\" class=\"target\">\n<h2>On \(markupSafe(child.target))</h2>\n"
          + "\(report.stepsHTML(anchor: "t\(index + 1)s"))</section>\n"
      }
    }.joined()
  }

  // MARK: Steps

  private func stepsHTML(anchor: String) -> String {
    let steps = steps.flatMap { $0.flattened() }
    guard !steps.isEmpty else { return "" }
    let timeline = Timeline(steps.map(\.step), whole: duration)
    let rows = steps.enumerated().map { timeline.row($0.element.step, anchor: "\(anchor)\($0.offset + 1)") }
    let articles = steps.enumerated().map { index, entry in
      entry.step.html(depth: entry.depth, anchor: "\(anchor)\(index + 1)")
    }
    return """
      <section>
      <h2>Timeline</h2>
      <ol class="timeline">
      \(rows.joined())</ol>
      </section>
      <section>
      <h2>Steps</h2>
      \(articles.joined())</section>

      """
  }

  // MARK: What else is told

  private var notesHTML: String {
    guard !warnings.isEmpty else { return "" }
    let items = warnings.map { "<li>\(markupSafe($0))</li>\n" }.joined()
    return "<section>\n<h2>Doubts</h2>\n<ul class=\"notes\">\n\(items)</ul>\n</section>\n"
  }

  private var parametersHTML: String {
    guard case .members(let members) = params, !members.isEmpty else { return "" }
    let facts = members.map { member in
      "<dt>\(markupSafe(member.name))</dt><dd><code>\(markupSafe(shortened(member.value.plainText, to: 500)))</code></dd>\n"
    }
    return "<section>\n<h2>Parameters</h2>\n<dl>\n\(facts.joined())</dl>\n</section>\n"
  }

  private func evidenceHTML(_ style: Style) -> String {
    let facts = identity(offset: style.offset).map {
      "<dt>\($0.label)</dt><dd><code>\(markupSafe($0.text))</code></dd>\n"
    }
    return """
      <section>
      <h2>Evidence</h2>
      <dl>
      \(facts.joined())</dl>
      <p class="soft">Made from the journal alone, by runbook \(markupSafe(tool)).</p>
      </section>
      """
  }
}

/// - Parameters:
///   - place, title: HTML already.
private func articleHTML(_ outcome: Outcome, _ place: String, _ title: String, _ lines: [LabelledText]) -> String {
  """
  <article class="problem \(outcome.rawValue)">
  <h3><span class="outcome \(outcome.rawValue)">\(outcome.word)</span> \(place) \(title)</h3>
  \(lines.html)</article>

  """
}

extension RunReport.Child {
  fileprivate var problemHTML: String {
    let bad = steps.filter { $0.outcome != .pass && $0.outcome != .skipped }
    let parts = bad.map { step in
      "<h4><span class=\"outcome \(step.outcome.rawValue)\">\(step.outcome.word)</span> "
        + "<code>\(markupSafe(step.path.description))</code> \(markupSafe(step.title))</h4>\n\(step.explanation.html)"
    }
    let next = [LabelledText(label: "next", text: "runbook report \(terminalSafe(run))")].html
    return """
      <article class="problem \(outcome.rawValue)">
      <h3><span class="outcome \(outcome.rawValue)">\(outcome.word)</span> on \(markupSafe(target))</h3>
      \(parts.joined())\(next)</article>

      """
  }
}

extension [LabelledText] {
  /// A list of facts; what was written in a runbook or by a program as code.
  var html: String {
    guard !isEmpty else { return "" }
    var html = "<dl>\n"
    for line in self {
      let isCode = ["expected", "actual", "stderr", "stdout", ""].contains(line.label)
      let text = isCode ? "<code>\(markupSafe(line.text))</code>" : markupSafe(line.text)
      html += (line.label.isEmpty ? "" : "<dt>\(markupSafe(line.label))</dt>") + "<dd>\(text)</dd>\n"
    }
    return html + "</dl>\n"
  }
}
