import Journal
import Schema
import Steps

/// One line of `/proc/self/mountinfo` (proc(5)): where a file system can be seen.
struct Mount: Hashable, Sendable {
  /// The kernel's number of the mount.
  var id: String
  /// The folder of the file system that is seen at ``point``; `/` but for bind mounts and containers.
  var root: String
  var point: String
  /// `ext4`, `nfs4`, `tmpfs`, …
  var fileSystem: String
  /// What is mounted: `/dev/sda1`, `server:/export`, or a name for what has no device.
  var device: String
  /// Options of the file system: names of controllers, of a cgroup.
  var options: [String]
}

enum MountTable {
  /// The mounts that this process sees, in the order in which they were made.
  static func own() throws(StepError) -> [Mount] { mounts(in: try ProcFile.text("/proc/self/mountinfo")) }

  /// Reads lines such as `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue`.
  static func mounts(in text: String) -> [Mount] {
    Array(text.utf8).split(separator: UInt8(ascii: "\n")).compactMap { line in
      let words = line.split(separator: UInt8(ascii: " "))
      // Between the sixth word and the dash stand any number of optional ones.
      guard words.count > 6, let dash = words[6...].firstIndex(of: [UInt8(ascii: "-")]), words.count > dash + 2 else {
        return nil
      }
      let options = words.count > dash + 3 ? words[dash + 3].split(separator: UInt8(ascii: ",")) : []
      return Mount(
        id: unescaped(words[0]), root: unescaped(words[3]), point: unescaped(words[4]),
        fileSystem: unescaped(words[dash + 1]), device: unescaped(words[dash + 2]), options: options.map(unescaped))
    }
  }

  /// The mount under which a path lies as it is written: the file system is not asked, so that one that hangs can be named.
  static func mount(above path: String, in mounts: [Mount]) -> Mount? {
    // Of two at one point the later covers the earlier.
    mounts.filter { lies(path, below: $0.point) }.reduce(nil as Mount?) { best, mount in
      (best?.point.utf8.count ?? 0) > mount.point.utf8.count ? best : mount
    }
  }

  private static func lies(_ path: String, below folder: String) -> Bool {
    folder == "/" ? path.hasPrefix("/") : path == folder || path.hasPrefix(folder + "/")
  }

  /// Blanks and backslashes are written as octal numbers: `\040`.
  private static func unescaped(_ word: ArraySlice<UInt8>) -> String {
    guard word.contains(UInt8(ascii: "\\")) else { return String(decoding: word, as: UTF8.self) }
    var bytes: [UInt8] = []
    var rest = word
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "\\"), let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8) {
        bytes.append(value)
        rest = rest.dropFirst(3)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension StepError {
  /// A look at a path that did not come back within the step's time: the file system is named as the table of mounts has it, which
  /// answers when a file system does not, and is read for this alone: it is as long as the host has mounts.
  ///
  /// - Parameter path: absolute, as it was written: to follow its links would hang too.
  init(hangingAt path: String) {
    let mounts = (try? MountTable.own()) ?? []
    let mount = MountTable.mount(above: path, in: mounts)
    let place = mount.map { "at \($0.point) (\($0.fileSystem) on \($0.device))" } ?? "that holds it"
    self.init(
      .interrupted,
      Finding(
        "host.fileSystemHangs", "\(path) cannot be looked at: the file system \(place) does not answer",
        advice: "Look at the kernel's log (`dmesg`). If it is a network file system, check its server and the network.")
    )
  }
}
