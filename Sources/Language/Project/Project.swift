internal import Age
internal import Backups
internal import Files
internal import Notices
package import Schema
package import Steps

#if canImport(Glibc)
  internal import Glibc
#endif

/// A folder with `runbook.yaml`, runbooks and checks.
package struct Project: Sendable {
  /// The project's folder, absolute.
  package let root: String
  /// The `project` of `runbook.yaml`, or the folder's name.
  package let name: String
  /// The process environment over `.env`; empty if neither is read.
  package let environment: [String: String]
  /// Where the names of ``environment`` stand whose values come from `.env`, or the file in its place.
  let environmentPlaces: [String: SourceRange]
  let targets: [TargetDeclaration]
  /// Whether `runbook.yaml` declares targets; otherwise there is one, `default`, from the environment.
  let declaresTargets: Bool
  let stateFolder: String?
  /// Which past runs go; nil if `runbook.yaml` does not say.
  package let retention: RetentionRules?
  /// Whether `runbook lab exec` has started us.
  let isInLab: Bool
  /// What to say where none is named and the environment seems to have been meant to; nil if it does not.
  let missingServerAdvice: String?
  /// What is left to be warned of once it is known which names a runbook reads secrets from.
  let readableNames: ReadableNames?
  /// `vault` of `runbook.yaml`, as it stands there.
  let vaultPath: String?
  let vaultRecipients: [AgeRecipient]
  let vaultRemote: VaultRemote?
  let channels: [ChannelDeclaration]
  let silences: [SilentWindow]
  let files: ProjectFiles
  /// The bytes of `runbook.yaml`; nil if it could not be read.
  let description: [UInt8]?
  let judgeCertificates: @Sendable (CertificateFiles) -> [CertificateFiles.Problem]
  /// What modules may need that the project has.
  let services: Set<Service>
  /// What was found while the project was read and does not keep it from being used.
  package let warnings: [Issue]

  /// What a project depends on besides its own files.
  package struct Surroundings: Sendable {
    /// The process environment.
    package var environment: [String: String]
    /// The file to read in place of the project's `.env`; it must exist. Relative to ``workingFolder``.
    package var environmentFile: String?
    /// False if neither `.env` nor the environment is to be asked, as in the lab.
    package var readsEnvironment = true
    package var workingFolder: String
    /// Whether `runbook lab exec` has started us: the environment has all there is to know of servers then.
    var isInLab: Bool { environment[Project.labVariable].map { !$0.isEmpty } ?? false }
    /// Whether the process runs with all rights, so that files that others may change are refused.
    package var isRoot: Bool
    /// Finds what keeps PEM files that can be read from being used; whoever knows certificates provides it.
    package var judgeCertificates: @Sendable (CertificateFiles) -> [CertificateFiles.Problem]
    /// What whoever runs the steps can give them.
    package var services: Set<Service>

    package init(
      environment: [String: String], environmentFile: String? = nil, workingFolder: String,
      isRoot: Bool = geteuid() == 0, services: Set<Service> = Set(Service.allCases),
      judgeCertificates: @escaping @Sendable (CertificateFiles) -> [CertificateFiles.Problem] = { _ in [] }
    ) {
      self.environment = environment
      self.environmentFile = environmentFile
      self.workingFolder = workingFolder
      self.isRoot = isRoot
      self.judgeCertificates = judgeCertificates
      self.services = services
    }
  }

  /// The project's folder: the given one, that of `RUNBOOK_PROJECT`, the nearest parent of the working folder with
  /// `runbook.yaml`, `/etc/runbook`.
  ///
  /// Throws if the folder that was named has no `runbook.yaml`, and where none is found.
  package static func find(_ given: String?, in surroundings: Surroundings) throws(ProjectError) -> String {
    if let given { return try named(given, by: "--project", surroundings) }
    if let named = surroundings.environment["RUNBOOK_PROJECT"], !named.isEmpty {
      return try self.named(named, by: "RUNBOOK_PROJECT", surroundings)
    }
    var folder = surroundings.workingFolder
    while true {
      if fileMode("\(folder)/runbook.yaml") != nil { return folder.isEmpty ? "/" : folder }
      guard let slash = folder.lastIndex(of: "/"), !folder.isEmpty else { break }
      folder = String(folder[..<slash])
    }
    if fileMode("/etc/runbook/runbook.yaml") != nil { return "/etc/runbook" }
    throw ProjectError(
      kind: .notFound,
      message: "there is no runbook.yaml in \(surroundings.workingFolder), in a folder above it, or in /etc/runbook",
      advice: "name the project's folder with --project, or start a new one with `runbook init`")
  }

  private static func named(_ path: String, by source: String, _ surroundings: Surroundings) throws(ProjectError)
    -> String
  {
    let folder = absolute(path, in: surroundings)
    if fileMode("\(folder)/runbook.yaml") != nil { return folder }
    let reason = isFolder(folder) ? "has no runbook.yaml" : "is no folder"
    throw ProjectError(
      kind: .notAProject, message: "\(source) names \(path), which \(reason)",
      advice: "a project is a folder with a file runbook.yaml")
  }

  static func absolute(_ path: String, in surroundings: Surroundings) -> String {
    var path =
      path.hasPrefix("/") ? path : path == "." ? surroundings.workingFolder : "\(surroundings.workingFolder)/\(path)"
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return resolvedPath(path) ?? path
  }

  /// The names of the environment that describe a server where the project declares none.
  package static let targetVariables = ProjectEnvironment.targetNames
  /// Set by `runbook lab exec`: servers of `.env` and the project's targets are not taken then.
  package static let labVariable = "RUNBOOK_LAB"
  /// Names the folder of runs.
  static let stateVariable = "RUNBOOK_STATE"

  /// Reads `runbook.yaml` and `.env`.
  ///
  /// Throws every problem of the two.
  package static func load(at root: String, in surroundings: Surroundings) throws(Issues) -> Project {
    let log = IssueLog()
    let project = read(at: root, in: surroundings, log: log)
    guard !log.hasErrors else { throw Issues(log.sorted) }
    return project
  }

  /// The project as it was when a run began: `runbook.yaml` and the documents are those that the run keeps, all else is
  /// today's.
  ///
  /// Throws every problem of `runbook.yaml` and `.env`.
  /// - Parameter snapshot: the folder that holds the run's sources by their paths in the project.
  package static func load(
    at root: String, asKeptIn snapshot: String, in surroundings: Surroundings
  ) throws(Issues) -> Project {
    let log = IssueLog()
    let project = read(at: root, documents: snapshot, in: surroundings, log: log)
    guard !log.hasErrors else { throw Issues(log.sorted) }
    return project
  }

  /// The project as far as it can be read, every problem reported.
  ///
  /// - Parameter documents: the folder to read them from; nil for the project's own.
  static func read(
    at root: String, documents: String? = nil, in surroundings: Surroundings, log: IssueLog
  ) -> Project {
    let own = ProjectFiles(root: root, isGuarded: surroundings.isRoot)
    let files = documents.map { ProjectFiles(root: $0, isGuarded: surroundings.isRoot) } ?? own
    let environment = ProjectEnvironment(own, surroundings, log)
    let description = files.read("runbook.yaml", log: log)
    let document = description.flatMap { Document($0, file: "runbook.yaml", log: log) }
    let reader = document.flatMap { MappingReader<ProjectKey>($0.root, subject: "runbook.yaml", log: log) }
    return Project(reader, description, own, files: files, environment: environment, surroundings, log: log)
  }

  private init(
    _ reader: MappingReader<ProjectKey>?, _ description: [UInt8]?, _ own: ProjectFiles, files: ProjectFiles,
    environment: ProjectEnvironment,
    _ surroundings: Project.Surroundings, log: IssueLog
  ) {
    root = own.root
    self.files = files
    self.description = description
    self.environment = environment.values
    environmentPlaces = environment.places
    judgeCertificates = surroundings.judgeCertificates
    let vault = reader?[.vault].flatMap { MappingReader<VaultKey>($0, subject: "vault", log: log) }
    vaultPath = vault?.text(.path)
    vaultRemote = vault.flatMap { VaultRemote(reading: $0, root: files.root, log: log) }
    vaultRecipients = vault?[.recipients].map { BackupSetReader.recipients($0, log: log) } ?? []
    let hasVault = vault != nil || !own.names(.backup).isEmpty
    channels = Self.channels(reader?[.channels], root: own.root, log: log)
    silences = Self.silences(reader?[.silence], channels: reader?[.channels], log: log)
    services = hasVault ? surroundings.services : surroundings.services.subtracting([.vault])
    name = reader?.text(.project) ?? own.root.split(separator: "/").last.map(String.init) ?? "/"
    stateFolder = reader?.text(.state)
    retention = reader?[.retention].flatMap { RetentionRules($0, log: log) }
    var targets: [TargetDeclaration] = []
    isInLab = surroundings.isInLab
    declaresTargets = reader?[.targets] != nil && !isInLab
    switch reader?[.targets] {
    case .mapping(let mapping)?:
      targets = mapping.entries.compactMap { TargetDeclaration(name: $0.key, $0.value, log: log) }
      if mapping.entries.isEmpty {
        log.error(
          "missing-value", "\"targets\" is empty", at: mapping.range,
          suggestion: "declare a target, or leave \"targets\" out")
      }
    case .refused?, nil: break
    case let node?:
      log.error("type-mismatch", "expected a mapping of names to targets, found \(node.kind)", at: node.range)
    }
    if !declaresTargets {
      targets = [TargetDeclaration(environment, log: log)].compactMap(\.self)
      // Else the target has told of them.
      if targets.isEmpty, !log.hasErrors { environment.warnOfMistypedNames(log: log) }
    }
    self.targets = targets
    missingServerAdvice = environment.nameMeant(for: TargetDeclaration.serverName)
    var readableNames = environment.readableNames
    readableNames?.warn(of: targets.flatMap(\.secretNames) + channels.flatMap(\.secretNames), log: log)
    self.readableNames = readableNames
    warnings = log.issues.filter { $0.severity == .warning }
  }

  /// Where the project keeps its runs: `RUNBOOK_STATE`, the `state` of `runbook.yaml`, `/var/lib/runbook` of an installed
  /// project, `.runbook` of the folder.
  package var statePath: String {
    if let path = environment[Self.stateVariable], !path.isEmpty {
      return path.hasPrefix("/") ? path : "\(root)/\(path)"
    }
    if let path = stateFolder { return path.hasPrefix("/") ? path : "\(root)/\(path)" }
    return root == "/etc/runbook" ? "/var/lib/runbook" : "\(root)/.runbook"
  }

  /// The names of the runbooks, sorted.
  package var runbookNames: [String] { files.names(.runbook) }

  /// The names of the checks, sorted.
  package var checkNames: [String] { files.names(.check) }

  /// The bytes of a file that issues name, for ``DiagnosticText``; nil if it cannot be read.
  package func bytes(of file: String) -> [UInt8]? {
    try? readFile(file.hasPrefix("/") ? file : "\(root)/\(file)", limit: Document.maximumSize).bytes
  }
}

/// Why there is no project to work in.
package struct ProjectError: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// None was named, and none is there.
    case notFound
    /// The folder that was named, by an option or `RUNBOOK_PROJECT`, is none.
    case notAProject
  }

  package var kind: Kind
  package var message: String
  /// What to do about it.
  package var advice: String
}
