import Glibc

/// An open file, closed with its owner. Every call throws a ``JournalError`` that names the file and the reason.
struct Descriptor: ~Copyable {
  let number: Int32
  var path: String

  /// Opens what is there, never following a symbolic link in the last part of its path.
  init(opening path: String, _ flags: Int32) throws(JournalError) {
    let opened = retrying { open(path, flags | O_CLOEXEC | O_NOFOLLOW) }
    guard opened >= 0 else { throw JournalError("open", path, errno) }
    number = opened
    self.path = path
  }

  /// Makes a file that is not there yet, with exactly this mode, whatever the umask of who runs us; root gives it to the
  /// owner of its folder.
  init(creating path: String, _ flags: Int32, mode: mode_t) throws(JournalError) {
    let made = retrying { open(path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode) }
    guard made >= 0 else { throw JournalError("create", path, errno) }
    do throws(JournalError) { try Self.share(made, path, mode: mode) } catch {
      close(made)
      throw error
    }
    number = made
    self.path = path
  }

  /// Opens a file, or makes it where it is not there.
  static func openingOrCreating(_ path: String, _ flags: Int32, mode: mode_t) throws(JournalError) -> Descriptor {
    while true {
      do throws(JournalError) { return try Descriptor(opening: path, flags) } catch {
        guard error.code == .missing else { throw error }
      }
      do throws(JournalError) { return try Descriptor(creating: path, flags, mode: mode) } catch {
        // Somebody else was faster.
        guard access(path, F_OK) == 0 else { throw error }
      }
    }
  }

  /// Gives what was just made its mode, and the owner and group of the folder that it lies in as far as we may: what root
  /// records in an operator's folder is the operator's.
  func share(mode: mode_t) throws(JournalError) { try Self.share(number, path, mode: mode) }

  private static func share(_ number: Int32, _ path: String, mode: mode_t) throws(JournalError) {
    var own = stat()
    var parent = stat()
    guard unsafe fstat(number, &own) == 0 else { throw JournalError("look at", path, errno) }
    if unsafe stat(parentFolder(of: path), &parent) == 0, own.st_uid == geteuid() {
      let isRoot = geteuid() == 0
      if isRoot && own.st_uid != parent.st_uid || own.st_gid != parent.st_gid {
        // Who may not give it away keeps it, as on file systems that know no owners.
        _ = fchown(number, isRoot ? parent.st_uid : own.st_uid, parent.st_gid)
      }
    }
    // An installed state passes its group on by the set-group-ID bit, which a new folder inherits.
    let inherited = own.st_mode & S_IFMT == S_IFDIR ? own.st_mode & S_ISGID : 0
    guard fchmod(number, mode | inherited) == 0 else { throw JournalError("set the mode of", path, errno) }
  }

  /// Opens a regular file to read; nothing else, so that no pipe can keep who lists runs waiting.
  static func reading(_ path: String) throws(JournalError) -> Descriptor {
    let file = try Descriptor(opening: path, O_RDONLY | O_NONBLOCK)
    var status = stat()
    guard unsafe fstat(file.number, &status) == 0 else { throw JournalError("look at", path, errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw JournalError(.damaged, "\(path) is no regular file", path: path)
    }
    return file
  }

  deinit { close(number) }

  /// Writes all of the bytes, with as many calls as it takes.
  func write(_ bytes: [UInt8]) throws(JournalError) {
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { buffer in
        retrying { unsafe Glibc.write(number, buffer.baseAddress?.advanced(by: written), buffer.count - written) }
      }
      guard count >= 0 else { throw JournalError("write to", path, errno) }
      guard count > 0 else { throw JournalError("write to", path, ENOSPC) }
      written += count
    }
  }

  /// Writes all of the bytes, and brings them to the disk.
  func writeAndSync(_ bytes: [UInt8]) throws(JournalError) {
    try write(bytes)
    try sync()
  }

  /// Where the last byte ends that is not zero.
  func sizeWithoutTrailingZeros() throws(JournalError) -> Int {
    var end = try size()
    while end > 0 {
      let start = max(0, end - 1 << 20)
      let piece = try read(from: start, limit: end - start)
      if !isZero(piece) { return start + (piece.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0) }
      end = start
    }
    return 0
  }

