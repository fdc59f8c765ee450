import Files
import Journal

/// The digest of the running executable, kept beside the runs so that a file that did not change is read once only.
struct ToolDigest {
  let state: StateFolder

  private static let executable = "/proc/self/exe"
  private var cache: String { "\(state.path)/.tool" }

  /// SHA-256 in hex; nil if the executable cannot be read.
  func value() -> String? {
    guard let executable = try? FileMetadata.of(Self.executable, followingLinks: true) else { return nil }
    if let known = try? File.read(cache, limit: 1024) {
      let words = String(decoding: known.bytes, as: UTF8.self).split(separator: "\n").map(String.init)
      if words.count == 2, words[0] == executable.version { return words[1] }
    }
    guard let digest = sha256OfFile(Self.executable) else { return nil }
    // A cache that cannot be written costs time only.
    try? File.writeWhole(Array("\(executable.version)\n\(digest)\n".utf8), to: cache, .masked(0o644))
    return digest
  }
}
