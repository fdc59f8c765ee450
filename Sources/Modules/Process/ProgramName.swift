import Processes

/// How a process bears the name of a program. The kernel keeps 15 bytes of it, and the process may change those and its
/// arguments.
enum ProgramName {
  enum Evidence {
    /// The program's file has the name; or what the process calls itself, and how it was called, agree.
    case certain
    /// The process calls itself so, or was called so, and its program has another name, or cannot be seen.
    case doubtful
    case none
  }

  private static let kept = 15

  static func evidence(of name: String, in process: ProcessFacts) -> Evidence {
    let path = process.executablePath
    if path.map(lastPart) == name { return .certain }
    let isOwnName = Array(name.utf8.prefix(kept)) == process.entry.nameBytes
    // Of a thread of the kernel there is nothing else, and it has its name from the kernel.
    if process.executable == .none { return isOwnName ? .certain : .none }
    let arguments = process.firstArguments
    let isCalled = arguments.first.map { lastPart($0) == name || lastPart($0) == "-\(name)" } ?? false
    if isOwnName, isCalled { return .certain }
    // A script: the kernel gives it its own name, and its interpreter the arguments.
    if isOwnName, arguments.count > 1, lastPart(arguments[1]) == name { return .certain }
    // Fifteen bytes that are the start of a longer name tell little, and a whole name may be chosen.
    return isOwnName || isCalled ? .doubtful : .none
  }

  private static func lastPart(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? path }
}
