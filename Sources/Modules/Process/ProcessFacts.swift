import Glibc
import Processes
import Schema

/// What the kernel tells of one process, from the line that was read of it on.
struct ProcessFacts: Sendable {
  let entry: ProcessEntry
  /// Where its files and program are to be seen: `/proc/PID`, or a thread of it if the first one has ended.
  let folder: String
  let executable: Executable

  /// The program that it runs.
  enum Executable: Hashable, Sendable {
    case path(String)
    /// This user may not see it.
    case hidden
    /// A thread of the kernel runs none.
    case none
  }

  var pid: Int { Int(entry.pid) }

  /// Nil if there is no such process, or it ended while it was looked at.
  init?(_ entry: ProcessEntry) {
    self.entry = entry
    var folder = "/proc/\(entry.pid)"
    if entry.isFirstThreadGone, !entry.isZombie {
      let threads = namesInFolder("\(folder)/task").filter { $0 != "\(entry.pid)" }
      guard let living = threads.first(where: { linkTarget("\(folder)/task/\($0)/exe") != nil }) else { return nil }
      folder += "/task/\(living)"
    }
    self.folder = folder
    if let path = linkTarget("\(folder)/exe") {
      executable = .path(path)
    } else if errno == EACCES || errno == EPERM {
      executable = .hidden
    } else if entry.isKernelThread || entry.isZombie {
      executable = .none
    } else {
      return nil
    }
  }

  /// Whether its program's file was replaced or removed since it was started.
  var isReplaced: Bool {
    var status = stat()
    return stat("\(folder)/exe", &status) == 0 && status.st_nlink == 0
  }

  /// The program's path, without what the kernel adds if it is gone; nil if it cannot be seen, or there is none.
  var executablePath: String? {
    guard case .path(let path) = executable else { return nil }
    let mark = " (deleted)"
    return path.hasSuffix(mark) && isReplaced ? String(path.dropLast(mark.count)) : path
  }

  /// The first two of its arguments, the program's name included. They are the process's own to change.
  var firstArguments: [String] {
    guard let bytes = readSmallFile("\(folder)/cmdline") else { return [] }
    return bytes.split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false).prefix(2)
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// The user by whose rights it acts; nil if it ended meanwhile.
  var user: uid_t? { statusNumbers("Uid:")?.dropFirst().first }

  /// The process that a number belongs to: another one if it is a thread's. Nil if there is neither.
  static func process(ofThread number: pid_t) -> pid_t? {
    Self.numbers("Tgid:", in: "/proc/\(number)/status")?.first.flatMap { pid_t(exactly: $0) }
  }

  private func statusNumbers(_ name: String) -> [uid_t]? { Self.numbers(name, in: "\(folder)/status") }

  /// The numbers of a line such as `Uid:	0	112	112	112`. The program's name stands in a line before, where the kernel
  /// writes a line's end in it as `\n`.
  private static func numbers(_ name: String, in path: String) -> [uid_t]? {
    guard let bytes = readSmallFile(path) else { return nil }
    let wanted = Array(name.utf8)
    return bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: wanted) }.map { line in
      String(decoding: line.dropFirst(wanted.count), as: UTF8.self).split(whereSeparator: \.isWhitespace)
        .compactMap { uid_t($0) }
    }
  }

  /// How long ago it was started.
  var age: Duration {
    var now = timespec()
    clock_gettime(CLOCK_BOOTTIME, &now)
    let ticks = Int64(max(1, sysconf(Int32(_SC_CLK_TCK))))
    let start = Int64(clamping: entry.startTime)
    let started = Duration.seconds(start / ticks) + .nanoseconds(start % ticks * (1_000_000_000 / ticks))
    return max(.zero, .seconds(now.tv_sec) + .nanoseconds(now.tv_nsec) - started)
  }

  var isStopped: Bool { entry.state == "T" || entry.state == "t" }

  /// The paths of its control groups.
  var controlGroups: [String] {
    (readSmallFile("\(folder)/cgroup") ?? []).split(separator: UInt8(ascii: "\n")).compactMap { line in
      let words = String(decoding: line, as: UTF8.self)
        .split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      return words.count == 3 ? String(words[2]) : nil
    }
  }

  /// `turnserver (PID 812)`.
  var title: String { "\(entry.name) (PID \(pid))" }

  static func userName(_ user: uid_t?) -> String { user.map(FileStatus.userName) ?? "a user who cannot be told" }
}

extension ProcessFacts {
  /// False if `/proc` shows this user its own processes alone (`hidepid`, proc(5)).
  static var areOthersVisible: Bool {
    let descriptor = open("/proc/1/stat", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    close(descriptor)
    return true
  }
}

extension ProcessFacts {
  /// Whether its program is the file at a path, by whatever names.
  func isSameFile(as path: String) -> Bool {
    var (own, other) = (stat(), stat())
    return stat("\(folder)/exe", &own) == 0 && stat(path, &other) == 0
      && (own.st_dev, own.st_ino) == (other.st_dev, other.st_ino)
  }
}
