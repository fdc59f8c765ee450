import Foundation
import Processes

/// A network of one test's own: a loopback interface, packet rules and nothing else. It ends with its last process.
enum TestNetwork {
  /// How this machine lets us make one: as root, or as root of a user namespace of our own; nil if neither is
  /// permitted.
  private static let flags: [String]? = [["--net"], ["--user", "--map-root-user", "--net"]].first { flags in
    let attempt = Process()
    attempt.executableURL = URL(filePath: "/usr/bin/unshare")
    attempt.arguments = flags + ["true"]
    attempt.standardError = FileHandle.nullDevice
    guard (try? attempt.run()) != nil else { return false }
    attempt.waitUntilExit()
    return attempt.terminationStatus == 0
  }

  static var isPermitted: Bool { flags != nil }

  /// A shell that runs a script as root of a new one. A command that fails ends the script.
  ///
  /// - Parameters:
  ///   - arguments: `$1`, `$2`, … of the script.
  ///   - isMounting: what the script mounts is seen by it alone.
  static func shell(_ script: String, _ arguments: [String], isMounting: Bool = false) -> Command {
    Command(
      "unshare", (flags ?? []) + (isMounting ? ["--mount"] : []) + ["/bin/sh", "-euc", script, "script"] + arguments)
  }
}
