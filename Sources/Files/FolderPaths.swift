import Glibc

// Folders by their paths.
extension Folder {
  /// True for a folder that is no symbolic link; false too if we may not look.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Makes a folder, which must not be there yet.
  package static func make(_ path: String, _ permissions: Permissions) throws(FileError) {
    _ = try Folder(parentFolder(of: path), followingLinks: true).makeFolder(lastName(of: path), permissions)
  }

  /// Makes a folder and those above it, each on the disk before it is used. What is there already stays as it is; a link to a
  /// folder counts as one. It is brought to the disk too: who made it may have died before that.
  package static func makeAll(_ path: String, _ permissions: Permissions) throws(FileError) {
    if let found = try FileMetadata.of(path, followingLinks: true) {
      guard found.kind == .folder else { throw FileError(.makeFolder, path, .system(EEXIST)) }
      do throws(FileError) { try Folder(parentFolder(of: path), followingLinks: true).sync() } catch {
        // What we may not read we cannot sync.
        guard error.number == EACCES else { throw error }
      }
      return
    }
    let parent = parentFolder(of: path)
    do throws(FileError) {
      if parent != path { try makeAll(parent, permissions) }
    } catch {
      let isFile = error.path == parent && error.number == EEXIST
      throw isFile ? FileError(.makeFolder, path, .system(ENOTDIR)) : error
    }
    let folder = try Folder(parent, followingLinks: true)
    do throws(FileError) { _ = try folder.makeFolder(lastName(of: path), permissions) } catch {
      // Somebody else was faster.
      guard error.number == EEXIST, exists(path) else { throw error }
    }
    try folder.sync()
  }

  /// The names of what is in a folder, in no order; none if there is no such folder. Throws if it is a link.
  package static func names(in path: String) throws(FileError) -> [String] {
    do throws(FileError) { return try Folder(path).names() } catch {
      guard error.number == ENOENT else { throw error }
      return []
    }
  }

  /// Brings what was made, renamed or removed in a folder to the disk.
  package static func sync(_ path: String) throws(FileError) { try Folder(path).sync() }

  /// What a file, or a folder and all in it, takes on the disk, in bytes; what cannot be looked at counts as nothing.
  package static func diskUsage(of path: String) -> Int64 {
    guard let found = try? FileMetadata.of(path) else { return 0 }
    guard found.kind == .folder else { return found.diskUsage }
    return ((try? names(in: path)) ?? []).reduce(found.diskUsage) { $0 + diskUsage(of: "\(path)/\($1)") }
  }
}

/// The path of the folder that something lies in.
package func parentFolder(of path: String) -> String {
  let path = withoutTrailingSlashes(path)
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : withoutTrailingSlashes(String(path[..<slash]))
}

/// The last part of a path.
package func lastName(of path: String) -> String {
  let path = withoutTrailingSlashes(path)
  guard path != "/", let slash = path.lastIndex(of: "/") else { return path }
  return String(path[path.index(after: slash)...])
}

private func withoutTrailingSlashes(_ path: String) -> String {
  var path = path[...]
  while path.utf8.count > 1, path.utf8.last == 0x2F { path = path.dropLast() }
  return String(path)
}

/// The path with every symbolic link followed.
package func resolvedPath(_ path: String) throws(FileError) -> String {
  guard let resolved = realpath(path, nil) else { throw .last(.resolve, path) }
  defer { free(resolved) }
  return String(cString: resolved)
}

extension Folder {
  /// Removes a file of it, or a folder with all that is in it; never follows links.
  ///
  /// What can be removed is gone, whatever is thrown; the first failure is. A name that is not there is one.
  package func remove(_ name: String) throws(FileError) { try remove(Array(name.utf8)) }

  /// Removes all that is in it.
  package func removeAll() throws(FileError) {
    var failure: FileError?
    for name in try namesInBytes() {
      do throws(FileError) { try remove(name) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  /// The same of what is at a path.
  package static func remove(_ path: String) throws(FileError) {
    try Folder(parentFolder(of: path), followingLinks: true).remove(lastName(of: path))
  }
}
