import CLibarchive
import Glibc

/// The decompressed content of one compressed file (gzip, xz, bzip2, zstd), as a stream.
///
/// One filter only: a file that is compressed twice comes out compressed once. Memory stays flat, however far the content
/// is compressed.
package struct Decompression: ~Copyable {
  private let handle: ReadHandle
  private let hasContent: Bool

  /// - Parameter descriptor: open for reading, at the start of the file; it must stay open and is not closed.
  package init(descriptor: Int32) throws(ArchiveError) {
    let handle = try ReadHandle()
    for support in [
      archive_read_support_filter_gzip, archive_read_support_filter_xz, archive_read_support_filter_bzip2,
      archive_read_support_filter_zstd, archive_read_support_format_raw, archive_read_support_format_empty,
    ] {
      // A filter that this libarchive lacks is missed by `open`, which says so.
      _ = support(handle.raw)
    }
    try handle.check(archive_read_open_fd(handle.raw, descriptor, 1 << 16), .open)
    var entry: OpaquePointer?
    let status = archive_read_next_header(handle.raw, &entry)
    if status != ARCHIVE_EOF { try handle.check(status, .open) }
    hasContent = status != ARCHIVE_EOF
    self.handle = handle
  }

  /// Fills the buffer as far as there is content; 0 at its end.
  ///
  /// Throws if the file is damaged or ends too early: what was read until then is right.
  package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
    guard hasContent else { return 0 }
    let count = archive_read_data(handle.raw, buffer.baseAddress, buffer.count)
    guard count >= 0 else { throw handle.error(.read) }
    return count
  }
}

/// Owns one `archive *` opened for reading; frees it exactly once.
///
/// Not private: Swift 6.3.1 at -O destroys it from other modules, and the symbol of a private type is not there to link.
package struct ReadHandle: ~Copyable {
  let raw: OpaquePointer

  init() throws(ArchiveError) {
    guard let raw = archive_read_new() else {
      throw ArchiveError(.start, number: ENOMEM, message: "out of memory")
    }
    self.raw = raw
  }

  deinit { archive_read_free(raw) }

  borrowing func check(_ status: Int32, _ operation: ArchiveError.Operation) throws(ArchiveError) {
    guard status == ARCHIVE_OK || status == ARCHIVE_WARN else { throw error(operation) }
  }

  borrowing func error(_ operation: ArchiveError.Operation) -> ArchiveError {
    ArchiveError(
      operation, number: archive_errno(raw),
      message: archive_error_string(raw).map { String(cString: $0) } ?? "no reason given")
  }
}

/// The compressions that are told by the first bytes of a file.
package enum Compression: String, Hashable, Sendable, CaseIterable {
  case gzip
  case xz
  case bzip2
  case zstd

  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1F, 0x8B]
    case .xz: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
    case .bzip2: [0x42, 0x5A, 0x68]
    case .zstd: [0x28, 0xB5, 0x2F, 0xFD]
    }
  }

  /// How many bytes it takes to tell.
  package static let magicLength = 6

  /// Nil if the content is not compressed, or by something else.
  package init?(magic bytes: some Sequence<UInt8>) {
    let start = Array(bytes.prefix(Self.magicLength))
    guard let found = Self.allCases.first(where: { start.starts(with: $0.magic) }) else { return nil }
    self = found
  }
}

/// Why libarchive could not do something.
package struct ArchiveError: Error, Hashable, Sendable {
  /// What was being done, as it stands in a sentence: `read`.
  package enum Operation: String, Hashable, Sendable {
    case start
    case open
    case read
    case write
    case close
  }

  package let operation: Operation
  /// The error's number: errno(3), or one of libarchive's own.
  package let number: Int32
  /// libarchive's words.
  package let message: String

  package init(_ operation: Operation, number: Int32, message: String) {
    self.operation = operation
    self.number = number
    self.message = message
  }
}
