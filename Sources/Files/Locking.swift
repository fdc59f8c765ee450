import CLinux
import Glibc

extension File {
  /// Waits for the exclusive lock of the whole file, which must be open to write. The kernel drops it when the file closes, also
  /// by a crash; so whoever holds it keeps the file alive (`withExtendedLifetime`). It counts among processes and among the open
  /// files of one process.
  package func lock() throws(FileError) {
    guard call(.setWaiting) != nil else { throw .last(.lock, path) }
  }

  /// Takes the lock without waiting: false if somebody else has it.
  package func tryLock() throws(FileError) -> Bool {
    if call(.set) != nil { return true }
    guard errno == EAGAIN || errno == EACCES else { throw .last(.lock, path) }
    return false
  }

  /// Gives the lock back.
  package func unlock() { _ = call(.set, F_UNLCK) }

  /// True if somebody else has the lock. Takes none itself, so that it disturbs nobody.
  package func isLockedByOther() throws(FileError) -> Bool {
    guard let found = call(.get) else { throw .last(.examineLock, path) }
    return found.l_type != Int16(F_UNLCK)
  }

  /// A lock command (fcntl(2), open file description locks) on the whole file; nil with errno.
  private func call(_ command: LockCommand, _ type: CInt = F_WRLCK) -> flock? {
    var lock = flock()
    lock.l_type = Int16(type)
    lock.l_whence = Int16(SEEK_SET)
    return retrying { fcntl(descriptor, command.rawValue, &lock) } == 0 ? lock : nil
  }
}

extension File {
  /// Takes the lock that flock(1) takes too, without waiting: false if somebody else has it. It is another one than that of
  /// ``tryLock()``. The kernel drops it when the file closes.
  package func tryFlock() throws(FileError) -> Bool {
    if retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw .last(.lock, path) }
    return false
  }
}

extension Folder {
  /// True if it lies on a file system of another host, whose locks need not be those of this kernel.
  package func isRemote() throws(FileError) -> Bool {
    switch runbook_is_remote(file.descriptor) {
    case 0: return false
    case 1: return true
    default: throw .last(.examine, path)
    }
  }

  /// Waits for the exclusive lock of the folder itself (flock(2)): nothing is left of it. The kernel drops it when the folder
  /// closes, also by a crash; so whoever holds it keeps the folder alive (`withExtendedLifetime`).
  package func lock() throws(FileError) {
    guard retrying({ flock(file.descriptor, LOCK_EX) }) == 0 else { throw .last(.lock, path) }
  }

  /// Takes the lock without waiting: false if somebody else has it.
  package func tryLock() throws(FileError) -> Bool {
    if retrying({ flock(file.descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
    guard errno == EWOULDBLOCK else { throw .last(.lock, path) }
    return false
  }
}

/// F_OFD_GETLK, F_OFD_SETLK and F_OFD_SETLKW of Linux's fcntl.h, which Glibc's module does not show to Swift.
private enum LockCommand: CInt {
  case get = 36
  case set = 37
  case setWaiting = 38
}
