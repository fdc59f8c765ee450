package import Coturn
package import Journal
import Processes
package import Schema
package import Steps

/// Audits a turnserver.conf on this host.
package struct CoturnConfiguration: StepModule {
  package struct Input: Sendable {
    package var file: String
    package var version: String?
    package var binary: String
    package var user: String?
    package var root: String?
  }

  package struct Output: Sendable {
    package var version: String
    package var findings: [AuditedMistake]
    package var worst: AuditSeverity?
    package var critical: Int
    package var high: Int
    package var medium: Int
    package var low: Int
    package var advisories: [AuditedMistake]
    package var starts: Bool
    package var files: [AuditedFile]
  }

  package static let declaration = ModuleDeclaration(
    "coturn.config", "Audits a turnserver.conf, as its version of coturn reads it.",
    discussion: """
      Every line is read as the version does: a comment behind a value belongs to it, a range in CIDR notation is dropped, an
      option that is no more does nothing. `docs/coturn-audit.md` lists what is looked at. The step fails if something is critical
      or high, and warns if something is medium. What the version alone says (known vulnerabilities, which a distribution may have
      mended) stands in `advisories`, and fails nothing. With `user`, the service's, it is looked up whether that user can read
      the configuration, the certificate and the key. A file that cannot be read, and a version that nothing tells, are errors.
      """,
    effect: .observe, judges: true, files: ["file"], deadline: .seconds(15),
    input: Record(
      Input.init,
      Field("file", \.file, .path, default: "/etc/turnserver.conf", "The configuration."),
      Field("version", \.version, .optional(.string), "The server's version; asked of the program, if not given."),
      Field("binary", \.binary, .string, default: "turnserver", "The program to ask for its version."),
      Field("user", \.user, .optional(.string), "The user that the service runs as: a name, or UID, or UID:GID."),
      Field(
        "root", \.root, .optional(.path),
        "The folder below which the files lie that the configuration names, such as the root of a drill.")
    ),
    output: Record(
      Output.init,
      Field("version", \.version, .string, "The version that the file was read for."),
      Field("findings", \.findings, .list(.record(AuditedMistake.record)), "What is wrong, the worst first."),
      Field(
        "worst", \.worst, .optional(.enumeration(AuditSeverity.self)), "The worst of it; absent: nothing is wrong."),
      Field("critical", \.critical, .int, "How many findings are critical."),
      Field("high", \.high, .int, "How many findings are high."),
      Field("medium", \.medium, .int, "How many findings are medium."),
      Field("low", \.low, .int, "How many findings are low, or are notes."),
      Field(
        "advisories", \.advisories, .list(.record(AuditedMistake.record)),
        "What the version brings, unless the distribution mended it."),
      Field("starts", \.starts, .bool, "Whether coturn starts with the file, as far as the file tells."),
      Field("files", \.files, .list(.record(AuditedFile.record)), "The configuration, and the files that it names.")
    ),
    examples: [
      .init(
        "The server starts with its configuration, and nobody relays without a credential",
        with: "file: /etc/turnserver.conf\nversion: 4.6.1\nuser: turnserver",
        expect: ["output.starts", "output.findings.all(f, f.item != '1' && f.item != '2')"])
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
    let look = try await onBlockingThread { () throws(StepError) in
      try ConfigurationLook(input.file, version, input.user, root: input.root)
    }
    let audit = look.audit
    let findings = audit.findings.filter { !$0.ifNotBackported }
    let counts = Dictionary(grouping: findings, by: \.severity).mapValues(\.count)
    let output = Output(
      version: version.description, findings: findings.map(AuditedMistake.init), worst: audit.worst,
      critical: counts[.critical] ?? 0, high: counts[.high] ?? 0, medium: counts[.medium] ?? 0,
      low: (counts[.low] ?? 0) + (counts[.info] ?? 0),
      advisories: audit.findings.filter(\.ifNotBackported).map(AuditedMistake.init),
      starts: !findings.contains { $0.endsServer }, files: look.files)
    guard let worst = findings.first, worst.severity >= .medium else { return .done(output) }
    let isFailure = worst.severity >= .high
    let finding = Self.finding(findings, worst, of: input.file, below: input.root, version, isFailure: isFailure)
    return isFailure ? .failed(output, finding) : .warned(output, finding)
  }

  private static func finding(
    _ findings: [AuditFinding], _ worst: AuditFinding, of path: String, below root: String?, _ version: CoturnVersion,
    isFailure: Bool
  ) -> Finding {
    // What lies below a root is gone when somebody reads of it: only the path in there means anything then.
    let inside = root.flatMap { path.hasPrefix($0 + "/") ? String(path.dropFirst($0.count)) : nil }
    let file = inside ?? path
    let counts = AuditSeverity.allCases.reversed().compactMap { severity -> String? in
      let count = findings.count { $0.severity == severity }
      return count == 0 ? nil : "\(count) \(severity.rawValue)"
    }
    let severe = isFailure ? findings.filter { $0.severity >= .high } : [worst]
    var sentences = severe.prefix(Self.mostNamed).enumerated().map { index, finding in
      Self.sentence(finding, of: index == 0 ? file : nil)
    }
    let others = severe.count - Self.mostNamed
    if others > 0 { sentences.append("And \(others) more in the JSON report.") }
    sentences.append("In all: \(counts.joined(separator: ", ")).")
    let message: Sentence = sentences.joined
    let remedy = worst.instead.flatMap { $0.isEmpty ? nil : $0.split(separator: "\n").joined(separator: ", ") }
    let whole: Sentence =
      inside == nil
      ? "All of it: runbook coturn audit \(file) --coturn-version \(version)."
      : "All of it stands in the JSON report: runbook report last --format json."
    guard isFailure else { return Finding("coturn.configurationWeak", message, advice: whole) }
    guard let remedy else { return Finding("coturn.configurationRisky", message, advice: whole) }
    let which: Sentence = severe.count > 1 ? "For the first, write" : "Write"
    return Finding("coturn.configurationRisky", message, advice: "\(which): \(remedy). \(whole)")
  }

  /// How many findings a message names.
  private static let mostNamed = 6

  private static func sentence(_ finding: AuditFinding, of file: String?) -> Sentence {
    switch (file, finding.line) {
    case (let file?, let line?): "\(file):\(line): \(finding.message)"
    case (let file?, nil): "\(file): \(finding.message)"
    case (nil, let line?): "Line \(line): \(finding.message)"
    case (nil, nil): "\(finding.message)"
    }
  }
}

/// One finding of an audit, as steps put it out.
package struct AuditedMistake: Hashable, Sendable {
  package var item: String
  package var code: String
  package var severity: AuditSeverity
  package var line: Int?
  package var message: String
  package var instead: String?

  init(_ finding: AuditFinding) {
    self.init(
      item: finding.item.description, code: finding.code.name, severity: finding.severity, line: finding.line,
      message: finding.message, instead: finding.instead)
  }

  init(item: String, code: String, severity: AuditSeverity, line: Int?, message: String, instead: String?) {
    self.item = item
    self.code = code
    self.severity = severity
    self.line = line
    self.message = message
    self.instead = instead
  }

  package static let record = Record(
    { AuditedMistake(item: $0, code: $1, severity: $2, line: $3, message: $4, instead: $5) },
    Field("item", \.item, .string, "The number or word of what is looked at."),
    Field("code", \.code, .string, "What was found, for machines."),
    Field("severity", \.severity, .enumeration(AuditSeverity.self), "How bad it is."),
    Field("line", \.line, .optional(.int), "The line of the file; absent: something is missing."),
    Field("message", \.message, .string, "What is the matter, and why it matters."),
    Field("instead", \.instead, .optional(.string), "The lines to write instead; empty: remove the line.")
  )
}

/// A file of the service, and who can read it.
package struct AuditedFile: Hashable, Sendable {
  package var path: String
  package var readableByAll: Bool
  package var readableByService: Bool?
  package var obstacle: String?

  package static let record = Record(
    { AuditedFile(path: $0, readableByAll: $1, readableByService: $2, obstacle: $3) },
    Field("path", \.path, .path, "The file."),
    Field("readableByAll", \.readableByAll, .bool, "Whether everybody on this host can read it."),
    Field(
      "readableByService", \.readableByService, .optional(.bool),
      "Whether the service's user can read it; absent: no user given."),
    Field("obstacle", \.obstacle, .optional(.string), "What keeps the service's user from it; absent: nothing.")
  )
}
