import Foundation
import Glibc
import TestSupport

/// A program that runs for as long as a test needs it; killed with the last reference to it.
///
/// Foundation's would wait until every program that was started meanwhile has ended, too: each inherits a socket of its.
final class LiveProcess: Sendable {
  let pid: Int32
  /// What it writes; its input is a pipe that nothing is written into.
  private let output: Int32
  private let input: Int32

  struct NotReady: Error {}

  /// Starts a program, and returns when it is the one that runs.
  ///
  /// - Parameters:
  ///   - arguments: without its name.
  ///   - isReplacingItself: true if it goes on as another program at once, which the test waits for itself.
  init(_ path: String, _ arguments: [String] = [], isReplacingItself: Bool = false) throws {
    var (inputs, outputs): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard pipe(&inputs) == 0, pipe(&outputs) == 0 else { throw NotReady() }
    for descriptor in inputs + outputs { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    (output, input) = (outputs[0], inputs[1])
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, inputs[0], 0)
    posix_spawn_file_actions_adddup2(&actions, outputs[1], 1)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    var signals = sigset_t()
    sigfillset(&signals)
    posix_spawnattr_setsigdefault(&attributes, &signals)
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    defer {
      for word in words { free(word) }
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
      close(inputs[0])
      close(outputs[1])
    }
    var child: pid_t = 0
    guard posix_spawn(&child, path, &actions, &attributes, &words, environ) == 0 else { throw NotReady() }
    pid = child
    let real = URL(filePath: path).resolvingSymlinksInPath().path
    guard !isReplacingItself else { return }
    try wait { Self.link("/proc/\($0)/exe") == real }
  }

  /// Runs a script of the shell, and returns when it has written a line.
  static func shell(_ script: String) throws -> LiveProcess {
    let process = try LiveProcess("/bin/sh", ["-euc", script], isReplacingItself: true)
    try process.awaitLine()
    return process
  }

  /// Waits for a line of its output, and gives it.
  @discardableResult
  func awaitLine() throws -> String {
    var text = ""
    let end = ContinuousClock.now + .seconds(30)
    while !text.hasSuffix("\n") {
      var event = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard ContinuousClock.now < end else { throw NotReady() }
      guard poll(&event, 1, 100) > 0 else { continue }
      var byte: UInt8 = 0
      guard read(output, &byte, 1) == 1 else { throw NotReady() }
      text.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return String(text.dropLast())
  }

  /// Waits, at most 30 seconds, until something holds of it.
  func wait(until holds: (Int32) -> Bool) throws {
    let end = ContinuousClock.now + .seconds(30)
    while !holds(pid) {
      guard ContinuousClock.now < end else { throw NotReady() }
      usleep(1000)
    }
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// The state letter of a process (proc(5)); nil if there is none.
  static func state(_ pid: Int32) -> Character? {
    (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .isoLatin1))?.split(separator: ")").last?
      .first { $0 != " " }
  }

  private static func link(_ path: String) -> String? {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: path))
  }

  deinit {
    kill(pid, SIGKILL)
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    close(input)
    close(output)
  }
}

extension TemporaryFolder {
  /// A copy of a program under another name; its path.
  func copy(of program: String, named name: String) throws -> String {
    let path = "\(self.path)/\(name)"
    try FileManager.default.copyItem(
      atPath: URL(filePath: program).resolvingSymlinksInPath().path, toPath: path)
    return URL(filePath: path).resolvingSymlinksInPath().path
  }
}
