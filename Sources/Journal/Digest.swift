import Crypto
import Files

/// SHA-256 of the bytes in lower-case hex, as `sha256sum` prints it.
package func sha256Hex(_ bytes: some Sequence<UInt8>) -> String { hex(SHA256.hash(data: Array(bytes))) }

extension File {
  /// SHA-256 of all that the file holds, however long it is.
  func sha256() throws(FileError) -> String {
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

/// HMAC-SHA256 of a text in lower-case hex.
package func hmacSHA256Hex(_ text: String, key: String) -> String {
  hex(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: Array(key.utf8))))
}

private func hex(_ bytes: some Sequence<UInt8>) -> String {
  var text: [UInt8] = []
  text.reserveCapacity(2 * 32)
  for byte in bytes {
    text.append(hexDigit(byte >> 4))
    text.append(hexDigit(byte & 15))
  }
  return String(decoding: text, as: UTF8.self)
}

private func hexDigit(_ number: UInt8) -> UInt8 { number < 10 ? 0x30 + number : 0x57 + number }

/// The same of a file's bytes, links followed; nil if it cannot be read.
package func sha256OfFile(_ path: String) -> String? { try? File(reading: path, followingLinks: true).sha256() }
