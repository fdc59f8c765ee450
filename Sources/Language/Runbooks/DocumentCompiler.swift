internal import Journal
internal import Schema
internal import Steps

/// Reads and checks the documents of a project; every check once, however many use it.
final class DocumentCompiler {
  let files: ProjectFiles
  let catalog: Catalog
  /// What modules may need that the project has.
  let services: Set<Service>
  let log: IssueLog
  /// Names of the environment that the project's targets take secrets from.
  let hiddenEnvironment: Set<String>
  private var checks: [String: CheckedCheck?] = [:]
  /// The checks that are being read, outermost first.
  private var open: [String] = []
  /// How deeply checks may use each other.
  private static let maximumDepth = 16

  init(files: ProjectFiles, catalog: Catalog, services: Set<Service>, hiddenEnvironment: Set<String>, log: IssueLog) {
    self.files = files
    self.catalog = catalog
    self.services = services
    self.hiddenEnvironment = hiddenEnvironment
    self.log = log
  }

  /// A runbook by name; nil if nothing can be said of it.
  func runbook(_ name: String) -> CheckedRunbook? {
    let path = files.path(.runbook, name)
    guard let (reader, source) = read(path, .runbook, name, RunbookKey.runbook) else { return nil }
    return RunbookCompiler(reader, name: name, source: source, documents: self).runbook()
  }

  /// A check by name; nil, with one report, if nothing can be said of it.
  func check(_ name: String) -> CheckedCheck? {
    if let known = checks[name] { return known }
    open.append(name)
    defer { open.removeLast() }
    var check: CheckedCheck?
    if let (reader, source) = read(files.path(.check, name), .check, name, CheckKey.check) {
      check = CheckCompiler(reader, name: name, source: source, documents: self).check()
    }
    checks[name] = .some(check)
    return check
  }

  /// The check that a step uses; nil, with a report at the place, if there is none, or where it would use itself.
  func check(_ name: String, usedAt range: SourceRange) -> CheckedCheck? {
    if let start = open.firstIndex(of: name) {
      let circle = (open[start...] + [name]).map { "checks/\($0)" }.joined(separator: " → ")
      log.error(
        "check-recursion", "a check cannot use itself: \(circle)", at: range,
        suggestion: "put what several checks share into a check of its own")
      return nil
    }
    guard open.count < Self.maximumDepth else {
      log.error(
        "check-depth", "checks use each other more than \(Self.maximumDepth) deep", at: range,
        suggestion: "use fewer checks inside checks")
      return nil
    }
    guard isDocumentName(name), files.exists(files.path(.check, name)) else {
      let near = nearName(to: name, among: files.names(.check)).map { "checks/\($0)" }
      log.error(
        "unknown-check", "there is no check \"\(name)\" in checks/", at: range,
        meant: near, suggestion: "a check is a file checks/NAME.yaml")
      return nil
    }
    return check(name)
  }

  /// A document by its kind and name; nil, with a report, if nothing can be said of it.
  ///
  /// - Parameter nameKey: the key that names the document.
  func read<Key>(_ kind: ProjectFiles.Kind, _ name: String, _ nameKey: Key) -> MappingReader<Key>? {
    read(files.path(kind, name), kind, name, nameKey)?.0
  }

  private func read<Key>(_ path: String, _ kind: ProjectFiles.Kind, _ name: String, _ nameKey: Key) -> (
    MappingReader<Key>, RunSource
  )? {
    guard let bytes = files.read(path, log: log), let document = Document(bytes, file: path, log: log) else {
      return nil
    }
    guard case .mapping(let mapping) = document.root, let first = mapping.entries.first else {
      log.error(
        "kind-missing", "a \(kind.rawValue) is a mapping whose first key is \"\(kind.rawValue)\"",
        at: document.root.range, suggestion: "begin with \"\(kind.rawValue): NAME\"")
      return nil
    }
    if first.key.text != kind.rawValue {
      report(first.key, kind, hasKind: mapping[kind.rawValue] != nil)
      guard mapping[kind.rawValue] != nil, !Self.unsupportedKinds.contains(first.key.text) else { return nil }
    }
    return self.document(document, path, kind, name, nameKey, bytes)
  }

  private func document<Key>(
    _ document: Document, _ path: String, _ kind: ProjectFiles.Kind, _ name: String, _ nameKey: Key, _ bytes: [UInt8]
  ) -> (MappingReader<Key>, RunSource)? {
    guard let reader = MappingReader<Key>(document.root, subject: "a \(kind.rawValue)", log: log) else { return nil }
    let place = reader[nameKey]?.range ?? reader.range
    if let given = reader.text(nameKey), given != name {
      log.error(
        "name-mismatch", "the file \(path) must name its \(kind.rawValue) \"\(name)\", not \"\(given)\"", at: place)
    }
    if !isDocumentName(name) {
      log.error(
        "name-form", "\"\(name)\" is no name of a \(kind.rawValue): lower-case letters, digits, hyphens between them",
        at: place, suggestion: "rename the file")
    }
    return (reader, RunSource(path: path, bytes: bytes))
  }

  private static let unsupportedKinds = ["rehearsal"]

  private func report(_ key: YAMLNode.Scalar, _ kind: ProjectFiles.Kind, hasKind: Bool) {
    if Self.unsupportedKinds.contains(key.text) {
      log.error(
        "unsupported-kind", "documents of the kind \"\(key.text)\" are not supported by this version", at: key.range,
        suggestion: "take the file out of the project")
    } else if hasKind {
      log.error("kind-missing", "\"\(kind.rawValue)\" must be the first key", at: key.range)
    } else if let other = ProjectFiles.Kind(rawValue: key.text) {
      log.error(
        "kind-missing", "this is a \(other.rawValue); it belongs into the folder \(other.folder)", at: key.range,
        suggestion: "move the file to \(other.folder)/")
    } else {
      log.error("kind-missing", "the first key must be \"\(kind.rawValue)\", with the document's name", at: key.range)
    }
  }
}
