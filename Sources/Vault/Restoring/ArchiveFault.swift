/// What is wrong with a backup's archive. Nothing of it may be used then.
package struct ArchiveFault: Error, Hashable, Sendable {
  package enum Kind: Hashable, Sendable {
    /// It holds, or its manifest tells of, what no backup holds: a name that leads elsewhere, a device. Somebody made it so.
    case hostile
    /// It is not what was written, or not what its manifest tells.
    case damaged
    /// None of the identities opens it.
    case wrongIdentity
    /// It is larger than is read.
    case tooLarge
  }

  package let kind: Kind
  /// One sentence without a full stop.
  package let message: String
  package let advice: String?

  package init(_ kind: Kind, _ message: String, advice: String? = nil) {
    self.kind = kind
    self.message = message
    self.advice = advice
  }

  static func damaged(_ message: String) -> Self { Self(.damaged, message) }

  static func hostile(_ name: [UInt8], _ reason: String) -> Self {
    Self(
      .hostile, "the member \(MemberName.shown(name)) is refused: \(reason)",
      advice: "No backup that runbook makes holds it. Find out who wrote to the vault before you use any backup of it.")
  }

  /// A set with `links: keep` has such links if its host had them.
  static func outwardLink(_ name: [UInt8], _ reason: String) -> Self {
    Self(
      .hostile, "the member \(MemberName.shown(name)) is refused: \(reason)",
      advice:
        "If the host had this link, as one of a set with `links: keep`, let links lead out: `--outward-links`, in a step `outwardLinks: true`. Nothing is written through them."
    )
  }
}
