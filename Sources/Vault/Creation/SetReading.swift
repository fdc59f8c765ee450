import Backups
import Glibc
import Schema

/// A set as it was read: its members with the SHA-256 of each file, and what is missing.
struct SetReading {
  private(set) var members: [BackupManifest.Member] = []
  private(set) var missing: [BackupManifest.Missing] = []
  private(set) var sources: [[UInt8]: BackupArchive.Source] = [:]

  /// How much content is kept in memory, so that it needs no second reading.
  private static let mostKept = 16 << 20
  private static let namedAsLargest = 5

  /// - Parameters:
  ///   - leftOut: large files that did not stay the same long enough.
  ///   - ownFolders: folders of this tool itself, which are left out.
  init(
    _ set: BackupSet, outputs: [CommandOutput], leftOut: [[UInt8]], ownFolders: [String] = [],
    checkpoint: @escaping () throws(VaultError) -> Void
  ) throws(VaultError) {
    let walk = try SetWalk(set, ownFolders: ownFolders, checkpoint: checkpoint)
    try Self.check(walk.files, against: set)
    missing = walk.missing
    var accounts = Accounts()
    var kept = 0
    for entry in walk.entries.values.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
      if leftOut.contains(entry.path) {
        missing.append(.changed(entry.path))
        continue
      }
      var member = BackupManifest.Member(
        name: BackupLayout.files + entry.path.drop { $0 == 0x2F }, kind: .directory, mode: entry.status.mode,
        user: Int(entry.status.user), group: Int(entry.status.group), userName: accounts.user(entry.status.user),
        groupName: accounts.group(entry.status.group), modified: Timestamp(entry.status),
        notes: entry.isFollowed ? [.followed] : [])
      switch entry.kind {
      case .folder: break
      case .link(let target): member.kind = .symbolicLink(target: target)
      case .file:
        try checkpoint()
        do throws(ContentFailure) {
          var content = try ReadContent(reading: entry.path, checkpoint: checkpoint)
          if !content.isConsistent {
            // Of a large file nothing can be stored that was ever there.
            missing.append(.changed(entry.path))
            if content.bytes == nil { continue }
          }
          kept += content.bytes?.count ?? 0
          // A database would be another one the next time.
          if kept > Self.mostKept, content.isConsistent, !content.notes.contains(.sqlite) {
            kept -= content.bytes?.count ?? 0
            content.bytes = nil
          }
          member.kind = .file(size: content.size, digest: content.sha256)
          if let status = content.status { member.modified = Timestamp(status) }
          member.notes += content.notes
          sources[member.name] = .init(path: entry.path, content: content)
        } catch {
          missing.append(.init(path: entry.path, reason: error.reason))
          continue
        }
      }
      members.append(member)
    }
    for output in outputs { add(output) }
    members.sort { $0.name.lexicographicallyPrecedes($1.name) }
    try check(expectations: set.expectations)
    missing.sort { $0.path.lexicographicallyPrecedes($1.path) }
  }

  private mutating func add(_ output: CommandOutput) {
    let name = BackupLayout.commands + Array(output.name.utf8)
    switch output.content {
    case .failure(let reason): missing.append(.init(path: name, reason: reason.text))
    case .success(let bytes):
      let content = ReadContent(output: bytes)
      sources[name] = .init(path: name, content: content)
      members.append(
        .init(
          name: name, kind: .file(size: content.size, digest: content.sha256), mode: 0o600, user: 0, group: 0,
          modified: .unixEpoch))
    }
  }

  private static func check(_ files: [SetWalk.Entry], against set: BackupSet) throws(VaultError) {
    let size = files.reduce(0) { $0 + $1.status.size }
    guard size > set.maxSize else { return }
    let largest = files.sorted { ($1.status.size, $0.path.count) < ($0.status.size, $1.path.count) }
    let names = largest.prefix(namedAsLargest).map {
      "\(String(decoding: $0.path, as: UTF8.self)) (\(sizeText($0.status.size)))"
    }
    throw VaultError(
      .tooLarge,
      "the files of the set \(set.name) have \(sizeText(size)), and it may have \(sizeText(set.maxSize)); the largest are \(names.joined(separator: ", "))",
      advice: "leave them out with \"excludes\", or raise \"maxSize\": a vault is for small things")
  }

  private mutating func check(expectations: BackupExpectations) throws(VaultError) {
    for file in expectations.files {
      let name = BackupLayout.files + Array(file.utf8).drop { $0 == 0x2F }
      let isThere = members.contains { member in
        if case .file = member.kind { member.name == name } else { false }
      }
      let isNamed = missing.contains { $0.path == Array(file.utf8) }
      if !isThere, !isNamed {
        missing.append(.init(path: Array(file.utf8), reason: "the set expects this file, and has none there"))
      }
    }
    let sizes = members.compactMap { member in
      if case .file(let size, _) = member.kind { size } else { nil }
    }
    if sizes.isEmpty, missing.isEmpty { missing.append(.init(path: [], reason: "there is no file in it")) }
    let size = sizes.reduce(0, +)
    if let minimum = expectations.minimumSize, size < minimum {
      missing.append(
        .init(path: [], reason: "its files have \(sizeText(size)), and it expects at least \(sizeText(minimum))"))
    }
  }
}

