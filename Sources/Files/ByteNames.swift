import Glibc

// The kernel's names are bytes, which need not be text. Whoever must keep names as they are uses these.
extension Folder {
  /// The names of what is in it as bytes, in no order.
  package func namesInBytes() throws(FileError) -> [[UInt8]] {
    let own = openat(file.descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0 else { throw .last(.readFolder, path) }
    // It owns the descriptor from here on.
    guard let stream = fdopendir(own) else {
      let error = FileError.last(.readFolder, path)
      close(own)
      throw error
    }
    defer { closedir(stream) }
    var names: [[UInt8]] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      if name != [0x2E], name != [0x2E, 0x2E] { names.append(name) }
    }
    guard errno == 0 else { throw .last(.readFolder, path) }
    return names
  }

  /// What the system knows of what is called so; nil if nothing is.
  package func metadata(of name: [UInt8]) throws(FileError) -> FileMetadata? {
    var status = stat()
    let result = try call(name, .examine) { fstatat(file.descriptor, $0, &status, AT_SYMLINK_NOFOLLOW) }
    if result == 0 { return FileMetadata(status) }
    guard errno == ENOENT else { throw .last(.examine, shownPath(of: name)) }
    return nil
  }

  /// Opens a folder in it.
  package func folder(_ name: [UInt8]) throws(FileError) -> Folder {
    Folder(try open(name, O_RDONLY | O_DIRECTORY))
  }

  /// Opens a regular file in it to read; anything else is refused, and no pipe or terminal can keep us waiting.
  package func openToRead(_ name: [UInt8]) throws(FileError) -> File {
    let file = try open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY)
    guard try file.metadata().kind == .regular else { throw FileError(.read, file.path, .notRegular) }
    return file
  }

  private func open(_ name: [UInt8], _ flags: CInt) throws(FileError) -> File {
    let opened = try call(name, .open) { openat(file.descriptor, $0, flags | O_CLOEXEC | O_NOFOLLOW) }
    guard opened >= 0 else { throw .last(.open, shownPath(of: name)) }
    return File(adopting: opened, shownPath(of: name))
  }

  /// What a symbolic link in it points to.
  package func target(ofLink name: [UInt8]) throws(FileError) -> [UInt8] {
    var target = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = try call(name, .read) { readlinkat(file.descriptor, $0, &target, target.count) }
    guard length >= 0 else { throw .last(.read, shownPath(of: name)) }
    return target[..<length].map { UInt8(bitPattern: $0) }
  }

  /// Makes a folder in it, which must not be there yet, private to this process's user.
  package func makeFolder(_ name: [UInt8]) throws(FileError) -> Folder {
    let made = try call(name, .makeFolder) { mkdirat(file.descriptor, $0, 0o700) }
    guard made == 0 else { throw .last(.makeFolder, shownPath(of: name)) }
    return try folder(name)
  }

  /// Makes a file in it to write to, which must not be there yet, private to this process's user.
  package func create(_ name: [UInt8]) throws(FileError) -> File {
    let made = try call(name, .create) {
      openat(file.descriptor, $0, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
    }
    guard made >= 0 else { throw .last(.create, shownPath(of: name)) }
    return File(adopting: made, shownPath(of: name))
  }

  /// Makes a symbolic link in it.
  ///
  /// - Parameter owner: nil for this process's user and group.
  package func makeLink(
    _ name: [UInt8], to target: [UInt8], owner: (user: UInt32, group: UInt32)? = nil
  ) throws(FileError) {
    let made = try call(name, .create) { name in
      (target + [0]).withUnsafeBytes { target in
        symlinkat(target.baseAddress?.assumingMemoryBound(to: CChar.self) ?? name, file.descriptor, name)
      }
    }
    guard made == 0 else { throw .last(.create, shownPath(of: name)) }
    guard let owner else { return }
    let given = try call(name, .setOwner) {
      fchownat(file.descriptor, $0, owner.user, owner.group, AT_SYMLINK_NOFOLLOW)
    }
    guard given == 0 else { throw .last(.setOwner, shownPath(of: name)) }
  }

  /// Removes a file of it, or a folder with all that is in it; never follows links.
  ///
  /// What can be removed is gone, whatever is thrown; the first failure is. A name that is not there is one.
  package func remove(_ name: [UInt8]) throws(FileError) {
    guard let found = try metadata(of: name) else { throw FileError(.remove, shownPath(of: name), .system(ENOENT)) }
    var failure: FileError?
    if found.kind == .folder {
      do throws(FileError) { try folder(name).removeAll() } catch { failure = error }
    }
    let gone = try call(name, .remove) { unlinkat(file.descriptor, $0, found.kind == .folder ? AT_REMOVEDIR : 0) }
    guard gone == 0 else { throw failure ?? .last(.remove, shownPath(of: name)) }
  }

  /// Gives a name to a system call that starts at this folder; it is made again for as long as signals interrupt it.
  private func call<Result: SignedInteger>(
    _ name: [UInt8], _ operation: FileError.Operation, _ use: (UnsafePointer<CChar>) -> Result
  ) throws(FileError) -> Result {
    guard !name.isEmpty, name != [0x2E], name != [0x2E, 0x2E], !name.contains(0x2F), !name.contains(0) else {
      throw FileError(operation, shownPath(of: name), .notOneName)
    }
    var name = name.map { CChar(bitPattern: $0) }
    name.append(0)
    return retrying { name.withUnsafeBufferPointer { $0.baseAddress.map(use) ?? -1 } }
  }

  /// For errors: what is no text is replaced.
  private func shownPath(of name: [UInt8]) -> String {
    (path == "/" ? "/" : "\(path)/") + String(decoding: name, as: UTF8.self)
  }
}

extension File {
  /// Opens a regular file to read by a path that need not be text; links are followed. Anything else is refused.
  package static func openToRead(path: [UInt8]) throws(FileError) -> File {
    let shown = String(decoding: path, as: UTF8.self)
    guard !path.contains(0) else { throw FileError(.open, shown, .notOneName) }
    let name = path.map { CChar(bitPattern: $0) } + [0]
    let opened = retrying {
      name.withUnsafeBufferPointer { bytes in
        bytes.baseAddress.map { Glibc.open($0, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) } ?? -1
      }
    }
    guard opened >= 0 else { throw .last(.open, shown) }
    let file = File(adopting: opened, shown)
    guard try file.metadata().kind == .regular else { throw FileError(.read, shown, .notRegular) }
    return file
  }
}
