#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads whole files.
enum FileBytes {
  /// The contents of a regular file of at most `limit` octets; `nil` when it cannot be read.
  static func read(_ path: String, limit: Int) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= limit else {
      return nil
    }
    let size = Int(status.st_size)
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size, let base = buffer.baseAddress {
        #if canImport(Darwin)
          let got = Darwin.read(descriptor, base + count, size - count)
        #elseif canImport(Musl)
          let got = Musl.read(descriptor, base + count, size - count)
        #else
          let got = Glibc.read(descriptor, base + count, size - count)
        #endif
        if got <= 0 { return }
        count += got
      }
    }
    return bytes.count == size ? bytes : nil
  }
}
