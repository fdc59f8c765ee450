import CLinux
import Files
import Glibc

extension JournalError {
  /// What went wrong with a file or folder of a journal.
  init(_ error: FileError) {
    let path = error.newPath ?? error.path
    guard let number = error.number else {
      self.init(.damaged, "\(path) cannot be used: \(error.reason)", path: path)
      return
    }
    let (code, advice) = Self.meaning(of: number)
    self.init(code, error.message, advice: advice, path: path)
  }

  private static func meaning(of number: CInt) -> (Code, advice: String?) {
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
  }
}

/// Works on files; what goes wrong there is thrown as an error of the journal.
func onDisk<Result: ~Copyable>(_ work: () throws(FileError) -> Result) throws(JournalError) -> Result {
  do throws(FileError) { return try work() } catch { throw JournalError(error) }
}

/// The same of one expression.
func onDisk<Result: ~Copyable>(
  _ work: @autoclosure () throws(FileError) -> Result
) throws(JournalError) -> Result {
  do throws(FileError) { return try work() } catch { throw JournalError(error) }
}

extension File {
  /// Where the last byte ends that is not zero.
  func sizeWithoutTrailingZeros() throws(FileError) -> Int {
    var end = try size()
    while end > 0 {
      let start = max(0, end - 1 << 20)
      let piece = try read(from: start, limit: end - start)
      if !isZero(piece) { return start + (piece.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0) }
      end = start
    }
    return 0
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

extension Collection<UInt8> {
  /// The offset at which a pattern first occurs; nil if it does not.
  func offset(of pattern: [UInt8]) -> Int? {
    withContiguousStorageIfAvailable { bytes in
      guard let start = UnsafeRawPointer(bytes.baseAddress) else { return nil }
      return pattern.withUnsafeBytes { pattern in
        unsafe runbook_find_bytes(start, bytes.count, pattern.baseAddress, pattern.count).map { $0 - start }
      }
    } ?? nil
  }
}
