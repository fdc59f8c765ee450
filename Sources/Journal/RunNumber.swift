import Files

/// Numbers the runs of a state folder from 1 without gaps.
///
/// A number and the id that it is meant for are written down before the run's folder is renamed into place. Where a
/// crash comes between, the folder is missing at the next start and the number is given again; where it comes after, the
/// folder is there and the number is taken. The caller holds the lock over `runs` from ``next(in:)`` to ``settle(_:in:)``.
struct RunNumber {
  var value: Int
  /// The run it is meant for, until its folder is in place.
  var claimedBy: String?

  private static func path(in state: StateFolder) -> String { "\(state.runs)/.number" }

  /// The number for a run that is about to be put in place.
  static func next(in state: StateFolder) throws(JournalError) -> Int {
    guard let last = try read(in: state) else { return try highestRecorded(in: state) + 1 }
    guard let id = last.claimedBy else { return last.value + 1 }
    return Folder.exists(state.run(id).path) ? last.value + 1 : last.value
  }

  /// Writes the claim down, before the folder is renamed into place.
  func claim(in state: StateFolder) throws(JournalError) {
    try onDisk { () throws(FileError) in
      try File.writeWhole(Array(text.utf8), to: Self.path(in: state), Permissions(state.access.fileMode))
    }
  }

  /// Takes the claim's id away, so that a run that is pruned later does not set its number free.
  func settle(in state: StateFolder) throws(JournalError) {
    try RunNumber(value: value, claimedBy: nil).claim(in: state)
  }

  /// Makes sure that no number is given again, whichever runs are removed next.
  static func settle(in state: StateFolder) throws(JournalError) {
    try RunNumber(value: next(in: state) - 1, claimedBy: nil).claim(in: state)
  }

  private var text: String { "\(value)" + (claimedBy.map { " \($0)" } ?? "") + "\n" }

  private static func read(in state: StateFolder) throws(JournalError) -> RunNumber? {
    let bytes: [UInt8]
    do {
      bytes = try onDisk(try File(reading: path(in: state)).read(limit: 128))
    } catch  where error.code == .missing { return nil }
    let parts = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
    guard let value = parts.first.flatMap({ Int($0) }), parts.count <= 2 else {
      throw JournalError(
        .damaged, "\(path(in: state)) does not hold the number of the last run",
        advice: "remove it; the numbers are then read from the journals", path: path(in: state))
    }
    return RunNumber(value: value, claimedBy: parts.count == 2 ? String(parts[1]) : nil)
  }

  /// The journals are the truth: without the counter, the highest number among them is the last.
  private static func highestRecorded(in state: StateFolder) throws(JournalError) -> Int {
    var highest = 0
    for folder in try state.runFolders() {
      highest = max(highest, (try? JournalEnds.read(folder).started.number) ?? 0)
    }
    return highest
  }
}
