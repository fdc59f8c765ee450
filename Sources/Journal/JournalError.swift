/// What went wrong with a journal, on which file, and what to do about it.
package struct JournalError: Error, Hashable, Sendable {
  /// Stable names, to be matched; new ones may come.
  package struct Code: Hashable, Sendable {
    private enum Name: String, Hashable, Sendable {
      case diskFull = "journal.diskFull"
      case refused = "journal.refused"
      case failed = "journal.failed"
      case damaged = "journal.damaged"
      case newer = "journal.newer"
      case unreleased = "journal.unreleased"
      case missing = "journal.missing"
      case busy = "journal.busy"
      case badSource = "journal.badSource"
    }

    private let name: Name
    private init(_ name: Name) { self.name = name }

    package var text: String { name.rawValue }

    /// No space, quota or inode is left.
    package static let diskFull = Code(.diskFull)
    /// Permissions, or a file system that is read-only.
    package static let refused = Code(.refused)
    /// Any other failure of the operating system.
    package static let failed = Code(.failed)
    /// The journal is not what was once written.
    package static let damaged = Code(.damaged)
    /// Written by a later version, in a form that this one cannot read.
    package static let newer = Code(.newer)
    /// Written in a form that no released version wrote.
    package static let unreleased = Code(.unreleased)
    /// There is no such run, or a file of it is gone.
    package static let missing = Code(.missing)
    /// Another process is writing to it.
    package static let busy = Code(.busy)
    /// A source's path would leave the run's folder.
    package static let badSource = Code(.badSource)
  }

  package var code: Code
  /// What failed, on what, and why, in one sentence without a full stop.
  package var message: String
  /// What to do, in one sentence without a full stop; nil if nothing can be said.
  package var advice: String?
  /// The file or folder.
  package var path: String
  /// The line at which a journal is damaged, from 1.
  package var line: Int?

  package init(_ code: Code, _ message: String, advice: String? = nil, path: String, line: Int? = nil) {
    self.code = code
    self.message = message
    self.advice = advice
    self.path = path
    self.line = line
  }
}
