/// One member of a tar archive, without its content.
package struct TarMember: Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// Its size in bytes.
    case file(size: Int)
    case directory
    /// What it points to, as bytes.
    case symbolicLink(target: [UInt8])
    /// Another one, as it stands in a sentence: `a hard link`, `a device`. Never written.
    case other(String)
  }

  /// As bytes: file names need not be UTF-8. A folder's has no slash at its end, though the archive holds one. What is read may be
  /// anything: absolute, with `..`, with control characters.
  package var name: [UInt8]
  package var kind: Kind
  /// The twelve permission bits.
  package var mode: UInt32
  package var user: Int
  package var group: Int
  /// When the content was last changed: seconds since 1970 and nanoseconds.
  package var modified: (seconds: Int, nanoseconds: Int) {
    get { (modifiedSeconds, modifiedNanoseconds) }
    set { (modifiedSeconds, modifiedNanoseconds) = newValue }
  }
  private var modifiedSeconds: Int
  private var modifiedNanoseconds: Int

  package init(
    name: [UInt8], kind: Kind, mode: UInt32, user: Int, group: Int, modified: (seconds: Int, nanoseconds: Int)
  ) {
    self.name = name
    self.kind = kind
    self.mode = mode
    self.user = user
    self.group = group
    modifiedSeconds = modified.seconds
    modifiedNanoseconds = modified.nanoseconds
  }
}
