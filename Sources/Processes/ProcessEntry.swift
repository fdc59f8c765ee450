import Glibc

/// One line of the kernel's process table, `/proc/PID/stat` (proc(5)).
package struct ProcessEntry: Sendable {
  package let pid: Int32
  /// At most 15 bytes of the program's name, chosen by the process itself; a character may be cut.
  package let nameBytes: [UInt8]
  /// One letter: R, S and D run or wait, T and t are stopped, Z and X have ended. It is that of the first thread.
  package let state: Character
  package let parent: Int32
  let group: pid_t
  let session: pid_t
  /// How many threads it has; a first thread that has ended counts while others go on.
  package let threads: Int
  /// True for a thread of the kernel, which has no program.
  package let isKernelThread: Bool
  /// In clock ticks since the machine's start; with the pid it names a process uniquely within one boot.
  package let startTime: UInt64

  package var name: String { String(decoding: nameBytes, as: UTF8.self) }

  /// Whether it has ended and only waits to be reaped. A process whose first thread alone has ended goes on.
  package var isZombie: Bool { isFirstThreadGone && threads <= 1 }

  /// Whether its first thread has ended, through which the kernel shows the files of the others no longer.
  package var isFirstThreadGone: Bool { state == "Z" || state == "X" }

  /// Nil if there is no such process (any more).
  package init?(pid: Int32) {
    guard let line = readSmallFile("/proc/\(pid)/stat"),
      // The name stands in brackets and may itself hold brackets and blanks.
      let opening = line.firstIndex(of: UInt8(ascii: "(")), let closing = line.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    // Field 3 of the manual's count comes first after the name.
    let fields = line[(closing + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count > 19, let state = fields[0].first, let parent = pid_t(fields[1]), let group = pid_t(fields[2]),
      let session = pid_t(fields[3]), let flags = UInt32(fields[6]), let threads = Int(fields[17]),
      let startTime = UInt64(fields[19])
    else { return nil }
    self.pid = pid
    self.nameBytes = Array(line[(opening + 1)..<closing])
    self.state = state
    self.threads = threads
    // PF_KTHREAD of linux/sched.h.
    self.isKernelThread = flags & 0x0020_0000 != 0
    self.parent = parent
    self.group = group
    self.session = session
    self.startTime = startTime
  }

  /// Whether a descriptor of it is the pipe with one of these inode numbers. False if we may not look.
  func holds(pipes: Set<UInt64>) -> Bool {
    let folder = "/proc/\(pid)/fd"
    return namesInFolder(folder).contains { name in
      guard let target = linkTarget("\(folder)/\(name)"), target.hasPrefix("pipe:["),
        let inode = UInt64(target.dropFirst(6).dropLast())
      else { return false }
      return pipes.contains(inode)
    }
  }

  /// Where it works now; nil if we may not look. The kernel adds " (deleted)" to what has been removed since.
  var workingDirectory: String? { linkTarget("/proc/\(pid)/cwd") }

  /// All processes that there are.
  package static func all() -> [ProcessEntry] {
    namesInFolder("/proc").compactMap { pid_t($0).flatMap(ProcessEntry.init(pid:)) }
  }
}

/// The first 4 KiB of a file, nil if it cannot be read; for the small files of `/proc`.
package func readSmallFile(_ path: String) -> [UInt8]? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var count = 0
  let bytes = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, filled in
    count = read(file, buffer.baseAddress, buffer.count)
    filled = max(count, 0)
  }
  return count < 0 ? nil : bytes
}

/// What a symbolic link holds; nil if it cannot be read.
package func linkTarget(_ path: String) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
    guard let start = buffer.baseAddress else { return nil }
    let length = readlink(path, start, buffer.count)
    guard length >= 0 else { return nil }
    return String(decoding: UnsafeRawBufferPointer(buffer)[..<length], as: UTF8.self)
  }
}

/// The names in a folder, without `.` and `..`; none if it cannot be read.
package func namesInFolder(_ path: String) -> [String] {
  guard let folder = opendir(path) else { return [] }
  defer { closedir(folder) }
  var names: [String] = []
  while let entry = readdir(folder) {
    let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    if name != "." && name != ".." { names.append(name) }
  }
  return names
}
