import Glibc
import Schema
import Steps

/// A user of this host or of a container, and what the modes of files and folders let that user do.
struct FileUser {
  let user: uid_t?
  let groups: Set<gid_t>

  /// Nobody in particular: has what everybody has.
  static let anybody = FileUser(user: nil, groups: [])

  private init(user: uid_t?, groups: Set<gid_t>) {
    self.user = user
    self.groups = groups
  }

  /// - Parameter text: a user's name; or a number, `UID` or `UID:GID`, which need not be known on this host.
  init(_ text: String) throws(StepError) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    if let number = parts.first.flatMap({ uid_t($0) }), parts.count < 3 {
      guard parts.count == 1 || gid_t(parts[1]) != nil else { throw Self.unknown(text) }
      // A process that is started as UID:GID, in a container for one, has no further groups.
      let groups = parts.count == 2 ? [gid_t(parts[1])].compactMap(\.self) : PasswordEntry(user: number)?.groups ?? []
      self.init(user: number, groups: Set(groups))
      return
    }
    guard let entry = PasswordEntry(name: text) else { throw Self.unknown(text) }
    self.init(user: entry.user, groups: Set(entry.groups))
  }

  private static func unknown(_ text: String) -> StepError {
    .broken(
      "host.userUnknown", "There is no user \"\(text)\" on this host.",
      advice: "Give the user that the service runs as; for a container the number, as UID or UID:GID.")
  }

  /// Whether the permissions of a file or folder let the user do this (r is 4, w is 2, x is 1), as the kernel decides it: the
  /// first class that fits the user decides alone. Root may do all, but start a program that nobody may start.
  func may(_ wanted: UInt16, _ status: FileStatus) -> Bool {
    if user == 0 { return wanted & 1 == 0 || status.isFolder || status.mode & 0o111 != 0 }
    if let list = status.accessList { return list.grants(wanted, to: self, status) }
    let shift: mode_t = user == status.owner ? 6 : groups.contains(status.group) ? 3 : 0
    return status.mode >> shift & mode_t(wanted) == mode_t(wanted)
  }

  /// What keeps the user from reading a file, through every folder and link on the way; nil if nothing does.
  ///
  /// - Throws: `StepError` if this process may not look itself.
  func obstacle(toReading path: String) throws(StepError) -> String? {
    do throws(FileStatus.Failure) { return obstacle(to: .read, on: try FileStatus.way(to: path)) } catch {
      throw .broken(
        "host.pathUnreadable", "\(error.path) cannot be looked at: \(error.reason).",
        advice: "Run this as a user who may enter its folder.")
    }
  }

  /// What keeps the user from using a file, by the permissions of all that ``FileStatus/way(to:)`` leads through.
  func obstacle(to access: FileAccess, on way: [FileStatus]) -> String? {
    for folder in way.dropLast() where !may(1, folder) { return "it may not enter the folder \(folder.text)" }
    guard let file = way.last, !may(access.bit, file) else { return nil }
    return file.isFolder
      ? "it may not \(access.rawValue) the folder itself, \(file.text)"
      : "it may not \(access.rawValue) the file itself, \(file.text)"
  }
}

/// What a user does with a file; with a folder, `execute` is to enter it.
package enum FileAccess: String, CaseIterable, Hashable, Sendable {
  case read
  case write
  case execute

  fileprivate var bit: UInt16 {
    switch self {
    case .read: 4
    case .write: 2
    case .execute: 1
    }
  }
}

/// What the password and group files say of a user.
private struct PasswordEntry {
  var user: uid_t = 0
  var groups: [gid_t] = []

  init?(name: String) {
    self.init { entry, buffer, size, found in getpwnam_r(name, entry, buffer, size, found) }
  }

  init?(user: uid_t) {
    self.init { entry, buffer, size, found in getpwuid_r(user, entry, buffer, size, found) }
  }

  private init?(
    _ look: (
      UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
      UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> CInt
  ) {
    let known = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 65_536) { buffer -> (uid_t, [gid_t])? in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard let start = buffer.baseAddress, look(&entry, start, buffer.count, &found) == 0, found != nil,
        let name = entry.pw_name
      else { return nil }
      var count: CInt = 64
      var groups = [gid_t](repeating: 0, count: Int(count))
      while getgrouplist(name, entry.pw_gid, &groups, &count) < 0, Int(count) > groups.count {
        groups = [gid_t](repeating: 0, count: Int(count))
      }
      return (entry.pw_uid, Array(groups.prefix(Int(count))))
    }
    guard let known else { return nil }
    (user, groups) = known
  }
}
