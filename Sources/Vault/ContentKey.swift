import Crypto
import Files
import FoundationEssentials
import Glibc

/// The key under which a host tells contents apart without telling what they are. It is kept outside git.
package struct ContentKey: Sendable {
  private let key: SymmetricKey

  package init(_ bytes: [UInt8]) { key = SymmetricKey(data: bytes) }

  /// Reads the key; makes it if there is none yet, readable to its owner alone.
  package init(file path: String) throws(VaultError) {
    let content: FileContent
    do throws(FileError) {
      try Self.makeIfMissing(path)
      content = try File.read(path, limit: 1024)
    } catch { throw VaultError(.other, error.message) }
    guard content.metadata.mode & 0o077 == 0 else {
      throw VaultError(.other, "others than its owner may read the key \(path)", advice: "chmod 600 \(path)")
    }
    let text = String(decoding: content.bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace).joined()
    guard text.utf8.count == 64, text.allSatisfy(\.isHexDigit) else {
      throw VaultError(
        .other, "\(path) does not hold a key of 64 hex digits",
        advice: "put the file back, or remove it: the next backup is then made whatever changed")
    }
    self.init(Array(text.utf8))
  }

  private static func makeIfMissing(_ path: String) throws(FileError) {
    guard try FileMetadata.of(path) == nil else { return }
    try Folder.makeAll(parentFolder(of: path), Permissions(0o700))
    let text = hex(SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }) + "\n"
    do throws(FileError) {
      let folder = try Folder(parentFolder(of: path), followingLinks: true)
      try folder.write(Array(text.utf8), to: lastName(of: path), Permissions(0o600), replacing: .nothing)
    } catch {
      // Somebody else was faster.
      guard error.number == EEXIST else { throw error }
    }
  }

  /// What stands for a content whose SHA-256 is known.
  package func digest(ofSHA256 sha256: String) -> String { digest(of: Array(sha256.utf8)) }

  /// HMAC-SHA256 in lower-case hex.
  package func digest(of bytes: [UInt8]) -> String {
    hex(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
  }
}
