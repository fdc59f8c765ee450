import Glibc

/// A file that is written aside and takes its place whole or not at all, also after a loss of power. If it is let go of before
/// ``putInPlace(replacing:)``, nothing is left of it.
package struct PendingFile: ~Copyable {
  /// To be written to.
  package let file: File
  private let folder: Folder
  private let name: String
  private let aside: String
  private var isInPlace = false

  /// - Parameter folder: where it gets its place.
  package init(_ name: String, in folder: borrowing Folder, _ permissions: Permissions) throws(FileError) {
    _ = try folder.path(of: name, .create)
    let own = try folder.reopened()
    let aside = ".\(UInt64.random(in: .min ... .max))\(Self.suffix)"
    file = try own.create(aside, O_WRONLY, permissions)
    self.folder = own
    self.name = name
    self.aside = aside
  }

  /// Brings it to the disk and gives it its name, which is on the disk too when this returns.
  ///
  /// If only the last step of that fails, the file is in place.
  package consuming func putInPlace(replacing: Folder.Replacing = .anything) throws(FileError) {
    try file.sync()
    try folder.rename(aside, to: name, replacing: replacing)
    isInPlace = true
    try folder.sync()
  }

  deinit {
    if !isInPlace { unlinkat(folder.file.descriptor, aside, 0) }
  }

  private static let suffix = ".new"

  /// True for the name of a file that is being written, or that a crash left half-written.
  package static func isAside(_ name: String) -> Bool { name.hasPrefix(".") && name.hasSuffix(suffix) }
}

extension Folder {
  /// Puts a file in place whole or not at all; what has the name already is replaced, a link there not followed.
  package func write(
    _ bytes: [UInt8], to name: String, _ permissions: Permissions, replacing: Replacing = .anything
  ) throws(FileError) {
    let pending = try PendingFile(name, in: self, permissions)
    try pending.file.write(bytes)
    try pending.putInPlace(replacing: replacing)
  }
}

extension File {
  /// Puts a file in place whole or not at all, also after a loss of power; what is there already is replaced, a link there not
  /// followed.
  ///
  /// - Parameter followingLinks: whether the folder that it lies in may be a symbolic link.
  package static func writeWhole(
    _ bytes: [UInt8], to path: String, _ permissions: Permissions, followingLinks: Bool = false
  ) throws(FileError) {
    try Folder(parentFolder(of: path), followingLinks: followingLinks).write(bytes, to: lastName(of: path), permissions)
  }
}
