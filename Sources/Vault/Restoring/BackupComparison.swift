import Crypto
import Files
import Glibc

/// A backup against the files of the host.
package struct BackupComparison: Hashable, Sendable {
  /// How many files are what the backup has.
  package var same = 0
  /// Changed on the host after the backup began to be read, so that the backup cannot have it.
  package var changedSince: [String] = []
  /// Not what the backup has, though nothing has touched the file since: the backup, or the file, is wrong.
  package var differing: [String] = []
  /// In the backup, and no longer on the host.
  package var gone: [String] = []
  /// What cannot be compared, with the reason: `PATH: REASON`.
  package var notCompared: [String] = []

  package init() {}

  /// Adds one member. Folders and links are not compared.
  ///
  /// - Parameters:
  ///   - created: when the backup began to be read: seconds since 1970.
  ///   - hostDigest: what the manifest has for a content of a SHA-256; nil if it has that itself.
  package mutating func add(
    _ member: BackupManifest.Member, created: Int64, hostDigest: BackupReading.HostDigest?
  ) {
    guard let path = member.path, case .file(let size, let digest) = member.kind else { return }
    let name = String(decoding: path, as: UTF8.self)
    if member.notes.contains(.sqlite) {
      notCompared.append("\(name): the backup has a copy that the database made, not its file")
      return
    }
    let live: LiveContent?
    do throws(FileError) { live = try LiveContent(path, prefix: size) } catch {
      notCompared.append("\(name): \(error.reason)")
      return
    }
    guard let live else {
      gone.append(name)
      return
    }
    let isGrown = member.notes.contains(.grew)
    let found = isGrown ? live.prefixDigest : live.size == size ? live.prefixDigest : nil
    if let found, (hostDigest?(found) ?? found) == digest {
      same += 1
    } else if live.changed >= created {
      changedSince.append(name)
    } else {
      differing.append(name)
    }
  }
}

/// A file of the host, read once.
private struct LiveContent {
  let size: Int
  /// Of the first bytes, as many as were asked for; nil if it is shorter.
  let prefixDigest: String?
  let changed: Int64

  /// Nil if there is no such file.
  init?(_ path: [UInt8], prefix: Int) throws(FileError) {
    do throws(FileError) {
      let file = try File.openToRead(path: path)
      var hash = SHA256()
      var offset = 0
      while offset < prefix {
        let part = try file.read(from: offset, limit: min(1 << 20, prefix - offset))
        if part.isEmpty { break }
        hash.update(data: part)
        offset += part.count
      }
      let metadata = try file.metadata()
      // Files of /proc tell no size.
      size = metadata.size > 0 ? metadata.size : offset + (try file.read(from: offset, limit: 1).count)
      changed = metadata.changed
      prefixDigest = offset == prefix ? hex(hash.finalize()) : nil
    } catch {
      guard error.isMissing else { throw error }
      return nil
    }
  }
}
