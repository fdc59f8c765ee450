import Glibc

/// Finds the file that a command's name stands for, as execvp(3) does, but with a reason where there is none.
enum ExecutableSearch {
  /// The path to execute for `name`. A name with a slash is a path, relative to `directory`; any other is looked for in
  /// the folders of `searchPath`, the child's `PATH`.
  static func path(of name: String, searchPath: String, directory: String?) throws(ProcessError) -> String {
    guard !name.isEmpty else { throw ProcessError(.notFound, "the command's name is empty") }
    if name.contains("/") {
      switch examine(name.hasPrefix("/") ? name : (directory.map { $0 + "/" + name } ?? name)) {
      case .executable: return name
      case .unusable: throw ProcessError(.notExecutable, "\(name) may not be executed")
      case .unreachable: throw ProcessError(.notExecutable, "\(name) lies in a folder that may not be entered")
      case .absent: throw ProcessError(.notFound, "there is no file \(name)")
      }
    }
    var unusable: String?
    // An empty entry would be the working directory (POSIX); nothing is executed from there unless asked for by path.
    for folder in searchPath.split(separator: ":") {
      let candidate = "\(folder)/\(name)"
      switch examine(candidate) {
      case .executable: return candidate
      case .unusable: unusable = unusable ?? candidate
      case .unreachable, .absent: continue
      }
    }
    if let unusable { throw ProcessError(.notExecutable, "\(unusable) may not be executed") }
    throw ProcessError(.notFound, "there is no command \(name) in PATH (\(searchPath))")
  }

  private enum Finding {
    case executable
    case unusable
    case unreachable
    case absent
  }

  private static func examine(_ path: String) -> Finding {
    var status = stat()
    guard stat(path, &status) == 0 else { return errno == EACCES ? .unreachable : .absent }
    guard status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { return .unusable }
    return .executable
  }
}
