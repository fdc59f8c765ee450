import NIOCore

/// Bytes written in hexadecimal, with any white space between.
func hex(_ text: String) -> ByteBuffer {
  let digits = text.filter { !$0.isWhitespace }
  var buffer = ByteBuffer()
  var index = digits.startIndex
  while index < digits.endIndex {
    let next = digits.index(index, offsetBy: 2)
    buffer.writeInteger(UInt8(digits[index..<next], radix: 16) ?? 0)
    index = next
  }
  return buffer
}
