internal import Schema

/// The process environment over a file of `NAME=VALUE` lines.
struct ProjectEnvironment {
  /// Empty where neither is to be asked.
  var values: [String: String] = [:]
  /// Where the names stand whose values come from the file.
  var places: [String: SourceRange] = [:]
  /// The names in the file that everybody can read.
  var readableNames: ReadableNames?

  /// Reads the file that was named, which must be there, or the project's `.env`.
  init(_ files: ProjectFiles, _ surroundings: Project.Surroundings, _ log: IssueLog) {
    guard surroundings.readsEnvironment else { return }
    var file: EnvironmentFile?
    var path = "\(files.root)/.env"
    if let given = surroundings.environmentFile {
      path = Project.absolute(given, in: surroundings)
      do {
        let bytes = try readFile(path, limit: Document.maximumSize).bytes
        file = EnvironmentFile(bytes, file: given, log: log)
      } catch {
        log.error("file-unreadable", "the file \(error.message)", at: SourceRange(file: given, line: 1, column: 1))
      }
    } else if files.exists(".env"), let bytes = files.read(".env", log: log) {
      file = EnvironmentFile(bytes, file: ".env", log: log)
    }
    values = (file?.values ?? [:]).merging(surroundings.environment) { _, process in process }
    places = (file?.places ?? [:]).filter { surroundings.environment[$0.key] == nil }
    readableNames = file.flatMap { ReadableNames($0, path: path) }
  }
}
