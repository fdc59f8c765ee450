internal import Files

#if canImport(Glibc)
  internal import Glibc
#endif

/// Reads a regular file of at most `limit` bytes, links followed. A pipe or device is refused without waiting for it.
func readFile(_ path: String, limit: Int) throws(FileError) -> FileContent {
  try File.read(path, limit: limit, followingLinks: true)
}

extension FileError {
  /// What the file is or has, as a clause without it as the subject: `cannot be opened: Permission denied`.
  var clause: String {
    switch cause {
    case .system:
      switch operation {
      case .open: "cannot be opened: \(reason)"
      case .read: "cannot be read: \(reason)"
      default: "cannot be examined: \(reason)"
      }
    case .notRegular: "is no regular file"
    case .tooLarge(let size?, let limit): "has \(size) bytes; at most \(limit) are read"
    case .tooLarge(nil, let limit): "has more than \(limit) bytes, which is the most that is read"
    case .notOneName: reason
    }
  }

  var isTooLarge: Bool {
    if case .tooLarge = cause { true } else { false }
  }
}

/// The names in a folder, links followed, sorted; empty if there is no such folder.
func folderEntries(_ path: String) -> [String] {
  ((try? Folder(path, followingLinks: true).names()) ?? []).sorted()
}

/// Whether a path lies in a folder, once every symbolic link is followed in both; nil if one of them does not exist.
package func lies(_ path: String, in folder: String) -> Bool? {
  guard let real = resolvedPath(path), let realFolder = resolvedPath(folder) else { return nil }
  return real.hasPrefix(realFolder == "/" ? "/" : realFolder + "/")
}

/// The path with every symbolic link followed; nil if it does not exist.
func resolvedPath(_ path: String) -> String? { try? Files.resolvedPath(path) }

/// The permission bits of what lies at a path, links followed; nil if nothing does.
func fileMode(_ path: String) -> UInt32? { metadata(path)?.mode }

func isFolder(_ path: String) -> Bool { metadata(path)?.kind == .folder }

private func metadata(_ path: String) -> FileMetadata? {
  (try? FileMetadata.of(path, followingLinks: true)).flatMap(\.self)
}

/// True if others than owner and group may write.
func isWorldWritable(_ mode: UInt32) -> Bool { mode & 0o002 != 0 }
