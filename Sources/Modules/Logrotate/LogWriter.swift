import Glibc
import Processes

/// A process that has a log open to write into it.
struct LogWriter: Hashable {
  let process: String
  /// What it has open: the log, or a file that was made of it, or one that is gone.
  let path: String
  /// Whether what it writes goes to the end, however long the file is by then.
  let isAppending: Bool

  /// Those that this user may see, and whether there are processes whose files it may not see.
  static func all(of path: String) -> (writers: [LogWriter], areSomeHidden: Bool) {
    var writers: [LogWriter] = []
    var areSomeHidden = !ProcessFacts.areOthersVisible
    // Neither a thread of the kernel nor a process that has ended writes a log, but their folders are closed as well.
    for entry in ProcessEntry.all() where !entry.isKernelThread && !entry.isZombie {
      let folder = "/proc/\(entry.pid)"
      errno = 0
      let names = namesInFolder("\(folder)/fd")
      if names.isEmpty, errno == EACCES || errno == EPERM { areSomeHidden = true }
      for name in names {
        guard let target = linkTarget("\(folder)/fd/\(name)") else {
          if errno == EACCES || errno == EPERM { areSomeHidden = true }
          continue
        }
        guard target.hasPrefix(path),
          target == path || [".", "-", " "].contains(target.dropFirst(path.count).first),
          let flags = flags("\(folder)/fdinfo/\(name)"), flags & O_ACCMODE != O_RDONLY
        else { continue }
        writers.append(
          LogWriter(process: "\(entry.name) (PID \(entry.pid))", path: target, isAppending: flags & O_APPEND != 0))
      }
    }
    return (writers, areSomeHidden)
  }

  private static func flags(_ path: String) -> Int32? {
    let text = readSmallFile(path).map { String(decoding: $0, as: UTF8.self) }
    let line = text?.split(separator: "\n").first { $0.hasPrefix("flags:") }
    return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0, radix: 8) }
  }
}
