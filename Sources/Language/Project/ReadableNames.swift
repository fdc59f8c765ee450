internal import Schema

/// The names in an environment file that everybody on the machine can read.
struct ReadableNames: Sendable {
  /// The file, for people to mend.
  private let path: String
  private var places: [String: SourceRange]

  /// Nil if others than owner and group cannot read the file.
  init?(_ file: EnvironmentFile, path: String) {
    guard let mode = fileMode(path), mode & 0o004 != 0 else { return nil }
    self.path = path
    places = file.places
  }

  /// Warns of those names that secrets are read from; of each once.
  mutating func warn(of secrets: some Sequence<String>, log: IssueLog) {
    let names = Set(secrets).filter { places[$0] != nil }.sorted()
    guard let first = names.first, let place = places[first] else { return }
    for name in names { places[name] = nil }
    log.warning(
      "secret-readable", "everybody on this machine can read \(path), which holds \(names.joined(separator: ", "))",
      at: place, suggestion: "chmod o= \(path)")
  }
}
