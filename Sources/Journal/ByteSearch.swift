import CLinux

extension Collection<UInt8> {
  /// The offset at which a pattern first occurs; nil if it does not.
  func offset(of pattern: [UInt8]) -> Int? {
    withContiguousStorageIfAvailable { bytes in
      guard let start = UnsafeRawPointer(bytes.baseAddress) else { return nil }
      return pattern.withUnsafeBytes { pattern in
        unsafe runbook_find_bytes(start, bytes.count, pattern.baseAddress, pattern.count).map { $0 - start }
      }
    } ?? nil
  }
}
