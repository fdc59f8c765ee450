import CLinux
import Glibc

/// One posix_spawn(3): a child in a session of its own, with exactly the arguments, the variables and the descriptors
/// named here, default signal dispositions and an empty signal mask.
///
/// Why not swift-subprocess: it reaps the child and closes its pipes in the same breath, and waits for an end of output
/// that a grandchild may hold back for ever. What is wanted here (look at the session before its leader is reaped, go on
/// reading while it is being ended, hand over further descriptors) needs the pipes, the pidfd and the moment of reaping
/// in our own hands, and then little of it would be left in use.
struct Spawn {
  /// The path of the program; its basename is no concern of ours, `arguments[0]` is.
  let path: String
  let arguments: [String]
  let environment: [String: String]
  let directory: String?
  /// What the child gets as descriptor 0, 1, 2 and so on: numbers of open descriptors of ours, each at least
  /// `Descriptor.lowest`. The child gets no others.
  let descriptors: [Int32]

  func callAsFunction() throws(ProcessError) -> pid_t {
    for text in [path, directory ?? ""] + arguments where text.utf8.contains(0) {
      throw ProcessError(.invalidText, "an argument of \(path) holds a NUL byte")
    }
    for (name, value) in environment {
      guard !name.isEmpty, !name.utf8.contains(0), !name.contains("=") else {
        throw ProcessError(.invalidText, "\"\(name)\" cannot be the name of an environment variable")
      }
      guard !value.utf8.contains(0) else {
        throw ProcessError(.invalidText, "the environment variable \(name) holds a NUL byte")
      }
    }
    if let directory { try Self.checkFolder(directory) }

    let variables = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    var pid: pid_t = 0
    var failure: Int32 = 0
    // A program that was written a moment ago may still be open for writing in a child of ours between fork and exec.
    for _ in 0..<100 {
      failure = withCStrings(arguments) { arguments in
        withCStrings(variables) { variables in
          runbook_spawn(&pid, path, directory, arguments, variables, descriptors, Int32(descriptors.count))
        }
      }
      guard failure == ETXTBSY else { break }
      usleep(5_000)
    }
    switch failure {
    case 0: return pid
    case ENOENT: throw ProcessError(.notExecutable, "\(path) names an interpreter that is not there")
    case ENOEXEC, EACCES:
      throw ProcessError(.notExecutable, "\(path) is nothing that can be executed: \(String(errorNumber: failure))")
    default: throw ProcessError(.system, "\(path) could not be started: \(String(errorNumber: failure))")
    }
  }
}

extension Spawn {
  /// Throws if a command could not start in the folder.
  static func checkFolder(_ folder: String) throws(ProcessError) {
    guard access(folder, X_OK) == 0 else {
      throw ProcessError(.workingDirectory, "\(folder) cannot be entered: \(String(errorNumber: errno))")
    }
  }
}

/// Calls `body` with a C array of the strings, ended by a null pointer.
private func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
  let copies = strings.map { strdup($0) }
  defer { for copy in copies { free(copy) } }
  return body(copies + [nil])
}
