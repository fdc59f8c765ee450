import Schema

extension BackupManifest {
  /// The members by name, once all that they say was found possible: a manifest is as good as whoever can write to the vault.
  ///
  /// Throws if a name leads elsewhere or stands there twice, if something lies in what is no folder, if a link leads out and none
  /// may, and if the files have more than `limit` bytes together.
  func checkedMembers(limit: Int, allowsOutwardLinks: Bool) throws(ArchiveFault) -> [[UInt8]: Member] {
    var byName: [[UInt8]: Member] = [:]
    byName.reserveCapacity(members.count)
    var size = 0
    for member in members {
      if let reason = MemberName.objection(to: member.name) { throw .hostile(member.name, reason) }
      if member.name == BackupLayout.manifest { throw .hostile(member.name, "the manifest names itself") }
      guard byName.updateValue(member, forKey: member.name) == nil else {
        throw .hostile(member.name, "it is in the manifest twice")
      }
      switch member.kind {
      case .directory: break
      case .file(let bytes, _):
        let (sum, isOver) = size.addingReportingOverflow(bytes)
        guard bytes >= 0, !isOver else { throw .hostile(member.name, "its size is impossible") }
        size = sum
      case .symbolicLink(let target):
        if let reason = MemberName.objection(toTarget: target) { throw .hostile(member.name, reason) }
        if !allowsOutwardLinks, let reason = MemberName.objection(toLink: member.name, target: target) {
          throw .outwardLink(member.name, reason)
        }
      }
      guard (0...Int(UInt32.max) - 1).contains(member.user), (0...Int(UInt32.max) - 1).contains(member.group) else {
        throw .hostile(member.name, "its owner is impossible")
      }
    }
    for name in byName.keys {
      for ancestor in MemberName.ancestors(of: name) {
        if let found = byName[ancestor], found.kind != .directory {
          throw .hostile(name, "\(MemberName.shown(ancestor)), which it lies in, is no folder")
        }
      }
    }
    guard size <= limit else {
      throw ArchiveFault(
        .tooLarge, "the backup's files have \(size) bytes together, and at most \(limit) are read",
        advice: "Raise the limit if the backup is yours and should be so large.")
    }
    return byName
  }
}
