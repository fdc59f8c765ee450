import Files
import Glibc

/// The program that runs, as others are to start it.
enum OwnProgram {
  /// The path by which it was found, if that is absolute and leads to it: a link stays, and with it what an upgrade makes of it. Else
  /// where its file lies.
  static var path: String {
    let file = try? resolvedPath("/proc/self/exe")
    return found.first { (try? resolvedPath($0)) == file && file != nil } ?? file ?? "/usr/bin/runbook"
  }

  /// What the shell that started it may have found: the name as it was given, or in each folder of PATH.
  private static var found: [String] {
    let name = CommandLine.arguments.first ?? "runbook"
    if name.contains("/") { return [name].filter { $0.hasPrefix("/") } }
    return (environmentVariable("PATH") ?? "").split(separator: ":").filter { $0.hasPrefix("/") }.map {
      "\($0)/\(name)"
    }
  }
}
