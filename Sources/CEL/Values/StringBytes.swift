extension String {
  /// Gives the text's UTF-8 without a copy where the text is stored so.
  @inline(__always)
  func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
    if let result = utf8.withContiguousStorageIfAvailable(body) { return result }
    return Array(utf8).withUnsafeBufferPointer(body)
  }

  /// Whether both are the same sequence of code points. Swift's `==` compares by canonical equivalence, the expression
  /// language does not.
  @inline(__always)
  func hasSameCodePoints(as other: String) -> Bool {
    utf8.count == other.utf8.count && self == other && (utf8.count < 2 || bytesEqual(other))
  }

  private func bytesEqual(_ other: String) -> Bool {
    withBytes { left in other.withBytes { right in left.elementsEqual(right) } }
  }

  /// Whether this text is before `other` in the order of code points.
  func precedes(_ other: String) -> Bool {
    withBytes { left in other.withBytes { right in left.lexicographicallyPrecedes(right) } }
  }

  /// The number of code points.
  var codePointCount: Int {
    withBytes { bytes in
      var count = 0
      for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
      return count
    }
  }
}
