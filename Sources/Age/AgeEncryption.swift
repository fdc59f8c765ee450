import Crypto
package import FoundationEssentials

/// The chunks of an age file's content: 64 KiB each, ChaCha20-Poly1305, numbered, the last one marked.
struct AgeChunks {
  static let size = 1 << 16
  static let tagSize = 16
  static let nonceSize = 16

  private let key: SymmetricKey
  private(set) var count = 0

  /// - Parameter nonce: the 16 bytes behind the header.
  init(fileKey: SymmetricKey, nonce: some Sequence<UInt8>) {
    key = HKDF<SHA256>.deriveKey(
      inputKeyMaterial: fileKey, salt: Data(nonce), info: Data("payload".utf8), outputByteCount: 32)
  }

  /// Eleven bytes of the chunk's number, one that marks the last.
  private mutating func nextNonce(isLast: Bool) -> ChaChaPoly.Nonce? {
    let bytes = [UInt8](repeating: 0, count: 3) + (0..<8).map { UInt8(truncatingIfNeeded: count >> (8 * (7 - $0))) }
    count += 1
    return try? ChaChaPoly.Nonce(data: bytes + [isLast ? 1 : 0])
  }

  mutating func seal(_ content: some DataProtocol, isLast: Bool) throws -> Data {
    let box = try ChaChaPoly.seal(content, using: key, nonce: nextNonce(isLast: isLast))
    return box.ciphertext + box.tag
  }

  /// Nil if the chunk is not what was written there.
  mutating func open(_ chunk: Data, isLast: Bool) -> Data? {
    guard chunk.count >= Self.tagSize, let nonce = nextNonce(isLast: isLast),
      let box = try? ChaChaPoly.SealedBox(
        nonce: nonce, ciphertext: chunk.dropLast(Self.tagSize), tag: chunk.suffix(Self.tagSize))
    else { return nil }
    return try? ChaChaPoly.open(box, using: key)
  }
}

/// Encrypts one content to several recipients, as it comes. Any of them can open it with `age -d`, or ``AgeDecryption``.
///
/// It does not tell who wrote it: whoever needs to know signs the result's digest.
package struct AgeEncryption {
  private var chunks: AgeChunks
  private var pending = Data()

  /// What stands at the head of the file, before anything that ``add(_:)`` gives.
  package let head: Data

  package init(to recipients: [AgeRecipient]) throws(AgeError) {
    let (fileKey, text) = try AgeHeader.seal(to: recipients)
    let nonce = SymmetricKey(size: .bits128).withUnsafeBytes { Data($0) }
    chunks = AgeChunks(fileKey: fileKey, nonce: nonce)
    head = Data(text.utf8) + nonce
  }

  /// Takes content; gives what can be written of it already.
  package mutating func add(_ content: UnsafeRawBufferPointer) throws -> Data {
    var written = Data()
    var rest = content[...]
    while !rest.isEmpty {
      // A full chunk waits until it is known not to be the last.
      if pending.count == AgeChunks.size {
        written += try chunks.seal(pending, isLast: false)
        pending.removeAll(keepingCapacity: true)
      }
      let part = rest.prefix(AgeChunks.size - pending.count)
      pending.append(contentsOf: part)
      rest = rest.dropFirst(part.count)
    }
    return written
  }

  /// The last chunk; nothing may be added behind it.
  package consuming func finish() throws -> Data {
    try chunks.seal(pending, isLast: true)
  }
}
