import Archive
package import Files
import Glibc

/// A tree that is written beside the place that it is to have, and takes it whole or not at all. If it is let go of before
/// ``putInPlace()``, nothing is left of it.
///
/// A process that dies leaves a folder whose name begins with a dot and ends in ``suffix``; the next one that writes beside the
/// same place removes it.
package final class StagedTree {
  /// What the place has before.
  package enum Former: Hashable, Sendable {
    case nothing
    case emptyFolder
    case folder
  }

  private static let suffix = ".restoring"

  private let parent: Folder
  private let name: String
  private let stagedName: String
  /// Below which path of the archive the tree begins, or which file of it is all of it; empty for the whole archive.
  private let root: [[UInt8]]
  private let isRoot = geteuid() == 0
  private var accounts = AccountNumbers()
  private var open: [OpenFolder]
  private var folders: [(parts: [[UInt8]], attributes: FileAttributes)] = []
  private var rootAttributes: FileAttributes?
  private var file: OpenFile?
  private var isInPlace = false

  /// What the place had when this began.
  package let former: Former
  /// Names of files and folders that lost their set-user-ID, set-group-ID or sticky bit.
  package private(set) var strippedNames: [[UInt8]] = []
  package private(set) var filesWritten = 0

  /// - Parameters:
  ///   - path: the place: a folder that is empty or not there, or, if `isReplacing`, any folder.
  ///   - root: only what lies below this folder of the archive is written, as if it were all.
  package init(at path: String, isReplacing: Bool, root: [[UInt8]] = []) throws(RestoreError) {
    let name = lastName(of: path)
    guard path.utf8.first == 0x2F, !["", "/", ".", ".."].contains(name) else {
      throw RestoreError(
        .target, "\(path) is no place for a restored tree", advice: "Give the absolute path of a folder.")
    }
    let staged = ".\(name).\(UInt64.random(in: .min ... .max))\(Self.suffix)"
    let parent: Folder
    do throws(FileError) { parent = try Folder(parentFolder(of: path), followingLinks: true) } catch {
      throw RestoreError(error)
    }
    former = try Self.former(name, in: parent, path, isReplacing: isReplacing)
    do throws(FileError) {
      try Self.removeLeftovers(of: name, in: parent)
      let folder = try parent.makeFolder(Array(staged.utf8))
      // While it is held, nobody takes the folder for a leftover.
      guard try folder.tryLock() else { throw FileError(.lock, staged, .system(EWOULDBLOCK)) }
      open = [OpenFolder(folder, name: [])]
    } catch { throw RestoreError(error) }
    self.parent = parent
    self.name = name
    stagedName = staged
    self.root = root
  }

  deinit {
    guard !isInPlace else { return }
    open = []
    try? parent.remove(stagedName)
  }

  private static func former(
    _ name: String, in parent: borrowing Folder, _ path: String, isReplacing: Bool
  ) throws(RestoreError) -> Former {
    let found: FileMetadata?
    let surroundings: FileMetadata
    do throws(FileError) {
      found = try parent.metadata(of: name)
      surroundings = try parent.metadata()
    } catch { throw RestoreError(error) }
    guard let found else { return .nothing }
    guard found.kind == .folder else {
      throw RestoreError(
        .target, "\(path) is no folder, and a restored tree would take its place",
        advice: "Give a folder that is empty or not there yet.")
    }
    if geteuid() != 0, surroundings.mode & 0o1000 != 0, found.owner != geteuid(), surroundings.owner != geteuid() {
      throw RestoreError(
        .target, "\(path) belongs to another user, in a folder whose things only their owners may rename",
        advice: "Restore somewhere else, or as root.")
    }
    let isEmpty: Bool
    do throws(FileError) {
      isEmpty = try parent.folder(name).namesInBytes().isEmpty
    } catch {
      guard isReplacing else { throw RestoreError(error) }
      isEmpty = false
    }
    if isEmpty { return .emptyFolder }
    guard isReplacing else {
      throw RestoreError(
        .target, "\(path) is not empty",
        advice:
          "Restore somewhere else, or add --replace (`replace: true` in a runbook): the old folder is then kept as \(path).before-TIME"
      )
    }
    return .folder
  }

  /// Removes what processes left that died while they restored to the same place. One that is at work holds its folder's lock.
  private static func removeLeftovers(of name: String, in parent: borrowing Folder) throws(FileError) {
    for found in try parent.names() where found.hasPrefix(".\(name).") && found.hasSuffix(suffix) {
      guard UInt64(found.dropFirst(name.utf8.count + 2).dropLast(suffix.utf8.count)) != nil,
        let folder = try? parent.folder(found), (try? folder.tryLock()) == true
      else { continue }
      try parent.remove(found)
    }
  }

  /// Throws if the file system has no room for so many bytes, before anything is written.
  package func requireRoom(for bytes: Int) throws(RestoreError) {
    do throws(FileError) {
      let free = try parent.freeBytes()
      guard free >= UInt64(max(0, bytes)) else {
        throw FileError(.write, parent.path, .system(ENOSPC))
      }
    } catch { throw RestoreError(error) }
  }

  // MARK: Writing

  /// Begins a file; makes a folder or link.
  ///
  /// - Parameter owner: the names of user and group, which come before the numbers if this host knows them.
  func begin(_ member: TarMember, owner: (user: String?, group: String?)?) throws {
    var parts = MemberName.parts(of: member.name)
    guard parts.starts(with: root), let last = parts.popLast() else { return }
    var attributes = FileAttributes(
      mode: member.mode & 0o777, modifiedSeconds: member.modified.seconds,
      modifiedNanoseconds: member.modified.nanoseconds)
    if isRoot {
      attributes.user = owner?.user.flatMap { accounts.user($0) } ?? UInt32(clamping: member.user)
      attributes.group = owner?.group.flatMap { accounts.group($0) } ?? UInt32(clamping: member.group)
    }
    if member.mode & 0o7000 != 0 { strippedNames.append(member.name) }
    guard parts.count >= root.count else {
      // One file alone keeps its name.
      if member.kind == .directory {
        rootAttributes = attributes
      } else {
        try begin(last, member, attributes, in: open[0])
      }
      return
    }
    parts.removeFirst(root.count)
    if member.kind == .directory { folders.append((parts + [last], attributes)) }
    try begin(last, member, attributes, in: try enter(parts))
  }

  private func begin(
    _ last: [UInt8], _ member: TarMember, _ attributes: FileAttributes, in folder: OpenFolder
  ) throws {
    switch member.kind {
    case .file:
      file = OpenFile(try folder.create(last), attributes)
      if member.name != BackupLayout.manifest { filesWritten += 1 }
    case .directory:
      // Children may have come first.
      if try folder.metadata(of: last)?.kind != .folder { _ = try folder.makeFolder(last) }
    case .symbolicLink(let target):
      try folder.makeLink(last, to: target, owner: attributes.user.map { ($0, attributes.group ?? .max) })
    case .other(let kind): throw ArchiveFault.hostile(member.name, "it is \(kind)")
    }
  }

  /// Content of the file that was begun last.
  func write(_ bytes: UnsafeRawBufferPointer) throws {
    try file?.file.write(bytes)
  }

  /// Ends the member that was begun last.
  func end() throws {
    try file?.file.set(file?.attributes ?? FileAttributes(mode: 0o600, modifiedSeconds: 0, modifiedNanoseconds: 0))
    file = nil
  }

  /// The folder at these parts, made if it is missing. Those on the way stay open, since the next member mostly lies near.
  private func enter(_ parts: [[UInt8]]) throws -> OpenFolder {
    let common = zip(open.dropFirst(), parts).prefix { $0.name == $1 }.count
    open.removeSubrange((common + 1)...)
    for part in parts[common...] {
      let above = open[open.count - 1]
      let isThere = try above.folder.metadata(of: part) != nil
      open.append(OpenFolder(isThere ? try above.folder.folder(part) : try above.folder.makeFolder(part), name: part))
    }
    return open[open.count - 1]
  }

  // MARK: The end

  /// Gives the tree its place. All of it is on the disk then, and what the place had is whole until that moment and kept afterwards.
  ///
  /// - Parameter keptName: the name, in the same folder, of what is replaced.
  /// - Returns: the path of what was replaced; nil if there was nothing in the place.
  ///
  /// Throws ``RestoreError/isInPlace`` true if the tree has its place all the same.
  /// - Parameter sync: brings the renaming to the disk; for tests.
  package func putInPlace(
    keeping keptName: String, sync: (borrowing Folder) throws(FileError) -> Void = { try $0.sync() }
  ) throws(RestoreError) -> String? {
    do {
      try finishFolders()
      try open[0].folder.syncFileSystem()
      let kept = try take(keptName)
      isInPlace = true
      let keptPath = kept.map { parent.path == "/" ? "/\($0)" : "\(parent.path)/\($0)" }
      do throws(FileError) { try sync(parent) } catch { throw RestoreError(inPlace: error, kept: keptPath) }
      return keptPath
    } catch let error as FileError {
      throw RestoreError(error)
    } catch let error as RestoreError { throw error } catch { throw RestoreError(.system, "\(error)", advice: nil) }
  }

  /// Deepest first, since a folder may forbid to be written to.
  private func finishFolders() throws(FileError) {
    open.removeSubrange(1...)
    let top = open[0]
    for (parts, attributes) in folders.sorted(by: { $0.parts.count > $1.parts.count }) {
      var folder = top
      for part in parts { folder = OpenFolder(try folder.folder.folder(part), name: part) }
      try folder.folder.set(attributes)
    }
    // A folder that was there keeps its owner and mode; a new one is private unless the archive tells its mode.
    if former != .nothing, let old = try parent.metadata(of: name) {
      try top.folder.set(
        FileAttributes(
          user: isRoot ? old.owner : nil, group: isRoot ? old.group : nil, mode: old.mode,
          modifiedSeconds: Int(old.modified), modifiedNanoseconds: 0))
    } else if let rootAttributes {
      try top.folder.set(rootAttributes)
    }
  }

  private func take(_ keptName: String) throws(FileError) -> String? {
    guard former == .folder else {
      // Renaming onto a folder succeeds only if it is empty.
      try parent.rename(stagedName, to: name, replacing: former == .nothing ? .nothing : .anything)
      return nil
    }
    // First the name under which the old tree will be kept, then one exchange: at no moment is the place without a whole tree.
    var free = keptName
    var number = 1
    while true {
      do throws(FileError) {
        try parent.rename(stagedName, to: free, replacing: .nothing)
        break
      } catch {
        guard error.number == EEXIST, number < 1_000 else { throw error }
        number += 1
        free = "\(keptName)-\(number)"
      }
    }
    do throws(FileError) { try parent.rename(free, to: name, replacing: .exchanging) } catch {
      try? parent.rename(free, to: stagedName, replacing: .nothing)
      throw error
    }
    return free
  }
}

private final class OpenFolder {
  let folder: Folder
  let name: [UInt8]

  init(_ folder: consuming Folder, name: [UInt8]) {
    self.folder = folder
    self.name = name
  }

  func create(_ name: [UInt8]) throws(FileError) -> File { try folder.create(name) }
  func metadata(of name: [UInt8]) throws(FileError) -> FileMetadata? { try folder.metadata(of: name) }
  func makeFolder(_ name: [UInt8]) throws(FileError) -> Folder { try folder.makeFolder(name) }

  func makeLink(
    _ name: [UInt8], to target: [UInt8], owner: (user: UInt32, group: UInt32)?
  ) throws(FileError) {
    try folder.makeLink(name, to: target, owner: owner)
  }
}

private final class OpenFile {
  let file: File
  let attributes: FileAttributes

  init(_ file: consuming File, _ attributes: FileAttributes) {
    self.file = file
    self.attributes = attributes
  }
}
