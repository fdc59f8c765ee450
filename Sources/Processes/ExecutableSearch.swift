import Glibc

/// Finds the file that a command's name stands for, as execvp(3) does, but with a reason if there is none.
enum ExecutableSearch {
  /// The path to execute for `name`. A name with a slash is a path, relative to `directory`; any other is looked for in
  /// the folders of `searchPath`, the child's `PATH`.
  static func path(of name: String, searchPath: String, directory: String?) throws(ProcessError) -> String {
    guard !name.isEmpty else { throw ProcessError(.notFound, "the command's name is empty") }
    if name.contains("/") {
      let file = name.hasPrefix("/") ? name : (directory.map { $0 + "/" + name } ?? name)
      switch examine(file) {
      case .executable:
        try checkInterpreter(of: file, in: directory)
        return name
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
      case .executable:
        try checkInterpreter(of: candidate, in: directory)
        return candidate
      case .unusable: unusable = unusable ?? candidate
      case .unreachable, .absent: continue
      }
    }
    if let unusable { throw ProcessError(.notExecutable, "\(unusable) may not be executed") }
    throw ProcessError(.notFound, "there is no command \(name) in PATH (\(searchPath))")
  }

  private enum Candidate {
    case executable
    case unusable
    case unreachable
    case absent
  }

  private static func examine(_ path: String) -> Candidate {
    var status = stat()
    guard stat(path, &status) == 0 else { return errno == EACCES ? .unreachable : .absent }
    guard status.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { return .unusable }
    return .executable
  }

  /// Throws if the first line of a script names an interpreter that is not there, which the kernel calls a file that is not there.
  /// What cannot be read is left to the kernel.
  private static func checkInterpreter(of path: String, in directory: String?) throws(ProcessError) {
    guard let line = interpreterLine(of: path) else { return }
    guard line.last != UInt8(ascii: "\r") else {
      throw ProcessError(
        .lineEnds, "the first line of \(path) ends in a carriage return: the file has the line ends of Windows")
    }
    let blanks = [UInt8(ascii: " "), UInt8(ascii: "\t")]
    let name = line.drop { blanks.contains($0) }.prefix { !blanks.contains($0) }
    let interpreter = String(decoding: name, as: UTF8.self)
    let file = interpreter.hasPrefix("/") ? interpreter : (directory.map { $0 + "/" + interpreter } ?? interpreter)
    guard !name.isEmpty, examine(file) == .absent else { return }
    throw ProcessError(.notExecutable, "\(path) names the interpreter \(interpreter), which is not there")
  }

  /// How much of a file the kernel looks at for `#!` (`BINPRM_BUF_SIZE`).
  private static let longestLine = 256

  /// What stands behind `#!` in the first line, its line break left out; nil for a file that is no script.
  private static func interpreterLine(of path: String) -> ArraySlice<UInt8>? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: longestLine)
    let count = bytes.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
    guard count > 2, bytes.starts(with: "#!".utf8) else { return nil }
    guard let end = bytes[..<count].firstIndex(of: UInt8(ascii: "\n")) else { return nil }
    return bytes[2..<end]
  }
}
