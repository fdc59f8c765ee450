import CDatabases
import Glibc

/// A SQLite file, open for reading. It blocks: for a thread of its own.
final class SQLiteFile {
  enum Failure: Error, Hashable {
    /// There is no such file.
    case missing
    case libraryMissing
    case unreadable(String)
  }

  private let database: OpaquePointer

  /// Opens an existing file; never creates one.
  ///
  /// - Parameter time: what opening and all queries may take.
  init(_ path: String, time: Duration, library: String = "libsqlite3.so.0") throws(Failure) {
    try Self.check(path)
    var message = [CChar](repeating: 0, count: 512)
    // To read a file in WAL mode SQLite makes a file beside it, unless it may take it that nobody writes.
    let options = Self.isWithoutWriters(path) ? "mode=ro&immutable=1" : "mode=ro"
    let milliseconds = max(1, DatabaseLook.milliseconds(time))
    guard let opened = runbook_sqlite_open(library, "file:\(Self.escaped(path))?\(options)", milliseconds, &message)
    else {
      let text = String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
      throw text.isEmpty ? .libraryMissing : .unreadable(text)
    }
    database = opened
  }

  deinit { runbook_sqlite_close(database) }

  private static func check(_ path: String) throws(Failure) {
    var status = stat()
    guard stat(path, &status) == 0 else {
      throw errno == ENOENT ? .missing : .unreadable(String(cString: strerror(errno)))
    }
    // Opening a FIFO would wait for its writer.
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable("it is no regular file") }
    guard access(path, R_OK) == 0 else { throw .unreadable(String(cString: strerror(errno))) }
  }

  /// Whether the file is in WAL mode (octet 18 is 2; sqlite.org/fileformat.html) without a log of changes beside it.
  private static func isWithoutWriters(_ path: String) -> Bool {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return false }
    defer { close(file) }
    var head = [UInt8](repeating: 0, count: 20)
    guard pread(file, &head, head.count, 0) == head.count, head[18] == 2 else { return false }
    var log = stat()
    return stat("\(path)-wal", &log) != 0 || log.st_size == 0
  }

  private static func escaped(_ path: String) -> String {
    path.utf8.reduce(into: "") { text, byte in
      let isPlain = byte < 0x80 && (Character(Unicode.Scalar(byte)).isLetter || byte >= 0x2D && byte <= 0x39)
      if isPlain { text.unicodeScalars.append(Unicode.Scalar(byte)) } else { text += "%" + hexDigits(byte) }
    }
  }

  private static func hexDigits(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

  /// The rows of a query, each column as text; what is no UTF-8 becomes U+FFFD.
  func rows(_ sql: String) throws(Failure) -> [[String]] {
    let rows = Rows()
    var message = [CChar](repeating: 0, count: 512)
    let isDone = runbook_sqlite_query(
      database, sql,
      { context, columns, bytes, counts in
        guard let context, let bytes, let counts else { return false }
        let row = (0..<Int(columns)).map { column in
          String(decoding: UnsafeBufferPointer(start: bytes[column], count: Int(counts[column])), as: UTF8.self)
        }
        Unmanaged<Rows>.fromOpaque(context).takeUnretainedValue().all.append(row)
        return true
      }, Unmanaged.passUnretained(rows).toOpaque(), &message)
    guard isDone else {
      throw .unreadable(String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    return rows.all
  }

  private final class Rows {
    var all: [[String]] = []
  }
}
