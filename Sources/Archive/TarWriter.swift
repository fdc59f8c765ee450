import CLibarchive
import Glibc

/// Writes a tar archive in the pax form, compressed with zstd. The same members give the same bytes: neither the time nor
/// the name of anybody gets in.
package struct TarWriter: ~Copyable {
  /// Takes what is written, in order.
  package typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  private let handle: WriteHandle
  private let stream: TarSink

  package init(to sink: @escaping Sink) throws(ArchiveError) {
    let handle = try WriteHandle()
    try handle.check(archive_write_set_format_pax(handle.raw), .start)
    // Names are bytes. Otherwise libarchive takes them for text of the process's locale.
    try handle.check(archive_write_set_format_option(handle.raw, "pax", "hdrcharset", "BINARY"), .start)
    try handle.check(archive_write_add_filter_zstd(handle.raw), .start)
    // Nothing is filled up to whole tapes.
    try handle.check(archive_write_set_bytes_in_last_block(handle.raw, 1), .start)
    let stream = TarSink(sink)
    try handle.check(
      archive_write_open(
        handle.raw, Unmanaged.passUnretained(stream).toOpaque(), nil,
        { _, client, bytes, count in
          guard let client else { return -1 }
          let stream = Unmanaged<TarSink>.fromOpaque(client).takeUnretainedValue()
          return stream.take(UnsafeRawBufferPointer(start: bytes, count: count)) ? count : -1
        }, nil),
      .open)
    self.handle = handle
    self.stream = stream
  }

  /// Begins a member. The content of a file must follow, all of it, before the next one.
  ///
  /// Throws ``ArchiveError``, or what the sink throws.
  package borrowing func begin(_ member: TarMember) throws {
    guard let entry = archive_entry_new() else {
      throw ArchiveError(.write, number: ENOMEM, message: "out of memory")
    }
    defer { archive_entry_free(entry) }
    (member.name + [0]).withUnsafeBufferPointer { name in
      name.withMemoryRebound(to: CChar.self) { archive_entry_copy_pathname(entry, $0.baseAddress) }
    }
    let (type, size): (mode_t, Int)
    switch member.kind {
    case .file(let bytes): (type, size) = (Glibc.S_IFREG, bytes)
    case .directory: (type, size) = (Glibc.S_IFDIR, 0)
    case .symbolicLink(let target):
      (type, size) = (Glibc.S_IFLNK, 0)
      (target + [0]).withUnsafeBufferPointer { target in
        target.withMemoryRebound(to: CChar.self) { archive_entry_copy_symlink(entry, $0.baseAddress) }
      }
    case .other(let kind):
      throw ArchiveError(.write, number: EINVAL, message: "\(kind) is not written to an archive")
    }
    archive_entry_set_filetype(entry, type)
    archive_entry_set_perm(entry, mode_t(member.mode & 0o7777))
    archive_entry_set_size(entry, Int64(size))
    archive_entry_set_uid(entry, Int64(member.user))
    archive_entry_set_gid(entry, Int64(member.group))
    archive_entry_set_mtime(entry, member.modified.seconds, member.modified.nanoseconds)
    let status = archive_write_header(handle.raw, entry)
    try stream.throwIfFailed()
    // A warning means that something of the member was left out.
    guard status == ARCHIVE_OK else { throw handle.error(.write) }
  }

  /// Content of the file that was begun last.
  ///
  /// Throws if it is more than the member's size, too.
  package borrowing func write(_ content: UnsafeRawBufferPointer) throws {
    guard !content.isEmpty else { return }
    let count = archive_write_data(handle.raw, content.baseAddress, content.count)
    try stream.throwIfFailed()
    guard count >= 0 else { throw handle.error(.write) }
    guard count == content.count else {
      throw ArchiveError(.write, number: EFBIG, message: "the content is longer than the member's size")
    }
  }

  /// Ends the file that was begun last.
  ///
  /// Throws if its content is shorter than its size: libarchive would fill it up with zeros.
  package borrowing func end(_ member: TarMember, written: Int) throws {
    if case .file(let size) = member.kind, size != written {
      throw ArchiveError(.write, number: EIO, message: "the content is shorter than the member's size")
    }
    let status = archive_write_finish_entry(handle.raw)
    try stream.throwIfFailed()
    try handle.check(status, .write)
  }

  /// Writes the archive's end. Only then is it whole.
  package consuming func close() throws {
    let status = archive_write_close(handle.raw)
    try stream.throwIfFailed()
    try handle.check(status, .close)
  }
}

/// Where an archive's bytes go; it keeps what went wrong there, since C cannot pass it on.
final class TarSink {
  private let sink: TarWriter.Sink
  private var failure: (any Error)?

  init(_ sink: @escaping TarWriter.Sink) {
    self.sink = sink
  }

  func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
    do {
      try sink(bytes)
      return true
    } catch {
      failure = failure ?? error
      return false
    }
  }

  func throwIfFailed() throws {
    if let failure { throw failure }
  }
}

/// Owns one `archive *` opened for writing; frees it exactly once.
///
/// Not private: Swift 6.3.1 at -O destroys it from other modules, and the symbol of a private type is not there to link.
package struct WriteHandle: ~Copyable {
  fileprivate let raw: OpaquePointer

  fileprivate init() throws(ArchiveError) {
    guard let raw = archive_write_new() else {
      throw ArchiveError(.start, number: ENOMEM, message: "out of memory")
    }
    self.raw = raw
  }

  // What was not closed is given up: its end must not be written as if it were whole.
  deinit {
    archive_write_fail(raw)
    archive_write_free(raw)
  }

  fileprivate borrowing func check(_ status: Int32, _ operation: ArchiveError.Operation) throws(ArchiveError) {
    guard status == ARCHIVE_OK else { throw error(operation) }
  }

  fileprivate borrowing func error(_ operation: ArchiveError.Operation) -> ArchiveError {
    ArchiveError(
      operation, number: archive_errno(raw),
      message: archive_error_string(raw).map { String(cString: $0) } ?? "no reason given")
  }
}
