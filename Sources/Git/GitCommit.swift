import CLibgit2

/// The name of an object: SHA-1 over it. It tells objects apart; nobody should take it for a proof.
package struct GitID: Hashable, Sendable, CustomStringConvertible {
  /// 20 bytes.
  private let bytes: [UInt8]

  init(_ oid: git_oid) {
    var oid = oid
    bytes = withUnsafeBytes(of: &oid.id) { Array($0) }
  }

  var oid: git_oid {
    var oid = git_oid()
    withUnsafeMutableBytes(of: &oid.id) { $0.copyBytes(from: bytes) }
    return oid
  }

  /// 40 hex digits.
  package var description: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

/// Who made a commit or a tag, and when.
package struct GitSignature: Hashable, Sendable {
  package let name: String
  package let email: String
  /// Seconds since 1970; written in UTC.
  package let time: Int

  package init(name: String, email: String, time: Int) {
    self.name = name
    self.email = email
    self.time = time
  }

  func withRaw(_ use: (UnsafePointer<git_signature>) throws(GitError) -> Void) throws(GitError) {
    var raw: UnsafeMutablePointer<git_signature>?
    try GitError.check(git_signature_new(&raw, name, email, Int64(time), 0), "sign as \(name) <\(email)>")
    defer { git_signature_free(raw) }
    if let raw { try use(raw) }
  }
}

/// One commit.
package struct GitCommit: Hashable, Sendable {
  package let id: GitID
  package let parents: [GitID]
  package let tree: GitID
  /// As it was written.
  package let message: String
  package let author: GitSignature
}

/// A file at the root of a commit.
package struct GitFile: Hashable, Sendable {
  package let name: String
  package let id: GitID

  package init(name: String, id: GitID) {
    self.name = name
    self.id = id
  }
}
