import Files
package import Schema

/// When each backup was last read to its end, with its content. It lies beside git, in the vault, so that a part of the vault each time
/// comes to the whole of it.
package struct VerificationRecord: Hashable, Sendable {
  /// By set and name, `coturn-config/20261128T154725Z`.
  package private(set) var times: [String: Timestamp] = [:]

  package init() {}

  package static func key(of backup: Backup) -> String { "\(backup.set)/\(backup.name)" }

  package subscript(_ backup: Backup) -> Timestamp? {
    get { times[Self.key(of: backup)] }
    set { times[Self.key(of: backup)] = newValue }
  }

  /// Forgets backups that are no longer there.
  package mutating func keep(only backups: [Backup]) {
    let keys = Set(backups.map(Self.key))
    times = times.filter { keys.contains($0.key) }
  }
}

extension VaultRepository {
  private borrowing func recordFile() -> String { "\(path)/runbook/\(Self.recordName)" }

  private static let recordName = "_verified.json"
  private static let longestRecord = 16 << 20

  /// Nothing is verified if there is no record, or one that cannot be read.
  package borrowing func verificationRecord() -> VerificationRecord {
    var record = VerificationRecord()
    guard let content = try? File.read(recordFile(), limit: Self.longestRecord),
      let json = try? JSON(parsing: content.bytes), case .object(let members)? = json["verified"]
    else { return record }
    for member in members {
      guard let time = member.value.string.flatMap({ Timestamp($0) }) else { continue }
      record.set(member.name, time)
    }
    return record
  }

  package borrowing func write(_ record: VerificationRecord) throws(VaultError) {
    let times = record.times.sorted { $0.key < $1.key }
    let json: JSON = [
      "version": 1, "verified": .object(times.map { JSON.Member($0.key, .string($0.value.description)) }),
    ]
    do throws(FileError) {
      try Folder.makeAll("\(path)/runbook", Permissions(0o700))
      try File.writeWhole(Array((json.text() + "\n").utf8), to: recordFile(), Permissions(0o600))
    } catch { throw VaultError(.other, error.message) }
  }
}

extension VerificationRecord {
  fileprivate mutating func set(_ key: String, _ time: Timestamp) { times[key] = time }
}
