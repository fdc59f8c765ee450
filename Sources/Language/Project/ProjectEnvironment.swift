internal import Files
internal import Schema

/// The process environment over a file of `NAME=VALUE` lines.
struct ProjectEnvironment {
  /// Nothing but where runs are kept, if neither is to be asked.
  var values: [String: String] = [:]
  /// Where the names stand whose values come from the file.
  var places: [String: SourceRange] = [:]
  /// The names in the file that everybody can read.
  var readableNames: ReadableNames?

  /// What a server is described by where the project declares none.
  static let targetNames = [
    TargetDeclaration.serverName, TargetDeclaration.tlsServerName, "TURN_USERNAME", "TURN_CREDENTIAL", "TURN_SECRET",
    "TURN_REALM", "TURN_CA", "TURN_CERT", "TURN_KEY",
  ]

  /// What other programs call them, behind `TURN_`.
  private static let foreignWords = [
    "TURN_SERVER": ["URI", "URL", "HOST"], "TURN_USERNAME": ["USER"], "TURN_CREDENTIAL": ["PASSWORD", "PASS"],
  ]

  /// Reads the file that was named, which must be there, or the project's `.env`. Where `runbook lab exec` has started us,
  /// what that says of servers is left out.
  init(_ files: ProjectFiles, _ surroundings: Project.Surroundings, _ log: IssueLog) {
    // Where nothing is asked of them, they may be wrong.
    let log = surroundings.readsEnvironment ? log : IssueLog()
    var file: EnvironmentFile?
    var path = "\(files.root)/.env"
    if let given = surroundings.environmentFile {
      path = Project.absolute(given, in: surroundings)
      do {
        let bytes = try readFile(path, limit: Document.maximumSize).bytes
        file = EnvironmentFile(bytes, file: given, log: log)
      } catch {
        log.error(
          "file-unreadable", "the file \(error.clause)", at: SourceRange(file: given, line: 1, column: 1),
          suggestion: "check the path of --env-file")
      }
    } else if files.exists(".env"), let bytes = files.read(".env", log: log) {
      file = EnvironmentFile(bytes, file: ".env", log: log)
      if surroundings.isInLab { file?.forget(Self.targetNames) }
    }
    values = (file?.values ?? [:]).merging(surroundings.environment) { _, process in process }
    guard surroundings.readsEnvironment else {
      // Where runs are kept is no target's and no secret.
      values = values.filter { $0.key == Project.stateVariable }
      return
    }
    places = (file?.places ?? [:]).filter { surroundings.environment[$0.key] == nil }
    readableNames = file.flatMap { ReadableNames($0, path: path) }
  }

  /// Warns of names of the file that nothing reads, and that differ from one that is read and not set by a slip.
  func warnOfMistypedNames(log: IssueLog) {
    let prefix = "TURN_"
    let known = Self.targetNames.map { String($0.dropFirst(prefix.count)) }
    for (name, place) in places.sorted(by: { $0.key < $1.key })
    where name.hasPrefix(prefix) && !Self.targetNames.contains(name) {
      guard let meant = nearName(to: String(name.dropFirst(prefix.count)), among: known),
        values[prefix + meant, default: ""].isEmpty
      else { continue }
      log.warning(
        "unread-name", "nothing reads \(name)", at: place, meant: prefix + meant)
    }
  }

  /// Where the file has a name that was most likely to be this one of ``targetNames``, as advice; nil if it has none.
  ///
  /// The file alone is looked at: what the process has may be another program's.
  func nameMeant(for name: String) -> String? {
    let foreign = Self.foreignWords[name, default: []].map { "TURN_\($0)" }
    let unread = places.keys.filter { !Self.targetNames.contains($0) }
    guard let found = foreign.first(where: unread.contains) ?? nearName(to: name, among: unread),
      let place = places[found]
    else { return nil }
    return "\(place.file):\(place.line) has \(found); did you mean \(name)?"
  }
}
