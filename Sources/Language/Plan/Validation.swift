package import Schema
package import Steps

extension Project {
  /// Every problem of a project, `runbook.yaml` and `.env` included, each once, in the order of files and lines.
  ///
  /// Unlike ``load(at:in:)`` it goes on where those two have problems.
  /// - Parameter paths: files and folders to look at, relative to the project or absolute, or names of runbooks and checks;
  ///   nil for all. What they use is looked at as well.
  package static func validate(
    at root: String, in surroundings: Surroundings, _ paths: [String]? = nil, catalog: Catalog
  ) -> [Issue] {
    let log = IssueLog()
    read(at: root, in: surroundings, log: log).validate(paths, catalog, log)
    return log.sorted
  }

  /// Every problem of the documents of a project that was read; warnings included.
  package func validate(_ paths: [String]? = nil, catalog: Catalog) -> [Issue] {
    let log = IssueLog()
    log.report(warnings)
    validate(paths, catalog, log)
    return log.sorted
  }

  private func validate(_ paths: [String]?, _ catalog: Catalog, _ log: IssueLog) {
    for target in targets { target.checkFiles(root: root, judgeCertificates, log: log) }
    let compiler = compiler(catalog, log)
    for (kind, name) in documents(paths, log) {
      let steps: [CheckedStep]? =
        switch kind {
        case .runbook: compiler.runbook(name)?.stages.all
        case .check: compiler.check(name)?.steps
        case .backup: compiler.backupSet(name, in: self) == nil ? nil : []
        }
      reportImpossible(steps ?? [], log)
    }
  }

  /// Reports the steps that can never be done, whatever params are given and whichever target is taken.
  private func reportImpossible(_ steps: [CheckedStep], _ log: IssueLog) {
    let found = Self.anyTargets.map { target in
      var scope = Scope()
      scope.target = target
      let found = IssueLog()
      var known = KnownInputs(scope: scope, knowsGiven: false, log: found)
      known.check(steps.map(\.step))
      return found.issues.filter { $0.code == "cannot-work" }
    }
    for issue in found[0] where found.allSatisfy({ $0.contains { $0.range == issue.range } }) { log.report(issue) }
  }

  /// One target of each kind, for what is wrong with all of them.
  private static let anyTargets = ["turn", "turns"].map { scheme in
    TURNServer(
      name: scheme, uri: "\(scheme):target.invalid", host: "target.invalid", username: "target",
      credential: Secret("target"))
  }

  private func documents(_ paths: [String]?, _ log: IssueLog) -> [(ProjectFiles.Kind, String)] {
    let all = ProjectFiles.Kind.allCases.flatMap { kind in files.names(kind).map { (kind, $0) } }
    guard let paths else {
      reportStrangeNames(log)
      return all
    }
    var chosen: [(ProjectFiles.Kind, String)] = []
    for path in paths {
      let relative = relative(path)
      let found = all.filter { kind, name in
        let file = files.path(kind, name)
        return relative.isEmpty || file == relative || file == "\(relative).yaml" || file.hasPrefix(relative + "/")
          || (kind == .runbook && name == relative)
      }
      if found.isEmpty, relative != "runbook.yaml" {
        let near = nearName(to: relative, among: all.map { files.path($0, $1) } + files.names(.runbook))
        log.error(
          "unknown-file", "the project has no runbook, check or backup set of this path or name",
          at: SourceRange(file: path, line: 1, column: 1), meant: near)
      }
      for document in found where !chosen.contains(where: { $0 == document }) { chosen.append(document) }
    }
    return chosen
  }

  /// A path as seen from the project's folder; empty for the folder itself.
  private func relative(_ path: String) -> String {
    var path = path
    if path.hasPrefix("/") {
      path = resolvedPath(path) ?? path
      let root = resolvedPath(root) ?? root
      if path == root { return "" }
      if path.hasPrefix(root + "/") { path = String(path.dropFirst(root.count + 1)) }
    }
    while path.hasPrefix("./") { path = String(path.dropFirst(2)) }
    while path.hasSuffix("/") { path.removeLast() }
    return path == "." ? "" : path
  }

  /// Files that look like documents and would never be found by name.
  private func reportStrangeNames(_ log: IssueLog) {
    for kind in ProjectFiles.Kind.allCases {
      for name in folderEntries("\(root)/\(kind.folder)") where name.hasSuffix(".yml") {
        log.warning(
          "file-ignored", "a \(kind.rawValue) is a file NAME.yaml; this one is never found",
          at: SourceRange(file: "\(kind.folder)/\(name)", line: 1, column: 1),
          suggestion: "rename it to \(name.dropLast(4)).yaml")
      }
    }
  }
}
