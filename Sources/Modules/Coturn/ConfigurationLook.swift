import Coturn
import Files
import Journal
import Schema
import Steps

/// A turnserver.conf on this host, audited together with the modes of the files that belong to it.
struct ConfigurationLook: Sendable {
  private(set) var audit: ConfigurationAudit
  private(set) var files: [AuditedFile] = []

  private let root: String

  /// The most that is read of a configuration, in bytes.
  private static let most = 16 << 20

  /// The options whose values nobody else may see: users, shared secrets, passwords, connection strings of databases.
  private static let secrets = Set(ConfigurationOption.all.filter { $0.kind == .secret }.map(\.name))

  /// - Parameters:
  ///   - user: the service's; nil: nothing is said of what it can read.
  ///   - root: the folder below which the files lie that it names; nil: `/`.
  /// - Throws: `StepError.broken` if the file cannot be read, or there is no such user.
  init(_ path: String, _ version: CoturnVersion, _ user: String?, root: String? = nil) throws(StepError) {
    self.root = root ?? ""
    let bytes: [UInt8]
    // Below another root a link leads to that root's files; the kernel would follow it to this host's.
    let place = root == nil ? path : (try? FileStatus.way(to: path).last?.path) ?? path
    do throws(FileError) { bytes = try File.read(place, limit: Self.most, followingLinks: root == nil).bytes } catch {
      throw .broken(
        "coturn.configUnreadable", "The configuration cannot be read: \(error.message).",
        advice: "Look at the path (turnserver -c names it), and run this as a user who may read the file.")
    }
    audit = ConfigurationAudit(bytes, version)
    let account: FileUser?
    if let user { account = try FileUser(user) } else { account = nil }
    // Whether the version knows the option or not, the secret stands in the file.
    let holdsSecrets = audit.configuration.lines.contains { Self.secrets.contains($0.name) && !$0.value.isEmpty }
    var seen: [AuditFinding] = []
    let configuration = try look(at: path, account)
    if configuration.readableByAll {
      seen.append(
        AuditFinding(
          .configurationReadable, .number(33), holdsSecrets ? .high : .low,
          "Everybody on this host can read \(path)\(holdsSecrets ? ", and the secrets in it" : ""): chmod o-r \(path).")
      )
    }
    if let obstacle = configuration.obstacle, let user {
      seen.append(
        AuditFinding(
          .configurationUnreadable, .number(33), .critical,
          "\(user) cannot read \(path): \(obstacle). Without a readable configuration coturn runs with its defaults, as an open relay."
        ))
    }
    for name in ["cert", "pkey"] { seen += try lookAtFile(name, account, user) }
    audit.add(seen, replacing: account == nil ? nil : .keyUnreadable)
  }

  private mutating func lookAtFile(_ name: String, _ account: FileUser?, _ user: String?) throws(StepError)
    -> [AuditFinding]
  {
    guard let line = audit.configuration.last(name), line.value.hasPrefix("/") else { return [] }
    let path = line.value
    let file: AuditedFile
    do throws(StepError) { file = try look(at: root + path, account) } catch {
      return [
        AuditFinding(
          .keyUnreadable, .number(33), .high, line: line.number,
          "\(name) cannot be looked at: \(error.finding.message) If it is missing, coturn goes on without TLS.")
      ]
    }
    var findings: [AuditFinding] = []
    if name == "pkey", file.readableByAll {
      findings.append(
        AuditFinding(
          .keyReadable, .number(33), .high, line: line.number,
          "Everybody on this host can read the key \(path): chmod o-r \(path)."))
    }
    if let obstacle = file.obstacle, let user {
      findings.append(
        AuditFinding(
          .keyUnreadable, .number(33), .critical, line: line.number,
          "\(user) cannot read \(path): \(obstacle). coturn goes on without TLS, and logs that once."))
    }
    return findings
  }

  private mutating func look(at path: String, _ account: FileUser?) throws(StepError) -> AuditedFile {
    let isOpen = try FileUser.anybody.obstacle(toReading: path) == nil
    let obstacle = try account?.obstacle(toReading: path)
    let file = AuditedFile(
      path: path, readableByAll: isOpen, readableByService: account == nil ? nil : obstacle == nil, obstacle: obstacle)
    files.append(file)
    return file
  }
}
