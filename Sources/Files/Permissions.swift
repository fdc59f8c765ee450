import Glibc

/// Whose a new file or folder is, and who may do what with it.
package struct Permissions: Hashable, Sendable {
  package enum Owner: Hashable, Sendable {
    /// The owner and group of the folder that it lies in, as far as we may give them: what root writes in an operator's folder is
    /// the operator's.
    case ofFolder
    /// This process's user and group.
    case ofProcess
  }

  let mode: UInt32
  let isMasked: Bool
  let owner: Owner

  private init(mode: UInt32, isMasked: Bool, owner: Owner) {
    self.mode = mode
    self.isMasked = isMasked
    self.owner = owner
  }

  /// Exactly this mode, whatever the umask.
  package init(_ mode: UInt32, owner: Owner = .ofFolder) { self.init(mode: mode, isMasked: false, owner: owner) }

  /// This mode without the bits of the umask: what a user expects of files that are not private.
  package static func masked(_ mode: UInt32, owner: Owner = .ofFolder) -> Permissions {
    Permissions(mode: mode, isMasked: true, owner: owner)
  }

  /// Gives them to what was just made.
  ///
  /// - Parameter folder: of the folder that it lies in.
  func apply(to file: borrowing File, in folder: FileMetadata) throws(FileError) {
    guard !isMasked || owner == .ofFolder else { return }
    let made = try file.metadata()
    let isRoot = geteuid() == 0
    if owner == .ofFolder, made.owner == geteuid(),
      isRoot && made.owner != folder.owner || made.group != folder.group
    {
      // Who may not give it away keeps it, as on file systems that know no owners.
      _ = fchown(file.descriptor, isRoot ? folder.owner : made.owner, folder.group)
    }
    guard !isMasked else { return }
    // A folder with the set-group-ID bit passes it, and its group, on to the folders in it.
    let inherited = made.kind == .folder ? made.mode & S_ISGID : 0
    guard fchmod(file.descriptor, mode | inherited) == 0 else { throw .last(.setMode, file.path) }
  }
}
