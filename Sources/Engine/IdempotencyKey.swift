import Crypto
import Journal

/// The key under which every try of one step of one run does its work: hex SHA-256 over the run's id, a NUL and the
/// step's path, without the number of the try.
package func idempotencyKey(run: String, path: String) -> String {
  sha256Hex(Array("\(run)\0\(path)".utf8))
}

/// A number from 0 up to 1 that a key and the number of a try determine: jitter that replays.
func draw(key: String, attempt: Int) -> Double {
  let digest = SHA256.hash(data: Array("\(key)\0\(attempt)".utf8))
  let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  return Double(number >> 11) / Double(UInt64(1) << 53)
}
