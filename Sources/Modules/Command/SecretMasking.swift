import Processes
import Schema

/// Takes the secrets that a program was given out of what it wrote, before that is recorded anywhere.
struct SecretMasking {
  /// The longest first: one may begin with another.
  private let secrets: [[UInt8]]

  init(_ secrets: some Sequence<Secret>) {
    self.secrets = secrets.map { Array($0.revealText().utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
  }

  /// What was kept of an output, as text, with ``Schema/Secret/mask`` in place of each secret. Bytes are compared: as
  /// characters, a secret with an accent behind it would be another text.
  func text(of output: CapturedOutput) -> String {
    secrets.isEmpty ? output.text : String(decoding: masked(output.bytes, isCut: output.isTruncated), as: UTF8.self)
  }

  /// - Parameter isCut: the end is missing, and may have been cut off inside a secret.
  func masked(_ bytes: [UInt8], isCut: Bool) -> [UInt8] {
    var masked: [UInt8] = []
    masked.reserveCapacity(bytes.count)
    var index = 0
    while index < bytes.count {
      let length = secrets.lazy.compactMap { Self.length(of: $0, in: bytes, at: index, isCut: isCut) }.first
      if let length {
        masked += Secret.mask.utf8
        index += length
      } else {
        masked.append(bytes[index])
        index += 1
      }
    }
    return masked
  }

  /// How many bytes are the secret's from here on; nil where it does not stand here.
  private static func length(of secret: [UInt8], in bytes: [UInt8], at index: Int, isCut: Bool) -> Int? {
    guard bytes[index] == secret[0] else { return nil }
    let length = min(secret.count, bytes.count - index)
    guard length == secret.count || isCut else { return nil }
    return bytes[index..<(index + length)].elementsEqual(secret[..<length]) ? length : nil
  }
}
