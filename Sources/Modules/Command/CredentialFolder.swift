import CLinux
import Files
import Glibc
import Schema
import Steps

/// Secrets as files of a folder in memory, as systemd hands over credentials. The folder is removed when it is let go of; that of a
/// process which was killed goes when the next one is made.
final class CredentialFolder: Sendable {
  let path: String
  /// Its lock tells that the folder is in use.
  private let folder: Folder

  private static let prefix = "runbook-credentials-"

  init(_ secrets: [String: Secret]) throws(StepError) {
    guard
      let parent = ["/dev/shm", "/run/user/\(geteuid())"].first(where: { (path: String) in
        unsafe runbook_is_memory_backed(path)
      })
    else {
      throw .notStarted(
        "command.noMemoryFolder", "neither /dev/shm nor the runtime folder of the user is backed by memory",
        advice: "Mount a tmpfs at /dev/shm, or hand the secrets over by `secretFiles`.")
    }
    Self.removeAbandoned(in: parent)
    do throws(FileError) {
      let made = try Self.makeLocked(in: parent)
      path = made.path
      folder = made
    } catch {
      throw .notStarted(
        "command.noCredentials", "the secrets cannot be handed over: \(error.message)",
        advice: "Look at the room and the permissions of \(parent).")
    }
    do throws(FileError) {
      for (name, secret) in secrets.sorted(by: { $0.key < $1.key }) {
        let file = try folder.create(name, O_WRONLY, Permissions(0o400, owner: .ofProcess))
        try file.write(Array(secret.revealText().utf8))
      }
    } catch {
      try? Folder.remove(path)
      throw .notStarted(
        "command.noCredentials", "the secrets cannot be handed over: \(error.message)",
        advice: "The name of a credential is that of a file, without /.")
    }
  }

  deinit { try? Folder.remove(path) }

  private static let tries = 100

  /// A new folder under its lock. Another process may take it for abandoned and remove it before it is locked: then the next one is made.
  private static func makeLocked(in parent: String) throws(FileError) -> Folder {
    var failure = FileError(.lock, parent, .system(EAGAIN))
    for _ in 0..<tries {
      let path = "\(parent)/\(prefix)\(geteuid())-\(UInt64.random(in: .min ... .max))"
      do throws(FileError) {
        try Folder.make(path, Permissions(0o700, owner: .ofProcess))
        let folder = try Folder(path)
        if try folder.tryLock(), try FileMetadata.of(path) != nil { return folder }
      } catch {
        guard error.isMissing else { throw error }
        failure = error
      }
    }
    throw failure
  }

  /// Removes folders of ours whose process is gone.
  private static func removeAbandoned(in parent: String) {
    for name in (try? Folder.names(in: parent)) ?? [] where name.hasPrefix("\(prefix)\(geteuid())-") {
      guard let found = try? FileMetadata.of("\(parent)/\(name)"), found.owner == geteuid(),
        let folder = try? Folder("\(parent)/\(name)"), (try? folder.tryLock()) == true
      else { continue }
      try? Folder.remove("\(parent)/\(name)")
    }
  }
}