/// What a command of the set printed.
package struct CommandOutput: Sendable {
  /// Why there is nothing, as it stands behind the name: `it ended with exit code 1`.
  package struct Failure: Error, Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }
  }

  package let name: String
  package let content: Result<[UInt8], Failure>

  package init(name: String, content: Result<[UInt8], Failure>) {
    self.name = name
    self.content = content
  }
}

extension Timestamp {
  init(_ status: HostFiles.Status) {
    self =
      Timestamp(seconds: Int64(status.modifiedSeconds), nanoseconds: Int32(status.modifiedNanoseconds)) ?? .unixEpoch
  }
}

/// As people read it: `34 KiB`.
package func sizeText(_ bytes: Int) -> String {
  if bytes == 1 { return "1 byte" }
  guard bytes >= 1024 else { return "\(bytes) bytes" }
  var (value, unit) = (Double(bytes), 0)
  let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
  while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
  let tenths = (value * 10).rounded()
  let isWhole = tenths.truncatingRemainder(dividingBy: 10) == 0 || value >= 10
  return "\(isWhole ? "\(Int(value.rounded()))" : "\(tenths / 10)") \(units[unit])"
}

/// The names of users and groups, each looked up once.
struct Accounts {
  private var users: [UInt32: String?] = [:]
  private var groups: [UInt32: String?] = [:]

  /// Nil if this host has no name for it.
  mutating func user(_ id: UInt32) -> String? {
    if let known = users[id] { return known }
    let name = withAccountBuffer { room, size -> String? in
      var entry = passwd()
      var found: UnsafeMutablePointer<passwd>?
      guard getpwuid_r(id, &entry, room, size, &found) == 0, found != nil else { return nil }
      return String(cString: entry.pw_name)
    }
    users[id] = .some(name)
    return name
  }

  /// Nil if this host has no name for it.
  mutating func group(_ id: UInt32) -> String? {
    if let known = groups[id] { return known }
    let name = withAccountBuffer { room, size -> String? in
      var entry = Glibc.group()
      var found: UnsafeMutablePointer<Glibc.group>?
      guard getgrgid_r(id, &entry, room, size, &found) == 0, found != nil else { return nil }
      return String(cString: entry.gr_name)
    }
    groups[id] = .some(name)
    return name
  }
}

/// Room for the texts of one entry of passwd(5) or group(5): the usual functions share one place among all threads.
func withAccountBuffer<Result>(_ body: (_ room: UnsafeMutablePointer<CChar>, _ size: Int) -> Result) -> Result {
  let size = 1 << 16
  let room = UnsafeMutablePointer<CChar>.allocate(capacity: size)
  defer { room.deallocate() }
  return body(room, size)
}
