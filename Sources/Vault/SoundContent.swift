extension VaultRepository {
  /// What the newest commit of a set's branch has, each archive read to its end and held against its digests. Nobody needs a key for
  /// it; whether the content can be decrypted, it does not tell.
  ///
  /// - Parameter checkpoint: throws ``VaultError/Kind/interrupted`` if the work is to end. It is asked often.
  package borrowing func wholeContent(
    of set: String, checkpoint: () throws(VaultError) -> Void = {}
  ) throws(VaultError) -> SetContent {
    let content = try content(of: set)
    var backups: [Backup] = []
    var lost = content.lost
    for backup in content.backups {
      guard let error = try loss(of: backup, checkpoint) else {
        backups.append(backup)
        continue
      }
      lost.append(LostBackup(name: backup.name, set: set, error: error))
    }
    return SetContent(backups: backups, lost: lost.sorted { $0.name > $1.name })
  }

  /// The newest complete backup of a set whose archive is whole, and the complete ones that are newer and damaged. Archives are read
  /// from the newest on, until one is whole.
  ///
  /// - Parameter left: the name of a backup that is not looked at.
  package borrowing func newestWhole(
    of set: String, besides left: String? = nil, checkpoint: () throws(VaultError) -> Void = {}
  ) throws(VaultError) -> (backup: Backup?, damaged: [LostBackup]) {
    var damaged: [LostBackup] = []
    for backup in try content(of: set).backups where backup.isComplete && backup.name != left {
      guard let error = try loss(of: backup, checkpoint) else { return (backup, damaged) }
      damaged.append(LostBackup(name: backup.name, set: set, error: error))
    }
    return (nil, damaged)
  }
}
