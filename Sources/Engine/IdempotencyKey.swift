import Crypto
package import Journal

/// The key under which every try of one step of one run does its work: hex SHA-256 over the run's id, the stage and
/// the step's path, with a NUL between them, without the number of the try.
package func idempotencyKey(run: String, path: StepPath) -> String {
  sha256Hex(Array("\(run)\0\(path.stage.rawValue)\0\(path.text)".utf8))
}

/// A number from 0 up to 1 that a key and the number of a try determine: jitter that replays.
func draw(key: String, attempt: Int) -> Double {
  let digest = SHA256.hash(data: Array("\(key)\0\(attempt)".utf8))
  let number = digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
  return Double(number >> 11) / Double(UInt64(1) << 53)
}
