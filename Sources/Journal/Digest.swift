import Crypto

/// SHA-256 of the bytes in lower-case hex, as `sha256sum` prints it.
package func sha256Hex(_ bytes: some Sequence<UInt8>) -> String { hex(SHA256.hash(data: Array(bytes))) }

extension Descriptor {
  /// SHA-256 of all that the file holds, however long it is.
  func sha256() throws(JournalError) -> String {
    var hash = SHA256()
    var offset = 0
    while true {
      let piece = try read(from: offset, limit: 1 << 20)
      if piece.isEmpty { return hex(hash.finalize()) }
      hash.update(data: piece)
      offset += piece.count
    }
  }
}

private func hex(_ digest: SHA256.Digest) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  for byte in digest { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
  return String(decoding: text, as: UTF8.self)
}
