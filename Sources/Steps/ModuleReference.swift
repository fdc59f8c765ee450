import Journal
package import Schema

extension AnyStepModule {
  /// The module's page of the reference.
  package var page: ReferencePage {
    ReferencePage(
      name: name, summary: summary, discussion: discussion,
      facts: [
        .init("effect", effectText), .init("judges", judgesText),
        .init("timeout", "\(durationLiteral(deadline)) for one try, unless the step says otherwise"),
      ] + (needs.isEmpty ? [] : [.init("needs", needs.joined(separator: "; "))]),
      sections: [
        .init("Input", input, isGiven: true), .init("Output", output, isGiven: false),
      ],
      examples: examples.map { .init(title: $0.title, text: $0.step(using: name)) })
  }

  private var needs: [String] { services.map(\.rawValue).sorted() + programs.map(\.text) }

  private var effectText: String {
    let meaning =
      switch effect {
      case .observe: "reads only"
      case .record: "writes only runbook's own state"
      case .notify: "tells somebody"
      case .change: "acts on the service or its users"
      }
    return "\(effect.rawValue) (\(meaning))" + (repetition == .atMostOnce ? ", never begun twice" : "")
      + (mayOnlyObserve ? "; a step that only reads declares `effect: observe`" : "")
  }

  private var judgesText: String {
    judges ? "fails by itself; expectations are optional" : "only tells; a step needs expectations"
  }
}

extension AnyStepModule.Example {
  /// The example as a step of a runbook.
  fileprivate func step(using name: String) -> String {
    var lines = ["- id: example", "  title: \(title)", "  use: \(name)"]
    if with != "{}" {
      lines.append("  with:")
      lines += with.split(separator: "\n").map { "    \($0)" }
    }
    if !expect.isEmpty {
      lines.append("  expect:")
      lines += expect.map { "    - \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}

extension Catalog {
  /// Every module's page, in Markdown.
  package var reference: String {
    let head = """
      # Step modules

      What a step's `use` can name, with what it takes and gives. This page is made from the modules' declarations by
      `make docs`; `runbook modules NAME` shows the same in a terminal.


      """
    return head + modules.map { $0.page.markdown() }.joined(separator: "\n")
  }
}
