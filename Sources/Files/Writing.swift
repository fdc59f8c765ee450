import Glibc

extension File {
  /// Writes all of the bytes, with as many calls as it takes.
  package func write(_ bytes: [UInt8]) throws(FileError) {
    try writeAll(bytes, to: descriptor, path)
  }

  /// Cuts the file off.
  package func truncate(to size: Int) throws(FileError) {
    guard retrying({ ftruncate(descriptor, off_t(size)) }) == 0 else { throw .last(.truncate, path) }
  }

  /// Waits until the bytes, and what is needed to read them again, are on the disk. After an error nothing is known of
  /// what was written before; another try would report success without it.
  package func syncData() throws(FileError) {
    guard retrying({ fdatasync(descriptor) }) == 0 else { throw .last(.sync, path) }
  }

  /// The same with all that is known of the file.
  package func sync() throws(FileError) {
    guard retrying({ fsync(descriptor) }) == 0 else { throw .last(.sync, path) }
  }
}

/// Writes all of the bytes to a descriptor that somebody else owns, such as standard output.
///
/// - Parameter path: as errors name it.
package func writeAll(_ bytes: [UInt8], to descriptor: CInt, _ path: String) throws(FileError) {
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { buffer in
      retrying { Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written) }
    }
    guard count >= 0 else { throw .last(.write, path) }
    guard count > 0 else { throw FileError(.write, path, .system(ENOSPC)) }
    written += count
  }
}
