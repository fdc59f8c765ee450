import Coturn
import Foundation
import Glibc
import Processes
import Schema

/// A coturn that runs on this host, in a container or not.
struct RunningServer: Hashable, Sendable {
  var pid: Int
  var path: String
  var version: String?
  var started: Timestamp?
  /// Whether the file that it was started from is still the one at its path: an update puts a new one there.
  var isInstalled: Bool

  static let record = Record(
    Self.init,
    Field("pid", \.pid, .int, "Its process number."),
    Field("path", \.path, .string, "The program that it was started from, in its own file system."),
    Field("version", \.version, .optional(.string), "What that calls itself; absent: this user may not read it."),
    Field("started", \.started, .optional(.timestamp), "When it was started."),
    Field(
      "installed", \.isInstalled, .bool,
      "Whether the file at that path is still the one that runs; false: a newer one takes its place with the next restart."
    )
  )

  /// The processes of a program, by the name of its file; the one with a number, if it is given. The hidden ones go by
  /// its name, or have that number, but this user may not see what they run.
  static func all(named program: String, pid: Int?) -> (seen: [RunningServer], hidden: [ProcessEntry]) {
    let entries: [ProcessEntry] =
      if let pid { [ProcessEntry(pid: Int32(clamping: pid))].compactMap(\.self) } else { ProcessEntry.all() }
    let name = program.split(separator: "/").last
    // The kernel keeps 15 bytes of it.
    let kept = name.map { Array($0.utf8.prefix(15)) }
    var seen: [RunningServer] = []
    var hidden: [ProcessEntry] = []
    for process in entries.sorted(by: { $0.pid < $1.pid }).compactMap({ ProcessFacts($0) }) {
      switch process.executable {
      case .none: continue
      case .hidden:
        let entry = process.entry
        guard !entry.isZombie, !entry.isKernelThread, pid != nil || entry.nameBytes == kept else { continue }
        hidden.append(entry)
      case .path(var path):
        if path.hasSuffix(" (deleted)") { path.removeLast(" (deleted)".count) }
        guard pid != nil || path.split(separator: "/").last == name else { continue }
        let exe = "\(process.folder)/exe"
        seen.append(
          RunningServer(
            pid: process.pid, path: path, version: ProgramFile.name(in: exe), started: started(process.pid),
            isInstalled: isSame(exe, "\(process.folder)/root\(path)")))
      }
    }
    return (seen, hidden)
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_dev == second.st_dev
      && first.st_ino == second.st_ino
  }

  private static func started(_ pid: Int) -> Timestamp? {
    guard let line = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
      let boot = try? String(contentsOfFile: "/proc/stat", encoding: .utf8).split(separator: "\n")
        .first(where: { $0.hasPrefix("btime ") })?.split(separator: " ").last.flatMap({ Int64($0) }),
      // The name of the program stands in parentheses, and may hold any character.
      let fields = line.split(separator: ")").last?.split(separator: " "), fields.count > 19,
      let ticks = Int64(fields[19])
    else { return nil }
    return Timestamp(seconds: boot + ticks / Int64(sysconf(CInt(_SC_CLK_TCK))), nanoseconds: 0)
  }
}

/// What stands in a program's file or a log, without running anything.
enum ProgramFile {
  /// The most that is looked through.
  private static let limit: off_t = 1 << 30
  private static let step = 1 << 20

  /// The last `Coturn-4.6.1 'Gorst'` in a file, looked for from its end; nil if there is none or it cannot be read.
  static func name(in path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    var end = status.st_size
    let bottom = max(0, status.st_size - limit)
    // What was read before follows, so that a name that two steps share is whole.
    var behind: [UInt8] = []
    while end > bottom {
      let start = max(bottom, end - off_t(step))
      var count = 0
      let bytes = [UInt8](unsafeUninitializedCapacity: Int(end - start)) { buffer, filled in
        count = pread(file, buffer.baseAddress, buffer.count, start)
        filled = max(count, 0)
      }
      guard count == Int(end - start) else { return nil }
      if let name = VersionEvidence.name(in: bytes + behind) { return name }
      behind = Array(bytes.prefix(100))
      end = start
    }
    return nil
  }
}
