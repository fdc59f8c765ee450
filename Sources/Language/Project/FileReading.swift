#if canImport(Glibc)
  internal import Glibc
#endif

/// A file that was read, with what its trustworthiness is judged by.
struct FileContent {
  var bytes: [UInt8]
  /// The permission bits.
  var mode: UInt32
}

/// Why a file could not be read.
struct FileError: Error {
  enum Kind {
    case missing
    case notRegular
    case tooLarge
    case failed
  }

  var kind: Kind
  var message: String

  fileprivate static func last(_ action: String) -> Self {
    let number = errno
    let reason = unsafe String(cString: strerror(number))
    return Self(kind: number == ENOENT || number == ENOTDIR ? .missing : .failed, message: "\(action): \(reason)")
  }
}

/// Reads a regular file of at most `limit` bytes. A pipe or device is refused without waiting for it.
func readFile(_ path: String, limit: Int) throws(FileError) -> FileContent {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
  guard descriptor >= 0 else { throw .last("cannot be opened") }
  defer { close(descriptor) }
  var status = stat()
  guard unsafe fstat(descriptor, &status) == 0 else { throw .last("cannot be examined") }
  guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(kind: .notRegular, message: "is no regular file") }
  guard status.st_size <= limit else {
    throw FileError(kind: .tooLarge, message: "has \(status.st_size) bytes; at most \(limit) are read")
  }
  var bytes: [UInt8] = []
  while bytes.count <= limit {
    let wanted = limit + 1 - bytes.count
    var count = 0
    let chunk = [UInt8](unsafeUninitializedCapacity: min(wanted, 65_536)) { buffer, initialized in
      count = unsafe read(descriptor, buffer.baseAddress, buffer.count)
      initialized = max(0, count)
    }
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw .last("cannot be read") }
    if count == 0 { return FileContent(bytes: bytes, mode: status.st_mode & 0o7777) }
    bytes += chunk
  }
  throw FileError(kind: .tooLarge, message: "has more than \(limit) bytes, which is the most that is read")
}

/// The names in a folder, sorted; empty where there is no such folder.
func folderEntries(_ path: String) -> [String] {
  guard let folder = unsafe opendir(path) else { return [] }
  defer { unsafe closedir(folder) }
  var names: [String] = []
  while let entry = unsafe readdir(folder) {
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
      unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names.sorted()
}

/// Whether a path lies in a folder, once every symbolic link is followed in both; nil if one of them does not exist.
package func lies(_ path: String, in folder: String) -> Bool? {
  guard let real = resolvedPath(path), let realFolder = resolvedPath(folder) else { return nil }
  return real.hasPrefix(realFolder == "/" ? "/" : realFolder + "/")
}

/// The path with every symbolic link followed; nil where it does not exist.
func resolvedPath(_ path: String) -> String? {
  guard let resolved = unsafe realpath(path, nil) else { return nil }
  defer { unsafe free(resolved) }
  return unsafe String(cString: resolved)
}

/// The permission bits and kind of what lies at a path, links followed; nil where nothing does.
func fileMode(_ path: String) -> UInt32? {
  var status = stat()
  return unsafe stat(path, &status) == 0 ? status.st_mode : nil
}

func isFolder(_ path: String) -> Bool { fileMode(path).map { $0 & S_IFMT == S_IFDIR } ?? false }

/// True where others than owner and group may write.
func isWorldWritable(_ mode: UInt32) -> Bool { mode & 0o002 != 0 }
