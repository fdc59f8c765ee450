package import Coturn
package import Journal
import Schema
package import Steps

/// Holds a version of coturn against the known advisories.
package struct CoturnAdvisories: StepModule {
  package struct Input: Sendable {
    package var version: String?
    package var binary: String
  }

  package struct Entry: Hashable, Sendable {
    package var id: String
    package var severity: AuditSeverity
    package var meaning: String
    package var needs: String
    package var fixedIn: String
    package var source: String
  }

  package struct Output: Sendable {
    package var version: String
    package var known: Bool
    package var advisories: [Entry]
    package var critical: Int
    package var high: Int
  }

  package static let declaration = ModuleDeclaration(
    "coturn.advisories", "Says which known vulnerabilities a version of coturn has.",
    discussion: """
      The table is part of the tool, and ends at the newest version that it knows: `known` is false for a newer one. `needs` is what
      must be in use for an advisory to matter; `coturn.config` tells whether it is. The version alone says so: a distribution may
      have mended it without changing the version, so that the step warns and never fails.
      """,
    effect: .observe, judges: true, deadline: .seconds(15),
    input: Record(
      Input.init,
      Field(
        "version", \.version, .optional(.string),
        "The version: 4.6.1, or a package's 4.6.1-1; asked of the program, if not given."),
      Field("binary", \.binary, .string, default: "turnserver", "The program to ask for its version.")
    ),
    output: Record(
      Output.init,
      Field("version", \.version, .string, "The version without what a distribution added."),
      Field("known", \.known, .bool, "Whether the table knows the version; false for newer ones."),
      Field(
        "advisories", \.advisories,
        .list(
          .record(
            Record(
              Entry.init,
              Field("id", \.id, .string, "The CVE or GHSA number, or a name if there is none."),
              Field("severity", \.severity, .enumeration(AuditSeverity.self), "How bad it is."),
              Field("meaning", \.meaning, .string, "What an attacker gains."),
              Field("needs", \.needs, .string, "What must be in use for it to matter; empty: nothing in particular."),
              Field("fixedIn", \.fixedIn, .string, "The first version without it."),
              Field("source", \.source, .string, "Where it is told.")
            ))), "What affects the version."),
      Field("critical", \.critical, .int, "How many are critical."),
      Field("high", \.high, .int, "How many are high.")
    ),
    examples: [
      .init("Nothing critical is known of this version", with: "version: 4.6.1-1", expect: ["output.critical == 0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard let version = input.version, CoturnVersion(version) == nil else { return nil }
    return Finding(
      "coturn.versionInvalid", "\"\(version)\" is no version of coturn",
      advice: "Give it as the program prints it: 4.6.1.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let version = try await CoturnVersion.given(input.version, orOf: input.binary, in: context)
    let entries = Advisory.affecting(version).map { advisory in
      Entry(
        id: advisory.id, severity: advisory.severity, meaning: advisory.meaning, needs: advisory.condition.words,
        fixedIn: advisory.fixedIn.description, source: advisory.source)
    }
    let output = Output(
      version: version.description, known: version <= .newestKnown, advisories: entries,
      critical: entries.count { $0.severity == .critical }, high: entries.count { $0.severity == .high })
    if !output.known {
      return .warned(
        output,
        Finding(
          "coturn.versionNotKnown", "coturn \(version) is newer than the advisories that are known here.",
          advice: "Look at the project's security advisories, or take a newer runbook."))
    }
    guard !entries.isEmpty else { return .done(output) }
    let worst = entries.sorted { $0.severity > $1.severity }.prefix(3).map(\.id).joined(separator: ", ")
    return .warned(
      output,
      Finding(
        "coturn.vulnerable",
        "\(entries.count) known vulnerabilities affect coturn \(version), unless the distribution mended them: \(worst)\(entries.count > 3 ? " and more" : "").\(Self.conditions(of: entries))",
        advice:
          "Hold them against the distribution's security tracker, or take a newer version. `runbook coturn audit` tells which of them matter with a configuration."
      ))
  }
}

extension CoturnAdvisories {
  /// Which of the advisories matter only if something is in use.
  private static func conditions(of entries: [Entry]) -> String {
    let bound = entries.filter { !$0.needs.isEmpty }
    guard !bound.isEmpty else { return "" }
    var needs: [String] = []
    for entry in bound where !needs.contains(entry.needs) { needs.append(entry.needs) }
    let counted = needs.map { need in "\(need) (\(bound.count { $0.needs == need }))" }
    return
      " \(bound.count) of them \(bound.count == 1 ? "matters" : "matter") only with what \(bound.count == 1 ? "it needs" : "they need") in use: \(counted.joined(separator: ", "))."
  }
}

extension Advisory.Condition {
  /// What must be in use, in words; empty: nothing in particular.
  fileprivate var words: String {
    switch self {
    case .always: ""
    case .relaying: "relaying"
    case .unspecifiedPeers: "peers 0.0.0.0 and ::1 that are not denied"
    case .mappedPeers: "peers ::ffff:0:0/96 that are not denied"
    case .commandLineInterface: "the telnet CLI"
    case .webAdministration: "the web administration"
    case .oauth: "oauth"
    case .redisStatistics: "redis-statsdb"
    case .mobility: "mobility"
    case .dtls: "DTLS"
    }
  }
}
