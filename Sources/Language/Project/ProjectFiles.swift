internal import Files
internal import Schema

/// The files of a project: which there are, and reading them with the care that their place asks for.
struct ProjectFiles: Sendable {
  /// The project's folder, absolute.
  let root: String
  /// Whether files that others may have changed are refused: as root, a runbook is a program run with all rights.
  let isGuarded: Bool

  /// The folders of documents, and the key by which each names its kind.
  enum Kind: String, CaseIterable {
    case runbook
    case check
    case backup

    var folder: String { "\(rawValue)s" }
  }

  /// The path of a document relative to the project.
  func path(_ kind: Kind, _ name: String) -> String { "\(kind.folder)/\(name).yaml" }

  /// The names of the documents of a kind, sorted.
  func names(_ kind: Kind) -> [String] {
    folderEntries("\(root)/\(kind.folder)").filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.map {
      String($0.dropLast(5))
    }
  }

  func exists(_ path: String) -> Bool { fileMode("\(root)/\(path)") != nil }

  /// The bytes of a file; nil, with a report, if it cannot be read or must not be trusted.
  ///
  /// - Parameter path: relative to the project.
  func read(_ path: String, log: IssueLog) -> [UInt8]? {
    let start = SourceRange(file: path, line: 1, column: 1)
    if isGuarded, let (problem, advice) = distrust(path) {
      log.error("file-not-trusted", problem, at: start, suggestion: advice)
      return nil
    }
    do {
      let content = try readFile("\(root)/\(path)", limit: Document.maximumSize)
      guard isGuarded, isWorldWritable(content.metadata.mode) else { return content.bytes }
      log.error(
        "file-not-trusted", "the file can be written by everybody", at: start, suggestion: "chmod o-w \(root)/\(path)")
    } catch {
      let code = error.isTooLarge ? "file-too-large" : "file-unreadable"
      log.error(code, "the file \(error.clause)", at: start)
    }
    return nil
  }

  /// Why a file must not be run as root, and how to mend it; nil if it may.
  private func distrust(_ path: String) -> (String, String)? {
    guard let real = resolvedPath("\(root)/\(path)"), let realRoot = resolvedPath(root) else { return nil }
    guard lies(real, in: realRoot) == true else {
      return (
        "the file is a link out of the project, to \(real)",
        "put a copy into the project: cp --remove-destination \(real) \(root)/\(path)"
      )
    }
    var folder = real
    while let slash = folder.lastIndex(of: "/"), folder != realRoot {
      folder = String(folder[..<slash])
      if folder.isEmpty { break }
      if let mode = fileMode(folder), isWorldWritable(mode) {
        return (
          "everybody can put files into its folder \(folder)", "chmod o-w \(folder) && chown root: \(folder)"
        )
      }
    }
    return nil
  }
}
