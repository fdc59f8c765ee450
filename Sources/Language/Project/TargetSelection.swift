internal import Addresses
package import Schema

extension Project {
  /// The servers that a selection names, with their secrets: `NAME`, `LABEL=VALUE` or `all`; without one the only target,
  /// or none if there is none.
  ///
  /// Throws if nothing is selected, if several are and none was named, and for every secret that is missing and
  /// every certificate that cannot be used.
  /// - Parameter warn: gets what does not keep the servers from being used.
  package func targets(
    selectedBy selection: String?, warn: (Issue) -> Void = { _ in }
  ) throws(Issues) -> [TURNServer] {
    let log = IssueLog()
    let servers = try selected(selection).map { target in
      target.checkFiles(root: root, judgeCertificates, log: log)
      return target.server(environment, root: root, log: log)
    }
    if log.hasErrors { throw Issues(log.sorted) }
    log.sorted.forEach(warn)
    return servers.compactMap(\.self)
  }

  /// The server that the environment names, project or not: `TURN_SERVER`, with all else that the only target of a project
  /// has; nil if none is named.
  ///
  /// Throws every problem of `.env`, for a URI that is none, and as ``targets(selectedBy:warn:)``.
  /// - Parameters:
  ///   - folder: where `.env` lies, and what the names of files are relative to.
  ///   - uri: to take in the place of `TURN_SERVER`; `TURN_TLS_SERVER` goes with it if it or `TURN_SERVER` is the same host's, and
  ///     the URI is not itself one over TLS.
  ///   - warn: gets what does not keep the server from being used.
  package static func server(
    namedIn folder: String, _ surroundings: Surroundings, uri: String?, warn: (Issue) -> Void = { _ in }
  ) throws(Issues) -> TURNServer? {
    let log = IssueLog()
    var environment = ProjectEnvironment(folder: folder, surroundings, log)
    if let uri { environment.take(uri) }
    let target = TargetDeclaration(environment, log: log)
    target?.checkFiles(root: folder, surroundings.judgeCertificates, log: log)
    let server = target?.server(environment.values, root: folder, log: log)
    environment.readableNames?.warn(of: target?.secretNames ?? [], log: log)
    if log.hasErrors { throw Issues(log.sorted) }
    log.sorted.forEach(warn)
    return server
  }

  /// What to say where ``server(namedIn:_:uri:warn:)`` found none and `.env` seems to have been meant to name one.
  package static func missingServerAdvice(in folder: String, _ surroundings: Surroundings) -> String? {
    ProjectEnvironment(folder: folder, surroundings, IssueLog()).nameMeant(for: TargetDeclaration.serverName)
  }

  private func selected(_ selection: String?) throws(Issues) -> [TargetDeclaration] {
    guard let selection else {
      if targets.count <= 1 { return targets }
      throw refusal("target-not-named", "the project has \(targets.count) targets; say which with --target", list)
    }
    if selection == "all" {
      guard !targets.isEmpty else { throw noTarget }
      return targets
    }
    if let equals = selection.firstIndex(of: "=") {
      let label = String(selection[..<equals])
      let value = String(selection[selection.index(after: equals)...])
      let found = targets.filter { $0.labels[label] == value }
      guard found.isEmpty else { return found }
      let near = nearName(to: selection, among: labels)
      throw refusal("unknown-target", "no target has the label \(selection)", meant: near, list)
    }
    if let found = targets.first(where: { $0.name == selection }) { return [found] }
    guard !targets.isEmpty else { throw noTarget }
    let near = nearName(to: selection, among: targets.map(\.name))
    throw refusal("unknown-target", "there is no target \"\(selection)\"", meant: near, list)
  }

  /// Everything that ``targets(selectedBy:warn:)`` would find something for: names, labels, and `all`.
  package var targetSelections: [String] {
    guard !targets.isEmpty else { return [] }
    return targets.map(\.name) + Set(labels).sorted() + ["all"]
  }

  /// Of every target, as `LABEL=VALUE`.
  private var labels: [String] { targets.flatMap { $0.labels.map { "\($0.key)=\($0.value)" } } }

  /// What to say where a target is needed and the project has none.
  var noTarget: Issues {
    refusal(
      "missing-target", "the project has no target",
      missingServerAdvice
        ?? "declare targets in runbook.yaml, or set TURN_SERVER, TURN_USERNAME and TURN_CREDENTIAL in .env")
  }

  private var list: String {
    if isInLab { return "`lab exec` leaves out those of runbook.yaml; there is default, the server of the environment" }
    return "there are \(targets.map(\.name).joined(separator: ", ")), and all"
  }

  private func refusal(_ code: String, _ message: String, meant: String? = nil, _ suggestion: String) -> Issues {
    let place = SourceRange(file: "runbook.yaml", line: 1, column: 1)
    return Issues([Issue(.error, code, message, at: place, meant: meant, suggestion: suggestion)])
  }
}

extension ProjectEnvironment {
  /// Puts a URI in the place of `TURN_SERVER`.
  fileprivate mutating func take(_ uri: String) {
    let hosts = [TargetDeclaration.serverName, TargetDeclaration.tlsServerName].compactMap { name in
      values[name].flatMap { try? ServerURI(parsing: $0) }?.host
    }
    let given = try? ServerURI(parsing: uri)
    if given?.scheme.isSecure != false || !hosts.contains(where: { $0 == given?.host }) {
      values[TargetDeclaration.tlsServerName] = nil
    }
    values[TargetDeclaration.serverName] = uri
  }

  /// That of a folder, project or not.
  fileprivate init(folder: String, _ surroundings: Project.Surroundings, _ log: IssueLog) {
    self.init(ProjectFiles(root: folder, isGuarded: surroundings.isRoot), surroundings, log)
  }
}
