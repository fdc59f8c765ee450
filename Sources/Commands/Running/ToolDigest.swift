import Glibc
import Journal

/// The digest of the running executable, kept beside the runs so that a file that did not change is read once only.
struct ToolDigest {
  let state: StateFolder

  private static let executable = "/proc/self/exe"
  private var cache: String { "\(state.path)/.tool" }

  /// SHA-256 in hex; nil where the executable cannot be read.
  func value() -> String? {
    guard let identity = Self.identity() else { return nil }
    if let known = read(cache, limit: 1024) {
      let words = known.split(separator: "\n").map(String.init)
      if words.count == 2, words[0] == identity { return words[1] }
    }
    guard let digest = sha256OfFile(Self.executable) else { return nil }
    // A cache that cannot be written costs time only.
    keep("\(identity)\n\(digest)\n")
    return digest
  }

  /// What changes whenever the file does.
  private static func identity() -> String? {
    var status = stat()
    guard unsafe stat(executable, &status) == 0 else { return nil }
    return "\(status.st_dev) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec) "
      + "\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
  }

  private func read(_ path: String, limit: Int) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: limit)
    let count = Glibc.read(file, &bytes, limit)
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }

  private func keep(_ text: String) {
    let aside = "\(cache).\(getpid())"
    let file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard file >= 0 else { return }
    let isWritten = writeWhole(Array(text.utf8), to: file)
    close(file)
    if !isWritten || rename(aside, cache) != 0 { unlink(aside) }
  }
}
