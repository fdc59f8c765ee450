import Glibc
import Processes

/// A process that has a log open to write into it.
struct LogWriter: Hashable {
  let process: String
  /// What it has open: the log, or a file that was made of it, or one that is gone.
  let path: String
  /// Whether what it writes goes to the end, however long the file is by then.
  let isAppending: Bool

  /// Those that this user may see.
  static func all(of path: String) -> [LogWriter] {
    ProcessEntry.all().flatMap { entry -> [LogWriter] in
      let folder = "/proc/\(entry.pid)"
      return namesInFolder("\(folder)/fd").compactMap { name in
        guard let target = linkTarget("\(folder)/fd/\(name)"), target.hasPrefix(path),
          target == path || [".", "-", " "].contains(target.dropFirst(path.count).first),
          let flags = flags("\(folder)/fdinfo/\(name)"), flags & O_ACCMODE != O_RDONLY
        else { return nil }
        return LogWriter(
          process: "\(entry.name) (PID \(entry.pid))", path: target, isAppending: flags & O_APPEND != 0)
      }
    }
  }

  private static func flags(_ path: String) -> Int32? {
    let text = readSmallFile(path).map { String(decoding: $0, as: UTF8.self) }
    let line = text?.split(separator: "\n").first { $0.hasPrefix("flags:") }
    return line?.split(whereSeparator: \.isWhitespace).last.flatMap { Int32($0, radix: 8) }
  }
}
