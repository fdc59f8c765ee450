import Glibc

extension Collection<UInt8> {
  /// Where a pattern, which is not empty, first occurs; the offset from the start.
  func offset(of pattern: [UInt8]) -> Int? {
    withContiguousStorageIfAvailable { bytes in
      pattern.withUnsafeBufferPointer { pattern in
        guard let start = bytes.baseAddress, let wanted = pattern.baseAddress else { return nil }
        var offset = 0
        while bytes.count - offset >= pattern.count {
          let room = bytes.count - offset - pattern.count + 1
          guard let found = unsafe memchr(start + offset, Int32(wanted[0]), room) else { return nil }
          if unsafe memcmp(found, wanted, pattern.count) == 0 {
            return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(start)
          }
          offset = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(start) + 1
        }
        return nil
      }
    } ?? nil
  }
}
