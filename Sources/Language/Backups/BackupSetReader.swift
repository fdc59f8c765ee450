internal import Age
package import Backups
package import Schema
internal import Steps

/// Reads one document of `backups/`.
struct BackupSetReader {
  let reader: MappingReader<BackupKey>
  let name: String
  let project: Project
  let log: IssueLog

  /// Nil, with a report, if it cannot be relied on.
  func set() -> BackupSet? {
    let before = log.issues.count { $0.severity == .error }
    let paths = texts(.paths)
    if let node = reader[.paths], paths.isEmpty {
      log.error(
        "missing-value", "\"paths\" names nothing", at: node.range,
        suggestion: "name the files and folders to back up: [/etc/turnserver.conf]")
    }
    let own = reader[.recipients].map { Self.recipients($0, log: log) }
    let recipients = own ?? project.vaultRecipients
    let minimum = self.count(reader, .minRecipients) ?? BackupSet.usualMinimumRecipients
    let count = Set(recipients).count
    // A set without any has not been set up yet; `backup.create` refuses it.
    if count < minimum, let range = own == nil && count == 0 ? nil : (reader[.recipients] ?? reader[.backup])?.range {
      log.error(
        "too-few-recipients",
        "the set has \(count) recipient\(count == 1 ? "" : "s")\(own == nil ? ", those of `vault` in runbook.yaml," : "") and needs at least \(minimum): with one key lost, nobody could read its backups",
        at: range, suggestion: "make a second key with `runbook backup keygen`, and keep it elsewhere")
    }
    var set = BackupSet(
      name: name, title: reader.text(.title), doc: reader.prose(.doc) ?? "", paths: paths.map(project.absolutePath),
      optionalPaths: texts(.ifPresent).map(project.absolutePath), excludes: texts(.excludes), commands: commands(),
      recipients: recipients, minimumRecipients: minimum)
    if let links = reader.choice(.links, BackupSet.LinkPolicy.self) { set.links = links }
    if let special = reader.choice(.specialFiles, BackupSet.SpecialFilePolicy.self) { set.specialFiles = special }
    if case .int(let size)? = reader.literal(.maxSize) { set.maxSize = Int(size) }
    set.retention = reader[.keep].flatMap(retention)
    if let node = reader[.expect] { set.expectations = expectations(node) }
    return log.issues.count { $0.severity == .error } == before ? set : nil
  }

  private func texts(_ key: BackupKey) -> [String] { reader.literal(key)?.texts ?? [] }

  private func count<Key>(_ reader: MappingReader<Key>, _ key: Key) -> Int? {
    guard case .int(let number)? = reader.literal(key) else { return nil }
    if number >= 1, let count = Int(exactly: number) { return count }
    if let node = reader[key] {
      log.error("out-of-bounds", "\"\(key.name)\" must be at least 1, found \(number)", at: node.range)
    }
    return nil
  }

  /// The recipients of age that a list names; each that is none is reported.
  static func recipients(_ node: YAMLNode, log: IssueLog) -> [AgeRecipient] {
    guard let elements = node.elements("\"recipients\"", log: log) else { return [] }
    return elements.compactMap { element in
      let decoder = ValueDecoder(log: log, expressions: .refused)
      guard case .string(let text)? = decoder.literal(element, as: .string) else { return nil }
      do throws(AgeError) { return try AgeRecipient(text) } catch {
        let isSecret = text.uppercased().hasPrefix("AGE-SECRET-KEY-")
        log.error(
          isSecret ? "secret-in-clear" : "not-a-recipient",
          isSecret
            ? "this is the secret half of a key, which must never stand in a document"
            : "this is no recipient of age: it should begin with \"age1\", and its letters do not fit together",
          at: element.range,
          suggestion: isSecret
            ? "name its recipient (`age-keygen -y` prints it), and make a new key: this one is no secret any more"
            : "`runbook backup keygen` prints one")
        return nil
      }
    }
  }

  private func commands() -> [CapturedCommand] {
    guard let elements = reader[.commands]?.elements("\"commands\"", log: log) else { return [] }
    var names: Set<String> = []
    return elements.compactMap { node in
      guard let reader = MappingReader<CapturedCommandKey>(node, subject: "a command", log: log),
        let name = reader.text(.name), let command = reader.literal(.command)?.texts
      else { return nil }
      let range = reader[.name]?.range ?? reader.range
      if !isDocumentName(name) {
        log.error(
          "name-form", "a command's name is made of lower-case letters, digits and hyphens", at: range,
          suggestion: "write a name such as coturn-version")
      }
      if !names.insert(name).inserted {
        log.error(
          "duplicate-name", "two commands are called \"\(name)\"", at: range,
          suggestion: "give one of them another name")
      }
      if command.isEmpty, let node = reader[.command] {
        log.error(
          "missing-value", "\"command\" names no program", at: node.range,
          suggestion: "write the program and its arguments: [dpkg-query, -W, coturn]")
      }
      return CapturedCommand(
        name: name, command: command, timeout: reader.duration(.timeout) ?? CapturedCommand.usualTimeout)
    }
  }

