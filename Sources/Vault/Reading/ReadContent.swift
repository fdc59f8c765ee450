import Crypto
import FoundationEssentials
import SQLite

/// What was read of one file, consistently: all of it as of one moment, or with something appended after that.
struct ReadContent {
  /// In bytes.
  let size: Int
  /// SHA-256 in lower-case hex.
  let sha256: String
  /// The content itself, if the file is small or a database.
  var bytes: [UInt8]?
  let notes: [BackupManifest.Member.Note]
  /// False if the file changed each time it was read: what is here may never have stood there at any one time.
  let isConsistent: Bool
  /// As of the reading; nil of what is no file.
  let status: HostFiles.Status?

  /// Files up to here are read whole, so that what is archived is what was looked at.
  static let longestWhole = 1 << 20
  /// How often a file that changes is read.
  static let tries = 3
  static let piece = 1 << 18

  /// Reads the file; one that changes meanwhile is read again.
  ///
  /// - Parameter betweenLooks: called before the file is looked at for the second time, for tests.
  init(
    reading path: [UInt8], checkpoint: () throws(VaultError) -> Void, betweenLooks: (() -> Void)? = nil
  ) throws(ContentFailure) {
    if SQLiteDatabase.isDatabase(path) {
      self = try Self.database(path)
      return
    }
    var found: ReadContent?
    for _ in 0..<Self.tries {
      // Under its name another file may have come.
      let file = try OpenHostFile(path)
      let content = try Self.look(at: file, checkpoint, betweenLooks)
      found = content
      if content.isConsistent { break }
    }
    guard let found else { throw ContentFailure("it was not read") }
    self = found
  }

  /// A SQLite database. One that nobody has open is copied without a lock, and again if somebody wrote meanwhile.
  private static func database(_ path: [UInt8]) throws(ContentFailure) -> ReadContent {
    var last: ReadContent?
    for _ in 0..<tries {
      let isResting = SQLiteDatabase.isResting(path)
      let before = try OpenHostFile(path).status()
      let bytes = try copy(path, isResting: isResting)
      let after = try OpenHostFile(path).status()
      let isWhole = !isResting || (before == after && SQLiteDatabase.isResting(path))
      let content = whole(bytes, after, notes: [.sqlite], isConsistent: isWhole)
      if isWhole { return content }
      last = content
    }
    guard let last else { throw ContentFailure("it was not read") }
    return last
  }

  /// How long a database's writers are waited for.
  private static let patience: Duration = .seconds(10)

  private static func copy(_ path: [UInt8], isResting: Bool) throws(ContentFailure) -> [UInt8] {
    do throws(SQLiteDatabase.Failure) {
      return try SQLiteDatabase(path, isResting: isResting, time: patience).copy()
    } catch {
      throw switch error {
      case .libraryMissing:
        ContentFailure("it is a SQLite database, and the library that copies it is missing (package libsqlite3-0)")
      case .unreadable(let reason): ContentFailure("it cannot be copied as a SQLite database: \(reason)")
      }
    }
  }

  /// What a command printed.
  init(output bytes: [UInt8]) {
    self.init(
      size: bytes.count, sha256: hex(SHA256.hash(data: bytes)), bytes: bytes, notes: [], isConsistent: true, status: nil
    )
  }

  private static func whole(
    _ bytes: [UInt8], _ status: HostFiles.Status, notes: [BackupManifest.Member.Note], isConsistent: Bool
  ) -> ReadContent {
    ReadContent(
      size: bytes.count, sha256: hex(SHA256.hash(data: bytes)), bytes: bytes, notes: notes,
      isConsistent: isConsistent, status: status)
  }

  private init(
    size: Int, sha256: String, bytes: [UInt8]?, notes: [BackupManifest.Member.Note], isConsistent: Bool,
    status: HostFiles.Status?
  ) {
    self.size = size
    self.sha256 = sha256
    self.bytes = bytes
    self.notes = notes
    self.isConsistent = isConsistent
    self.status = status
  }

  private static func look(
    at file: borrowing OpenHostFile, _ checkpoint: () throws(VaultError) -> Void, _ betweenLooks: (() -> Void)?
  ) throws(ContentFailure) -> ReadContent {
    let before = try file.status()
    if before.size == 0, let content = try unsized(file, before, betweenLooks) { return content }
    let content: ReadContent
    if before.size <= longestWhole {
      var bytes = [UInt8](repeating: 0, count: before.size)
      let count = try file.read(bytes.count, into: &bytes, at: 0)
      bytes.removeLast(bytes.count - count)
      betweenLooks?()
      let notes = try Self.judge(file, before, count) { () throws(ContentFailure) in
        var again = [UInt8](repeating: 0, count: count)
        let got = try file.read(count, into: &again, at: 0)
        return got == count && again == bytes
      }
      content = whole(bytes, before, notes: notes ?? [], isConsistent: notes != nil)
    } else {
      let (count, digest) = try Self.digest(of: file, first: before.size, checkpoint)
      betweenLooks?()
      let notes = try Self.judge(file, before, count) { () throws(ContentFailure) in
        try Self.digest(of: file, first: count, checkpoint) == (count, digest)
      }
      content = ReadContent(
        size: count, sha256: digest, bytes: nil, notes: notes ?? [], isConsistent: notes != nil, status: before)
    }
    return content
  }

  /// A file that tells no size and has a content all the same, as those of /proc do; nil if there is nothing in it.
  private static func unsized(
    _ file: borrowing OpenHostFile, _ before: HostFiles.Status, _ betweenLooks: (() -> Void)?
  ) throws(ContentFailure) -> ReadContent? {
    func all() throws(ContentFailure) -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: longestWhole + 1)
      let count = try file.read(bytes.count, into: &bytes, at: 0)
      bytes.removeLast(bytes.count - count)
      return bytes
    }
    let bytes = try all()
    guard !bytes.isEmpty else { return nil }
    guard bytes.count <= longestWhole else {
      throw ContentFailure("it tells no size, and has more than \(sizeText(longestWhole))")
    }
    betweenLooks?()
    let isSame = try all() == bytes
    return whole(bytes, before, notes: [], isConsistent: try file.status().size == 0 && isSame)
  }

  /// What is to be noted of a reading; nil if the content changed during it.
  ///
  /// - Parameter isSame: whether the part that was read is still the same.
  private static func judge(
    _ file: borrowing OpenHostFile, _ before: HostFiles.Status, _ count: Int,
    isSame: () throws(ContentFailure) -> Bool
  ) throws(ContentFailure) -> [BackupManifest.Member.Note]? {
    let after = try file.status()
    if after.hasSameContent(as: before), count == before.size { return [] }
    guard after.size >= count, count == before.size, try isSame() else { return nil }
    return after.size > count ? [.grew] : []
  }

  /// How many bytes there were, up to a limit, and their SHA-256.
  private static func digest(
    of file: borrowing OpenHostFile, first limit: Int, _ checkpoint: () throws(VaultError) -> Void
  ) throws(ContentFailure) -> (Int, String) {
    var hash = SHA256()
    var buffer = [UInt8](repeating: 0, count: piece)
    var offset = 0
    while offset < limit {
      do throws(VaultError) { try checkpoint() } catch { throw ContentFailure(error.message) }
      let wanted = min(piece, limit - offset)
      let count = try file.read(wanted, into: &buffer, at: offset)
      if count == 0 { break }
      buffer.withUnsafeBytes { hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
      offset += count
    }
    return (offset, hex(hash.finalize()))
  }
}

/// In lower case.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
