import Files

extension RunFolder {
  /// Makes the folder in which answers of people arrive, unless it is there. Where the state is shared with a group, everybody in
  /// it may put something in, and take out only what is their own.
  package func makeInbox(_ access: StateFolder.Access) throws(JournalError) {
    let mode: UInt32 =
      switch access {
      case .owner: 0o700
      case .group, .groupWriting: 0o3770
      }
    guard !Folder.exists(inbox) else { return }
    try onDisk(try Folder.make(inbox, Permissions(mode)))
  }
}
