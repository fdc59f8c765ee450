import CDatabases
import Glibc

/// The bytes of a SQLite database as of one moment, whoever writes to it meanwhile. They are held in memory.
struct SQLiteCopy: ~Copyable {
  private let bytes: UnsafeMutablePointer<UInt8>
  private let count: Int
  private let database: OpaquePointer

  private static let magic = Array("SQLite format 3\0".utf8)
  /// How long a writer is waited for.
  private static let patience: CInt = 10_000

  /// Whether the file begins as a SQLite database does.
  static func isDatabase(_ path: [UInt8]) -> Bool {
    guard let file = try? OpenHostFile(path) else { return false }
    return isDatabase(file)
  }

  static func isDatabase(_ file: borrowing OpenHostFile) -> Bool {
    var head = [UInt8](repeating: 0, count: magic.count)
    let count = try? file.read(head.count, into: &head, at: 0)
    return count == magic.count && head == magic
  }

  /// - Parameters:
  ///   - path: of a file that begins as a database does.
  ///   - isResting: it is in WAL mode, and nobody has it open. SQLite takes no lock on it then: the copy counts only if nobody
  ///     wrote meanwhile.
  init(_ path: [UInt8], isResting: Bool, library: String = "libsqlite3.so.0") throws(ContentFailure) {
    var message = [CChar](repeating: 0, count: 512)
    guard
      let opened = runbook_sqlite_open(library, Self.address(of: path, isResting: isResting), Self.patience, &message)
    else {
      let text = Self.text(message)
      throw ContentFailure(
        text.isEmpty
          ? "it is a SQLite database, and the library that copies it is missing (package libsqlite3-0)"
          : "it cannot be copied as a SQLite database: \(text)")
    }
    var count: Int64 = 0
    guard let bytes = runbook_sqlite_copy(opened, library, &count, &message) else {
      runbook_sqlite_close(opened)
      throw ContentFailure("it cannot be copied as a SQLite database: \(Self.text(message))")
    }
    (database, self.bytes, self.count) = (opened, bytes, Int(count))
  }

  deinit {
    runbook_sqlite_free(bytes)
    runbook_sqlite_close(database)
  }

  /// Valid as long as the copy is.
  borrowing func content() -> [UInt8] { Array(UnsafeBufferPointer(start: bytes, count: count)) }

  private static func text(_ message: [CChar]) -> String {
    String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// As a URI of SQLite. To read a database in WAL mode SQLite makes files beside it, unless it may take it that nobody writes.
  private static func address(of path: [UInt8], isResting: Bool) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var text = "file:"
    for byte in path {
      let isPlain = byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || byte >= 0x2D && byte <= 0x39)
      let escaped = [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
      text += isPlain ? String(Unicode.Scalar(byte)) : String(decoding: escaped, as: UTF8.self)
    }
    return text + (isResting ? "?mode=ro&immutable=1" : "?mode=ro")
  }

  /// Whether it is in WAL mode without a log beside it.
  static func isResting(_ path: [UInt8]) -> Bool {
    let log = try? HostFiles.status(path + Array("-wal".utf8), following: true)
    return isInWALMode(path) && (log?.size ?? 0) == 0
  }

  /// Octet 18 is 2 then (sqlite.org/fileformat.html).
  private static func isInWALMode(_ path: [UInt8]) -> Bool {
    guard let file = try? OpenHostFile(path) else { return false }
    var octet: [UInt8] = [0]
    let count = try? file.read(1, into: &octet, at: 18)
    return count == 1 && octet == [2]
  }
}
