import Glibc

/// One line of the kernel's process table, `/proc/PID/stat` (proc(5)).
struct ProcessEntry {
  let pid: pid_t
  /// At most 15 bytes of the program's name, chosen by the process itself.
  let name: String
  let isZombie: Bool
  let parent: pid_t
  let group: pid_t
  let session: pid_t
  /// In clock ticks since the machine's start; with the pid it names a process uniquely within one boot.
  let startTime: UInt64

  /// Nil where there is no such process (any more).
  init?(pid: pid_t) {
    guard let line = readSmallFile("/proc/\(pid)/stat"),
      // The name stands in brackets and may itself hold brackets and blanks.
      let opening = line.firstIndex(of: UInt8(ascii: "(")), let closing = line.lastIndex(of: UInt8(ascii: ")"))
    else { return nil }
    // Field 3 of the manual's count comes first after the name.
    let fields = line[(closing + 1)...].split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
    guard fields.count > 19, let parent = pid_t(fields[1]), let group = pid_t(fields[2]),
      let session = pid_t(fields[3]),
      let startTime = UInt64(fields[19])
    else { return nil }
    self.pid = pid
    self.name = String(decoding: line[(opening + 1)..<closing], as: UTF8.self)
    self.isZombie = fields[0] == "Z" || fields[0] == "X"
    self.parent = parent
    self.group = group
    self.session = session
    self.startTime = startTime
  }

  /// Whether a descriptor of it is the pipe with one of these inode numbers. False where we may not look.
  func holds(pipes: Set<UInt64>) -> Bool {
    let folder = "/proc/\(pid)/fd"
    return namesInFolder(folder).contains { name in
      guard let target = linkTarget("\(folder)/\(name)"), target.hasPrefix("pipe:["),
        let inode = UInt64(target.dropFirst(6).dropLast())
      else { return false }
      return pipes.contains(inode)
    }
  }

  /// Where it works now; nil where we may not look. The kernel adds " (deleted)" to what has been removed since.
  var workingDirectory: String? { linkTarget("/proc/\(pid)/cwd") }

  /// All processes that there are.
  static func all() -> [ProcessEntry] {
    namesInFolder("/proc").compactMap { pid_t($0).flatMap(ProcessEntry.init(pid:)) }
  }
}

/// The first 4 KiB of a file, nil where it cannot be read; for the small files of `/proc`.
func readSmallFile(_ path: String) -> [UInt8]? {
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

/// What a symbolic link holds; nil where it cannot be read.
func linkTarget(_ path: String) -> String? {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
    guard let start = buffer.baseAddress else { return nil }
    let length = readlink(path, start, buffer.count)
    guard length >= 0 else { return nil }
    return String(decoding: UnsafeRawBufferPointer(buffer)[..<length], as: UTF8.self)
  }
}

private func namesInFolder(_ path: String) -> [String] {
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