  private func retention(_ node: YAMLNode) -> BackupRetention? {
    guard let reader = MappingReader<BackupRetentionKey>(node, subject: "\"keep\"", log: log) else { return nil }
    let retention = BackupRetention(
      last: count(reader, .last) ?? 0, daily: count(reader, .daily) ?? 0, weekly: count(reader, .weekly) ?? 0,
      monthly: count(reader, .monthly) ?? 0)
    if BackupRetentionKey.allCases.allSatisfy({ reader[$0] == nil }) {
      log.error("missing-key", "\"keep\" needs one of last, daily, weekly and monthly", at: reader.range)
    }
    return retention
  }

  private func expectations(_ node: YAMLNode) -> BackupExpectations {
    var expectations = BackupExpectations()
    guard let reader = MappingReader<BackupExpectationKey>(node, subject: "\"expect\"", log: log) else {
      return expectations
    }
    expectations.files = (reader.literal(.files)?.texts ?? []).map(project.absolutePath)
    if case .int(let size)? = reader.literal(.minSize) { expectations.minimumSize = Int(size) }
    expectations.notOlderThan = reader.duration(.notOlderThan)
    return expectations
  }
}

extension Value {
  /// The texts of a list.
  fileprivate var texts: [String]? {
    guard case .list(let elements) = self else { return nil }
    return elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
  }
}

extension Project {
  /// A path of a document, absolute, without empty parts and `.`.
  func absolutePath(_ path: String) -> String { plainAbsolutePath(path, from: root) }

  /// The names of the backup sets, sorted.
  package var backupNames: [String] { files.names(.backup) }

  /// Where the project keeps its backups, with the sets that can be read.
  package var vaultSettings: VaultSettings {
    let compiler = DocumentCompiler(
      files: files, catalog: Catalog([]), services: [], hiddenEnvironment: [], log: IssueLog())
    let names = backupNames
    let sets = names.compactMap { compiler.backupSet($0, in: self) }
    let sound = Dictionary(uniqueKeysWithValues: sets.map { ($0.name, $0) })
    return VaultSettings(
      path: absolutePath(vaultPath ?? "backups/vault"), keyFile: "\(statePath)/backup.key", sets: sound,
      faultySets: names.filter { sound[$0] == nil }, remote: vaultRemote)
  }

  /// The same; nil if the project keeps no backups.
  package var vaultIfAny: VaultSettings? { services.contains(.vault) ? vaultSettings : nil }

  /// A backup set by its name.
  ///
  /// Throws every problem of its document.
  package func backupSet(_ name: String) throws(Issues) -> BackupSet {
    let log = IssueLog()
    let compiler = DocumentCompiler(files: files, catalog: Catalog([]), services: [], hiddenEnvironment: [], log: log)
    guard let set = compiler.backupSet(name, in: self), !log.hasErrors else { throw Issues(log.sorted) }
    return set
  }
}

extension DocumentCompiler {
  /// A backup set by name; nil, with a report, if it cannot be relied on.
  func backupSet(_ name: String, in project: Project) -> BackupSet? {
    guard let reader = read(.backup, name, BackupKey.backup) else { return nil }
    return BackupSetReader(reader: reader, name: name, project: project, log: log).set()
  }
}

extension VaultRemote {
  /// `remote` of `vault` and what goes with it; nil, with a report, if it cannot be relied on.
  init?(reading reader: MappingReader<VaultKey>, root: String, log: IssueLog) {
    guard let text = reader.text(.remote), let range = reader[.remote]?.range else {
      for key in [VaultKey.sshKey, .knownHosts] where reader[.remote] == nil {
        if let node = reader[key] {
          log.error(
            "missing-key", "\"\(key.name)\" is for \"remote\", which is not there", at: node.range,
            suggestion: "name the remote, or take it out")
        }
      }
      return nil
    }
    do throws(Objection) {
      try self.init(text, absolute: { plainAbsolutePath($0, from: root) })
    } catch {
      switch error {
      case .hasPassword:
        log.error(
          "secret-in-clear", "the address of the remote holds a password", at: range,
          suggestion: "take it out and change it: ssh proves who you are with a key, \"sshKey\"")
      case .unknownForm:
        log.error(
          "not-a-remote", "this is neither a path nor an address that ssh reaches", at: range,
          suggestion:
            "write /srv/vault.git, ssh://backup@vault.example.com/srv/vault.git or backup@vault.example.com:vault.git")
      }
      return nil
    }
    keyFile = reader.text(.sshKey).map { plainAbsolutePath($0, from: root) }
    knownHosts = reader.text(.knownHosts).map { plainAbsolutePath($0, from: root) }
  }
}

private func plainAbsolutePath(_ path: String, from root: String) -> String {
  let parts = (path.hasPrefix("/") ? path : "\(root)/\(path)").split(separator: "/").filter { $0 != "." }
  return "/" + parts.joined(separator: "/")
}
