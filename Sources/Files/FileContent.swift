import Glibc

/// A whole file, and what the system knew of it when it was opened.
package struct FileContent: Hashable, Sendable {
  package let bytes: [UInt8]
  package let metadata: FileMetadata
}

extension File {
  /// Reads a regular file of at most `limit` bytes. Anything else is refused without being waited for.
  ///
  /// Throws `tooLarge` if there are more.
  package static func read(
    _ path: String, limit: Int, followingLinks: Bool = false
  ) throws(FileError) -> FileContent {
    let file = try File(reading: path, followingLinks: followingLinks)
    return try file.content(limit: limit)
  }

  /// All of it, which must be at most `limit` bytes. Files of the kernel (proc(5)), whose size is not known before, are read whole
  /// too.
  package func content(limit: Int) throws(FileError) -> FileContent {
    let metadata = try metadata()
    guard metadata.size <= limit else { throw FileError(.read, path, .tooLarge(size: metadata.size, limit: limit)) }
    // The kernel hands out its own files a page at a time, whatever room there is.
    let bytes = try read(from: 0, limit: limit + 1, pieces: metadata.size == 0 ? 1 << 14 : metadata.size + 1)
    guard bytes.count <= limit else { throw FileError(.read, path, .tooLarge(size: nil, limit: limit)) }
    return FileContent(bytes: bytes, metadata: metadata)
  }

  /// Everything from an offset on, or the first `limit` bytes of it.
  package func read(from offset: Int = 0, limit: Int = .max) throws(FileError) -> [UInt8] {
    try read(from: offset, limit: limit, pieces: 1 << 20)
  }

  private func read(from offset: Int, limit: Int, pieces: Int) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < limit {
      let room = min(limit - bytes.count, pieces)
      let start = off_t(offset + bytes.count)
      var count = 0
      let piece = [UInt8](unsafeUninitializedCapacity: room) { buffer, initialized in
        count = retrying { pread(descriptor, buffer.baseAddress, room, start) }
        initialized = max(0, count)
      }
      guard count >= 0 else { throw .last(.read, path) }
      if count == 0 { break }
      if bytes.isEmpty { bytes = piece } else { bytes += piece }
    }
    return bytes
  }

  /// Its length in bytes.
  package func size() throws(FileError) -> Int { try metadata().size }
}
