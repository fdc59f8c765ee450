import Files
import Glibc
import Journal
import Schema

/// The folder of the machine's locks: one for all users, projects and state folders. Each lock is a file that is never removed, and
/// flock(2) on it; so the kernel gives a lock back however its holder ends, and flock(1) in a script takes the same one.
package struct LockFolder: Hashable, Sendable {
  /// That of the machine; it is gone with the next boot.
  package static let machine = LockFolder("/run/lock/runbook")

  package let path: String

  package init(_ path: String) { self.path = path }

  /// Why locks cannot be taken at all.
  package struct Failure: Error, Hashable, Sendable {
    package let message: String
    package let advice: String
  }

  package enum Attempt: Sendable {
    case held(HeldLocks)
    /// One of them is taken, and none is held; by whom is nil if its holder does not tell.
    case taken(name: String, by: LockHolder?)
  }

  /// Takes all of the locks, or none of them, without waiting for any.
  ///
  /// - Parameter names: any texts; each stands for one lock.
  package func take(_ names: Set<String>, for holder: LockHolder) async throws(Failure) -> Attempt {
    let files: [(name: String, file: LockFile)] = try openAll(names.sorted())
    for (name, file) in files {
      guard try onDisk({ () throws(FileError) in try file.file.tryFlock() }) else {
        return .taken(name: name, by: await file.holder())
      }
    }
    for (_, file) in files { try onDisk { () throws(FileError) in try file.write(holder) } }
    return .held(HeldLocks(files: files.map(\.file)))
  }

  private func openAll(_ names: [String]) throws(Failure) -> [(String, LockFile)] {
    guard !names.isEmpty else { return [] }
    let folder = try opened()
    var files: [(String, LockFile)] = []
    for name in names {
      files.append((name, LockFile(try onDisk { () throws(FileError) in try Self.file(of: name, in: folder) })))
    }
    for (name, file) in files {
      let found = try onDisk { () throws(FileError) in try file.file.metadata() }
      guard found.kind == .regular, found.links == 1 else {
        throw Failure(
          message:
            "\(path)/\(Self.fileName(of: name)) is no lock: \(found.kind == .regular ? "it has other names too" : "it is no regular file")",
          advice: "find out who put it there, and remove it")
      }
    }
    return files
  }

  /// The folder, made if need be, and held against what would let others take locks away.
  private func opened() throws(Failure) -> Folder {
    let folder = try onDisk { () throws(FileError) in
      do throws(FileError) { return try Folder(path) } catch {
        guard error.number == ENOENT else { throw error }
        do throws(FileError) { try Folder.make(path, Permissions(0o770, owner: .ofProcess)) } catch {
          // If it is there now, somebody else was faster.
          guard error.number == EEXIST else { throw error }
        }
        return try Folder(path)
      }
    }
    let found = try onDisk { () throws(FileError) in try folder.metadata() }
    guard found.owner == 0 || found.owner == geteuid() else {
      throw Failure(
        message: "the folder of the locks, \(path), belongs to user \(found.owner): they could take locks away",
        advice: Self.making(path))
    }
    guard found.mode & 0o002 == 0 else {
      throw Failure(
        message: "everybody may write to the folder of the locks, \(path): they could take locks away",
        advice: Self.making(path))
    }
    guard try !onDisk({ () throws(FileError) in try folder.isRemote() }) else {
      throw Failure(
        message:
          "the folder of the locks, \(path), lies on a file system of another host, whose locks cannot be relied on",
        advice: "name a folder on this host with RUNBOOK_LOCKS")
    }
    return folder
  }

  private static func making(_ path: String) -> String {
    "as root: rm -r \(path) && install -d -o root -g runbook -m 2770 \(path)"
  }

  /// What somebody does who may not work in the folder: it is not there and they may not make it, or it is another group's.
  private var refusalAdvice: String {
    let user = Account.name(of: Int(geteuid()))
    guard let found = try? FileMetadata.of(path) else {
      return
        "\(path) is not there, and you may not make it; as root: groupadd -f runbook && install -d -o root -g runbook -m 2770 \(path) && usermod -aG runbook \(user); then log in again"
    }
    if found.group != 0, found.mode & 0o070 == 0o070 {
      let group = Account.name(ofGroup: found.group) ?? "\(found.group)"
      return
        "\(path) is for the group \(group); as root: usermod -aG \(group) \(user); then log in again (id shows whether you are in it)"
    }
    return
      "\(path) is for no group that you could join; as root: groupadd -f runbook && chgrp -R runbook \(path) && chmod 2770 \(path) && usermod -aG runbook \(user); then log in again"
  }

  private func onDisk<Result: ~Copyable>(
    _ work: () throws(FileError) -> Result
  ) throws(Failure) -> Result {
    do throws(FileError) { return try work() } catch {
      let advice =
        switch error.number {
        case EACCES, EPERM: refusalAdvice
        case ELOOP: "a link stands in its place: find out who put it there, and remove it"
        case ENOENT: "make the folder above it, or name another one with RUNBOOK_LOCKS"
        default: "look at \(error.path)"
        }
      throw Failure(message: error.message, advice: advice)
    }
  }

  /// Opened without `O_CREAT` first, which the kernel refuses for files of others in a shared folder (fs.protected_regular).
  private static func file(of name: String, in folder: borrowing Folder) throws(FileError) -> File {
    let fileName = fileName(of: name)
    while true {
      do throws(FileError) { return try folder.open(fileName, O_RDWR | O_NONBLOCK | O_NOCTTY) } catch {
        guard error.number == ENOENT else { throw error }
      }
      do throws(FileError) { return try folder.create(fileName, O_RDWR, Permissions(0o660)) } catch {
        guard error.number == EEXIST else { throw error }
      }
    }
  }

  /// The file of a lock: different names have different files, whatever they hold.
  package static func fileName(of name: String) -> String {
    var text = ""
    for byte in name.utf8 {
      let character = Character(Unicode.Scalar(byte))
      let isPlain = byte < 0x80 && (character.isLetter || character.isNumber) || "-_".contains(character)
      text += isPlain ? String(character) : (byte < 0x10 ? "+0" : "+") + String(byte, radix: 16)
    }
    guard text.utf8.count > 200 else { return text + ".lock" }
    // No plain name has a full stop.
    return String(text.prefix(100)) + "." + sha256Hex(name.utf8) + ".lock"
  }
}

/// Locks that are held until this is let go of.
package final class HeldLocks: Sendable {
  private let files: [LockFile]

  fileprivate init(files: [LockFile]) { self.files = files }

  deinit {
    // Who finds the lock taken a moment later waits for the line of its new holder; the lock itself goes with the file.
    for file in files { try? file.file.truncate(to: 0) }
  }
}

/// The open file of a lock.
private final class LockFile: Sendable {
  let file: File

  init(_ file: consuming File) { self.file = file }

  func write(_ holder: LockHolder) throws(FileError) {
    try file.truncate(to: 0)
    try file.write(holder.line)
  }

  /// Who holds it. A holder writes its line a moment after it got the lock, so a line that is not there yet, or is left from a run
  /// that died, is waited for; nil if none comes.
  func holder() async -> LockHolder? {
    for _ in 0..<50 {
      if let line = try? file.read(limit: LockHolder.limit), let holder = LockHolder(line: line), holder.isAlive {
        return holder
      }
      try? await Task.sleep(for: .milliseconds(10))
    }
    return nil
  }
}
