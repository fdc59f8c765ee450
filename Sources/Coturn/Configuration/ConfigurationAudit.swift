import Addresses
package import Schema

/// A turnserver.conf held against everything that is known of mistakes in such files, and of one version of coturn.
///
/// It says nothing about what is right. Every finding holds for the version; where a value is what the server makes of it, and
/// not what stands there, that is what is judged.
package struct ConfigurationAudit: Sendable {
  /// The version that was named.
  package let version: CoturnVersion
  package let configuration: TurnConfiguration
  /// The worst first; of one severity in the order of the file, with what is missing behind.
  package private(set) var findings: [AuditFinding] = []

  /// - Parameter bytes: the file as it is.
  package init(_ bytes: [UInt8], _ version: CoturnVersion) {
    self.version = version
    let configuration = TurnConfiguration(bytes, version)
    self.configuration = configuration
    var notes = AuditNotes(configuration)
    notes.auditVersion(named: version)
    notes.auditLines()
    notes.auditAuthentication()
    notes.auditPeers()
    notes.auditAdministration()
    notes.auditTransportSecurity()
    notes.auditLimits()
    notes.auditFiles()
    notes.auditAdvisories()
    findings = notes.all.sorted { Self.rank($0) < Self.rank($1) }
  }

  /// Takes in what was seen of the files themselves, in place of what their paths alone let suspect.
  package mutating func add(_ seen: [AuditFinding], replacing code: AuditCode?) {
    findings = (findings.filter { $0.code != code } + seen).sorted { Self.rank($0) < Self.rank($1) }
  }

  private static func rank(_ finding: AuditFinding) -> (Int, Int, Int, String) {
    let severities = AuditSeverity.allCases
    return (
      finding.ifNotBackported ? 1 : 0, severities.count - (severities.firstIndex(of: finding.severity) ?? 0),
      finding.line ?? .max, finding.code.rawValue
    )
  }

  /// The worst of what the file itself says; what the version alone says does not count. Nil if nothing was found.
  package var worst: AuditSeverity? { findings.filter { !$0.ifNotBackported }.map(\.severity).max() }

  /// The shape that `runbook coturn audit --format json` prints.
  package var json: JSON {
    ["version": .string(version.description), "findings": .array(findings.map(\.json))]
  }
}

/// What an audit has noted so far.
struct AuditNotes {
  let configuration: TurnConfiguration
  private(set) var all: [AuditFinding] = []
  private var counts: [AuditCode: Int] = [:]

  /// How many findings of one code are kept: a file of a megabyte can hold a hundred thousand mistakes of one kind.
  private static let most = 100

  /// What the lines of `denied-peer-ip` come to.
  let denied: PeerRanges

  init(_ configuration: TurnConfiguration) {
    self.configuration = configuration
    let ranges = configuration.all("denied-peer-ip").compactMap { line -> (first: IPAddress, last: IPAddress)? in
      if case .range(let first, let last) = PeerRange(line.value) { return (first, last) }
      return nil
    }
    denied = PeerRanges(ranges, configuration.version)
  }

  var version: CoturnVersion { configuration.version }

  /// Whether another finding of a code would be kept, so that it need not be worked out.
  func hasRoom(for code: AuditCode) -> Bool { counts[code, default: 0] < Self.most }

  /// Whether it is noted already that there is more of a code than is kept.
  func isFull(of code: AuditCode) -> Bool { counts[code, default: 0] > Self.most }

  mutating func add(
    _ code: AuditCode, _ item: AuditItem, _ severity: AuditSeverity, _ line: Int?, _ message: String,
    instead: String? = nil, ifNotBackported: Bool = false, endsServer: Bool = false
  ) {
    let count = counts[code, default: 0] + 1
    counts[code] = count
    guard count <= Self.most else {
      guard count == Self.most + 1 else { return }
      all.append(
        AuditFinding(
          code, item, severity, line: line,
          "There are more than \(Self.most) findings like this; the others are not listed.",
          ifNotBackported: ifNotBackported, endsServer: endsServer))
      return
    }
    all.append(
      AuditFinding(
        code, item, severity, line: line, message, instead: instead, ifNotBackported: ifNotBackported,
        endsServer: endsServer))
  }

  /// Notes once that there is more of a code than is kept.
  mutating func noteUnlisted(_ code: AuditCode, _ item: Int, _ severity: AuditSeverity) {
    add(code, item, severity, nil, "")
  }

  mutating func add(
    _ code: AuditCode, _ item: Int, _ severity: AuditSeverity, _ line: Int?, _ message: String,
    instead: String? = nil, ifNotBackported: Bool = false, endsServer: Bool = false
  ) {
    add(
      code, .number(item), severity, line, message, instead: instead, ifNotBackported: ifNotBackported,
      endsServer: endsServer)
  }
}

extension AuditNotes {
  /// The version named, if its rules are not known here.
  mutating func auditVersion(named version: CoturnVersion) {
    if version > .newestKnown {
      add(
        .versionNotKnown, .word("version"), .info, nil,
        "coturn \(version) is newer than what is known here: it is judged as \(CoturnVersion.newestKnown).")
    } else if version < .oldestKnown {
      add(
        .versionNotKnown, .word("version"), .info, nil,
        "coturn \(version) is older than what is known here: it is judged as \(CoturnVersion.oldestKnown).")
    }
  }
}
