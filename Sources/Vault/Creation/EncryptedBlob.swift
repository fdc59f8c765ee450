import Age
import Crypto
import FoundationEssentials

/// Encrypts what comes, passes it on, and keeps size and digest of what it passed on.
final class EncryptedBlob {
  private var encryption: AgeEncryption?
  private var hash = SHA256()
  private(set) var size = 0
  private let sink: (UnsafeRawBufferPointer) throws -> Void

  init(to recipients: [AgeRecipient], sink: @escaping (UnsafeRawBufferPointer) throws -> Void) throws {
    self.sink = sink
    let encryption = try AgeEncryption(to: recipients)
    self.encryption = encryption
    try pass(encryption.head)
  }

  func add(_ bytes: UnsafeRawBufferPointer) throws {
    guard let part = try encryption?.add(bytes) else { return }
    try pass(part)
  }

  /// Writes the end. Gives the SHA-256 of all that was passed on, in lower-case hex.
  func finish() throws -> String {
    if let last = encryption.take() { try pass(last.finish()) }
    return hex(hash.finalize())
  }

  private func pass(_ bytes: Data) throws {
    guard !bytes.isEmpty else { return }
    size += bytes.count
    hash.update(data: bytes)
    try bytes.withUnsafeBytes(sink)
  }
}
