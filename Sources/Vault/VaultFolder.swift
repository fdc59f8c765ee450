import Files
import Git
import Glibc

/// The folder of a vault, locked for one run that writes to it. The kernel drops the lock when it is let go of, also by a crash.
struct VaultFolder: ~Copyable {
  private let folder: Folder
  let path: String

  /// Makes the vault if there is none, and waits until nobody else writes to it.
  ///
  /// - Parameter checkpoint: throws once it has been waited for long enough.
  static func open(
    _ path: String, checkpoint: () throws(VaultError) -> Void
  ) throws(VaultError) -> VaultFolder {
    let opened: VaultFolder
    do throws(FileError) {
      if try FileMetadata.of(path) == nil { try Folder.makeAll(path, Permissions(0o700, owner: .ofProcess)) }
      opened = VaultFolder(try Folder(path, followingLinks: true), path)
    } catch { throw VaultError(error) }
    try opened.lock(checkpoint)
    try opened.prepare()
    return opened
  }

  private init(_ folder: consuming Folder, _ path: String) {
    self.folder = folder
    self.path = path
  }

  private static let microsecondsBetweenTries: UInt32 = 20_000

  private borrowing func lock(_ checkpoint: () throws(VaultError) -> Void) throws(VaultError) {
    while true {
      do throws(FileError) { if try folder.tryLock() { return } } catch { throw VaultError(error) }
      do throws(VaultError) { try checkpoint() } catch {
        // Whoever was told to end did not fail at waiting.
        let kind: VaultError.Kind = error.kind == .interrupted ? .interrupted : .busy
        throw VaultError(
          kind, "another run writes to the vault \(path), and had not ended when this one was to end",
          advice: "try again when it has ended")
      }
      usleep(Self.microsecondsBetweenTries)
    }
  }

  /// A repository is made aside and takes its place whole: a crash leaves no half of one.
  private borrowing func prepare() throws(VaultError) {
    let names: [String]
    do throws(FileError) { names = try folder.names() } catch { throw VaultError(error) }
    guard !names.contains("HEAD") else { return }
    let parts = Set(["config", "description", "hooks", "info", "objects", "refs", "branches", "packed-refs"])
    let foreign = names.filter { $0 != Self.aside && !parts.contains($0) }
    guard foreign.isEmpty else {
      throw VaultError(
        .missing,
        "\(path) is no vault, and it holds other things: \(foreign.sorted().prefix(3).joined(separator: ", "))",
        advice: "name a folder that is empty or not there yet")
    }
    do throws(FileError) { if names.contains(Self.aside) { try folder.remove(Self.aside) } } catch {
      throw VaultError(error)
    }
    try VaultRepository.translated(path) { () throws(GitError) in
      try GitRepository.create(at: "\(path)/\(Self.aside)")
    }
    do throws(FileError) { try takeOver(names) } catch { throw VaultError(error) }
  }

  /// What makes it a repository comes last.
  private borrowing func takeOver(_ names: [String]) throws(FileError) {
    let made = try folder.folder(Self.aside)
    for name in try made.names() where name != "HEAD" {
      if names.contains(name) { try folder.remove(name) }
      try made.rename(name, to: name, in: folder)
    }
    try folder.sync()
    try made.rename("HEAD", to: "HEAD", in: folder)
    try folder.sync()
    try folder.remove(Self.aside)
  }

  private static let aside = ".vault.new"
}

extension VaultError {
  init(_ error: FileError) {
    if error.number == ENOSPC || error.number == EDQUOT {
      self.init(.full, error.message, advice: "make room on the file system of \(error.path)")
    } else {
      self.init(.other, error.message)
    }
  }
}
