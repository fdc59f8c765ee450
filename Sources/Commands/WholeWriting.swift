import Glibc

/// Writes all of it, however many calls that takes; false, with the reason in `errno`, where it cannot.
func writeWhole(_ bytes: [UInt8], to descriptor: CInt) -> Bool {
  var rest = bytes[...]
  while !rest.isEmpty {
    let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    if written < 0 && errno == EINTR { continue }
    guard written >= 0 else { return false }
    rest = rest.dropFirst(written)
  }
  return true
}
