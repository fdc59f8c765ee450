import CDatabases
import Glibc

/// A SQLite database of the host, open for reading. It blocks: for a thread of its own.
package final class SQLiteDatabase {
  package enum Failure: Error, Hashable {
    case libraryMissing
    /// What SQLite says.
    case unreadable(String)
  }

  private let connection: OpaquePointer
  private let library: String

  /// Opens an existing database; never creates one.
  ///
  /// - Parameters:
  ///   - path: of a regular file, as bytes: names need not be UTF-8.
  ///   - isResting: what ``isResting(_:)`` said. SQLite takes no lock then: what is read counts only if nobody wrote meanwhile.
  ///   - time: what opening, waiting for writers and all queries may take.
  package init(
    _ path: [UInt8], isResting: Bool, time: Duration, library: String = "libsqlite3.so.0"
  ) throws(Failure) {
    var message = Self.emptyMessage
    let milliseconds = time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000
    guard
      let opened = runbook_sqlite_open(
        library, Self.address(of: path, isResting: isResting), CInt(clamping: max(1, milliseconds)), &message)
    else {
      let text = Self.text(message)
      throw text.isEmpty ? .libraryMissing : .unreadable(text)
    }
    connection = opened
    self.library = library
  }

  deinit { runbook_sqlite_close(connection) }

  /// The rows of a query, each column as text; what is no UTF-8 becomes U+FFFD.
  package func rows(_ sql: String) throws(Failure) -> [[String]] {
    let rows = Rows()
    var message = Self.emptyMessage
    let isDone = runbook_sqlite_query(
      connection, sql,
      { context, columns, bytes, counts in
        guard let context, let bytes, let counts else { return false }
        let row = (0..<Int(columns)).map { column in
          String(decoding: UnsafeBufferPointer(start: bytes[column], count: Int(counts[column])), as: UTF8.self)
        }
        Unmanaged<Rows>.fromOpaque(context).takeUnretainedValue().all.append(row)
        return true
      }, Unmanaged.passUnretained(rows).toOpaque(), &message)
    guard isDone else { throw .unreadable(Self.text(message)) }
    return rows.all
  }

  /// The bytes of the database as of one moment, whoever writes to it meanwhile.
  package func copy() throws(Failure) -> [UInt8] {
    var message = Self.emptyMessage
    var count: Int64 = 0
    guard let bytes = runbook_sqlite_copy(connection, library, &count, &message) else {
      throw .unreadable(Self.text(message))
    }
    defer { runbook_sqlite_free(bytes) }
    return Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
  }

  private final class Rows {
    var all: [[String]] = []
  }

  private static let emptyMessage = [CChar](repeating: 0, count: 512)

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
}

extension SQLiteDatabase {
  /// Whether a file begins as a database does (sqlite.org/fileformat.html).
  package static func isDatabase(_ path: [UInt8]) -> Bool {
    let magic = Array("SQLite format 3\0".utf8)
    return head(of: path, count: magic.count) == magic
  }

  /// Whether it is in WAL mode (octet 18 is 2) without a log of changes beside it: nobody has it open.
  package static func isResting(_ path: [UInt8]) -> Bool {
    guard head(of: path, count: 19)?.last == 2 else { return false }
    var log = stat()
    return withCString(path + Array("-wal".utf8)) { stat($0, &log) } != 0 || log.st_size == 0
  }

  /// The first bytes of a regular file; nil if there are not so many. Nothing waits for a pipe.
  private static func head(of path: [UInt8], count: Int) -> [UInt8]? {
    let file = withCString(path) { open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
    guard file >= 0 else { return nil }
    defer { close(file) }
    var status = stat()
    var head = [UInt8](repeating: 0, count: count)
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG, pread(file, &head, count, 0) == count else {
      return nil
    }
    return head
  }

  private static func withCString<Result>(_ path: [UInt8], _ use: (UnsafePointer<CChar>) -> Result) -> Result {
    (path + [0]).withUnsafeBytes { use($0.assumingMemoryBound(to: CChar.self).baseAddress!) }
  }
}