  /// Everything from an offset on, or at most `limit` bytes.
  func read(from offset: Int = 0, limit: Int = .max) throws(JournalError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      let room = min(limit - bytes.count, 1 << 20)
      let start = off_t(offset + bytes.count)
      var count = 0
      let piece = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
        count = retrying { unsafe pread(number, buffer.baseAddress, room, start) }
        initialized = max(0, count)
      }
      guard count >= 0 else { throw JournalError("read", path, errno) }
      if count == 0 { break }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
    }
    return bytes
  }

  /// Length of the file in bytes.
  func size() throws(JournalError) -> Int {
    var status = stat()
    guard unsafe fstat(number, &status) == 0 else { throw JournalError("look at", path, errno) }
    return Int(status.st_size)
  }

  /// Cuts the file off.
  func truncate(to size: Int) throws(JournalError) {
    guard retrying({ ftruncate(number, off_t(size)) }) == 0 else { throw JournalError("cut off", path, errno) }
  }

  /// Waits until the bytes, and what is needed to read them again, are on the disk. After an error nothing is known of
  /// what was written before; another try would report success without it.
  func syncData() throws(JournalError) {
    guard retrying({ fdatasync(number) }) == 0 else { throw JournalError("bring to the disk", path, errno) }
  }

  /// The same with all that is known of the file; what folders need.
  func sync() throws(JournalError) {
    guard retrying({ fsync(number) }) == 0 else { throw JournalError("bring to the disk", path, errno) }
  }

  /// Waits for the exclusive lock of the whole file. The kernel drops it when the descriptor closes, also by a crash.
  func lock() throws(JournalError) {
    guard call(.setWaiting) != nil else { throw JournalError("lock", path, errno) }
  }

  /// Gives the lock back.
  func unlock() { _ = call(.set, F_UNLCK) }

  /// Takes the lock without waiting: false where somebody else has it.
  func tryLock() throws(JournalError) -> Bool {
    if call(.set) != nil { return true }
    guard errno == EAGAIN || errno == EACCES else { throw JournalError("lock", path, errno) }
    return false
  }

  /// True where somebody else has the lock; takes none itself, so that it disturbs nobody.
  func isLockedByOther() throws(JournalError) -> Bool {
    guard let found = call(.get) else { throw JournalError("look at the lock of", path, errno) }
    return found.l_type != Int16(F_UNLCK)
  }

  /// A lock command (fcntl(2), open file description locks) on the whole file; nil with errno.
  private func call(_ command: LockCommand, _ type: Int32 = F_WRLCK) -> flock? {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    return retrying { unsafe fcntl(number, command.rawValue, &lock) } == 0 ? lock : nil
  }
}

/// F_OFD_GETLK, F_OFD_SETLK and F_OFD_SETLKW of Linux's fcntl.h, which Glibc's module does not show to Swift.
private enum LockCommand: Int32 {
  case get = 36
  case set = 37
  case setWaiting = 38
}

/// Calls again while a signal interrupts it.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
  while true {
    let result = call()
    if result == -1, errno == EINTR { continue }
    return result
  }
}

extension JournalError {
  /// A failed system call: what was to be done to the path, and the error's number.
  init(_ action: String, _ path: String, _ number: Int32) {
    let (code, advice): (Code, String?) =
      switch number {
      case ENOSPC, EDQUOT:
        (.diskFull, "free space there, or run with --volatile, which keeps the journal in memory-backed storage")
      case EROFS:
        (.refused, "make the file system writable, or run with --volatile, which keeps the journal in memory")
      case EACCES, EPERM: (.refused, "give this user access to the state folder, or set RUNBOOK_STATE to another one")
      case ELOOP:
        (.refused, "it is a symbolic link, which is never followed here: put a real file or folder in its place")
      case ENOENT: (.missing, nil)
      case EIO:
        (.failed, "the disk reports an error; look at the kernel's log (dmesg), then run with --volatile to go on")
      default: (.failed, nil)
      }
    self.init(
      code, "cannot \(action) \(path): \(unsafe String(cString: strerror(number)))", advice: advice, path: path)
  }
}

/// Whether there is no byte but zero. Each is compared with its neighbour by the C library: there may be gigabytes.
func isZero(_ bytes: [UInt8]) -> Bool {
  guard let first = bytes.first else { return true }
  return first == 0
    && bytes.withUnsafeBytes { buffer in
      guard let start = buffer.baseAddress else { return true }
      return unsafe memcmp(start, start + 1, buffer.count - 1) == 0
    }
}
