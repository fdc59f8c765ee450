import Glibc

/// Where this process sees file systems of disks besides the root.
enum MountPoints {
  /// File systems that hold no files of a host, or those of containers.
  private static let passedOver: Set = [
    "autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts", "devtmpfs", "efivarfs",
    "fusectl",
    "hugetlbfs", "mqueue", "nsfs", "overlay", "proc", "pstore", "ramfs", "rpc_pipefs", "securityfs", "selinuxfs",
    "sysfs",
    "tmpfs", "tracefs",
  ]

  /// Folders that an isolated host has of its own.
  private static let own = ["/proc", "/sys", "/dev", "/run"]

  /// The folders below `/` on which file systems of disks are mounted, each once, those that hold others first.
  static func ofDisks() -> [String] {
    guard let file = fopen("/proc/self/mountinfo", "re") else { return [] }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    var found: Set<String> = []
    while getline(&line, &capacity, file) > 0, let text = line.map({ String(cString: $0) }) {
      if let folder = folder(ofLine: text) { found.insert(folder) }
    }
    return found.sorted { ($0.utf8.count, $0) < ($1.utf8.count, $1) }
  }

  /// The folder of a line of `/proc/self/mountinfo` (proc(5)); nil if nothing is to be laid over it.
  static func folder(ofLine line: String) -> String? {
    let halves = line.split(separator: " - ", maxSplits: 1)
    guard halves.count == 2, let type = halves[1].split(separator: " ").first, !passedOver.contains(String(type)) else {
      return nil
    }
    let fields = halves[0].split(separator: " ")
    guard fields.count > 4 else { return nil }
    let path = unescaped(fields[4])
    guard path != "/", !own.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) else { return nil }
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR ? path : nil
  }

  /// Blanks and the like stand as a backslash and three octal digits.
  private static func unescaped(_ text: Substring) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    var place = 0
    while place < bytes.count {
      if bytes[place] == 0x5C, place + 3 < bytes.count,
        let code = UInt8(String(decoding: bytes[(place + 1)...(place + 3)], as: UTF8.self), radix: 8)
      {
        result.append(code)
        place += 4
      } else {
        result.append(bytes[place])
        place += 1
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
