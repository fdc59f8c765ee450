import CLibarchive
import Glibc

/// Reads a tar archive that is compressed with zstd, member by member, as ``TarWriter`` writes it.
///
/// One filter, one format: what else libarchive can read is refused. Nothing is written anywhere.
package struct TarReader: ~Copyable {
  /// Fills the buffer as far as there is anything; 0 at the end.
  package typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

  private let handle: ReadHandle
  private let stream: TarSource

  /// Throws ``ArchiveError``, or what the source throws.
  package init(from source: @escaping Source) throws {
    let handle = try ReadHandle()
    try handle.check(archive_read_support_filter_zstd(handle.raw), .start)
    try handle.check(archive_read_support_format_tar(handle.raw), .start)
    let stream = TarSource(source)
    let status = archive_read_open(
      handle.raw, Unmanaged.passUnretained(stream).toOpaque(), nil,
      { _, client, bytes in
        guard let client, let bytes else { return -1 }
        return Unmanaged<TarSource>.fromOpaque(client).takeUnretainedValue().fill(bytes)
      }, nil)
    try stream.throwIfFailed()
    try handle.check(status, .open)
    self.handle = handle
    self.stream = stream
  }

  /// The next member; nil at the archive's end.
  package borrowing func next() throws -> TarMember? {
    var entry: OpaquePointer?
    let status = archive_read_next_header(handle.raw, &entry)
    try stream.throwIfFailed()
    guard status != ARCHIVE_EOF else { return nil }
    try handle.check(status, .read)
    guard let entry, let name = archive_entry_pathname(entry) else {
      throw ArchiveError(.read, number: EILSEQ, message: "a member has no name that can be read")
    }
    let kind = Self.kind(of: entry)
    var bytes = Self.bytes(name)
    if kind == .directory, bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    return TarMember(
      name: bytes, kind: kind, mode: UInt32(archive_entry_perm(entry)),
      user: Int(archive_entry_uid(entry)), group: Int(archive_entry_gid(entry)),
      modified: (archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)))
  }

  /// Content of the member that ``next()`` gave last; 0 at its end.
  package borrowing func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = archive_read_data(handle.raw, buffer.baseAddress, buffer.count)
    try stream.throwIfFailed()
    guard count >= 0 else { throw handle.error(.read) }
    return count
  }

  private static func bytes(_ text: UnsafePointer<CChar>) -> [UInt8] {
    UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 }
  }

  private static func kind(of entry: OpaquePointer) -> TarMember.Kind {
    if archive_entry_hardlink(entry) != nil { return .other("a hard link") }
    // Sparse members lose their holes in silence (libarchive#2125).
    if archive_entry_sparse_count(entry) > 0 { return .other("a sparse file") }
    switch archive_entry_filetype(entry) & Glibc.S_IFMT {
    case Glibc.S_IFREG: return .file(size: Int(archive_entry_size(entry)))
    case Glibc.S_IFDIR: return .directory
    case Glibc.S_IFLNK: return .symbolicLink(target: archive_entry_symlink(entry).map(bytes) ?? [])
    case Glibc.S_IFIFO: return .other("a named pipe")
    case Glibc.S_IFCHR, Glibc.S_IFBLK: return .other("a device")
    case Glibc.S_IFSOCK: return .other("a socket")
    default: return .other("of an unknown kind")
    }
  }
}

/// Where an archive's bytes come from; it keeps what went wrong there, since C cannot pass it on.
final class TarSource {
  private let source: TarReader.Source
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var failure: (any Error)?

  init(_ source: @escaping TarReader.Source) {
    self.source = source
  }

  deinit { buffer.deallocate() }

  func fill(_ bytes: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
    do {
      bytes.pointee = UnsafeRawPointer(buffer.baseAddress)
      return try source(buffer)
    } catch {
      failure = failure ?? error
      return -1
    }
  }

  func throwIfFailed() throws {
    if let failure { throw failure }
  }
}
