import CLinux
import Glibc

/// Owner, group and permissions of a file or folder.
struct FileStatus {
  let path: String
  let owner: uid_t
  let group: gid_t
  let mode: mode_t
  /// nil if the mode says it all.
  let accessList: AccessList?

  /// Why something cannot be looked at.
  struct Failure: Error {
    let path: String
    let number: CInt

    var reason: String { String(cString: strerror(number)) }
  }

  /// `/etc/ssl/key.pem (mode 0600, owner root, group root)`.
  var text: String {
    let list = accessList == nil ? "" : ", and an access control list"
    return "\(path) (mode \(Self.octal(mode)), owner \(ownerName), group \(groupName)\(list))"
  }

  var isFolder: Bool { mode & S_IFMT == S_IFDIR }
  /// A name, or the number of a user who has none.
  var ownerName: String { Self.userName(owner) }
  var groupName: String { Self.groupName(group) }

  /// The permission bits as chmod(1) takes them, `0640`.
  static func octal(_ mode: mode_t) -> String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// The folders that a path leads through, from the root on, those that links lead through too; the file itself last.
  ///
  /// Below `/proc/PID/root` links lead to that process's files: it may have another root.
  static func way(to path: String) throws(Failure) -> [FileStatus] {
    var rest = path.split(separator: "/").map(String.init)
    if !path.hasPrefix("/") {
      guard let folder = getcwd(nil, 0) else { throw Failure(path: ".", number: errno) }
      rest = String(cString: folder).split(separator: "/").map(String.init) + rest
      free(folder)
    }
    var way = [try status(of: "/").0]
    var place: [String] = []
    var root: [String] = []
    var links = 0
    while !rest.isEmpty {
      let part = rest.removeFirst()
      if part == "." { continue }
      if part == ".." {
        if place.count > root.count { place.removeLast() }
        continue
      }
      let next = "/" + (place + [part]).joined(separator: "/")
      let (found, link) = try status(of: next)
      guard let link else {
        place.append(part)
        way.append(found)
        continue
      }
      if part == "root", place.count == 2, place.first == "proc" {
        // What this link holds is a path as that process sees it.
        place.append(part)
        root = place
        way.append(try status(of: next + "/.").0)
        continue
      }
      links += 1
      // As the kernel counts.
      guard links <= 40 else { throw Failure(path: next, number: ELOOP) }
      if link.hasPrefix("/") { place = root }
      rest = link.split(separator: "/").map(String.init) + rest
    }
    return way
  }

  /// What a path is, and where it leads to if it is a link.
  private static func status(of path: String) throws(Failure) -> (FileStatus, link: String?) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw Failure(path: path, number: errno) }
    let isLink = status.st_mode & S_IFMT == S_IFLNK
    let found = FileStatus(
      path: path, owner: status.st_uid, group: status.st_gid, mode: status.st_mode,
      accessList: isLink ? nil : try AccessList(of: path))
    guard isLink else { return (found, nil) }
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = bytes.withUnsafeMutableBytes { buffer in
      buffer.withMemoryRebound(to: CChar.self) { text in text.baseAddress.map { readlink(path, $0, text.count) } ?? -1 }
    }
    guard count >= 0 else { throw Failure(path: path, number: errno) }
    return (found, String(decoding: bytes.prefix(count), as: UTF8.self))
  }

  static func userName(_ user: uid_t) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536) { buffer in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress, getpwuid_r(user, &entry, start, buffer.count, &found) == 0, found != nil,
        let name = entry.pw_name
      else { return "\(user)" }
      return String(cString: name)
    }
  }

  private static func groupName(_ number: gid_t) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536) { buffer in
      var entry = Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard let start = buffer.baseAddress, getgrgid_r(number, &entry, start, buffer.count, &found) == 0, found != nil,
        let name = entry.gr_name
      else { return "\(number)" }
      return String(cString: name)
    }
  }
}

/// A POSIX access control list (acl(5)), as the kernel keeps it beside a file.
struct AccessList {
  private struct Entry {
    let kind: UInt16
    let permissions: UInt16
    let id: UInt32
  }

  /// The kinds of an entry (linux/posix_acl.h).
  private enum Kind {
    static let owner: UInt16 = 0x01
    static let user: UInt16 = 0x02
    static let owningGroup: UInt16 = 0x04
    static let group: UInt16 = 0x08
    static let mask: UInt16 = 0x10
    static let other: UInt16 = 0x20
  }

  private let entries: [Entry]

  /// nil if the file has none, or its file system knows none.
  init?(of path: String) throws(FileStatus.Failure) {
    var bytes = [UInt8](repeating: 0, count: 65_536)
    let count = runbook_attribute(path, "system.posix_acl_access", &bytes, bytes.count)
    guard count >= 0 else {
      guard [ENODATA, EOPNOTSUPP, ENOSYS].contains(errno) else { throw FileStatus.Failure(path: path, number: errno) }
      return nil
    }
    func number(_ offset: Int, _ size: Int) -> UInt32 {
      (0..<size).reduce(0) { $0 | UInt32(bytes[offset + $1]) << UInt32(8 * $1) }
    }
    // A version of four octets, then entries of eight.
    entries = stride(from: 4, to: count - 7, by: 8).map {
      Entry(kind: UInt16(number($0, 2)), permissions: UInt16(number($0 + 2, 2)), id: number($0 + 4, 4))
    }
  }

  func grants(_ wanted: UInt16, to account: FileUser, _ status: FileStatus) -> Bool {
    func holds(_ permissions: UInt16) -> Bool { permissions & wanted == wanted }
    func first(_ kind: UInt16) -> UInt16? { entries.first { $0.kind == kind }?.permissions }
    let mask = first(Kind.mask) ?? 7
    if account.user == status.owner { return holds(first(Kind.owner) ?? 0) }
    if let entry = entries.first(where: { $0.kind == Kind.user && $0.id == account.user }) {
      return holds(entry.permissions & mask)
    }
    let ofGroups = entries.filter {
      $0.kind == Kind.owningGroup && account.groups.contains(status.group)
        || $0.kind == Kind.group && account.groups.contains($0.id)
    }
    guard ofGroups.isEmpty else { return ofGroups.contains { holds($0.permissions & mask) } }
    return holds(first(Kind.other) ?? 0)
  }
}
