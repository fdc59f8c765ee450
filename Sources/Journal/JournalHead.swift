import Files
import Schema

extension RunFolder {
  /// What the run takes on the disk, in bytes.
  package var diskUsage: Int64 { Folder.diskUsage(of: path) }

  /// The run's number, read from the beginning of its journal and not verified; nil for a run that has none, and where it
  /// cannot be read.
  package var recordedNumber: Int? {
    guard let head else { return nil }
    let key = Array(",\"number\":".utf8)
    let number = head.offset(of: key).flatMap { offset in
      Int(String(decoding: head[(offset + key.count)...].prefix { (0x30...0x39).contains($0) }, as: UTF8.self))
    }
    guard let number = number ?? (try? JournalEnds.read(self))?.started.number, number > 0 else { return nil }
    return number
  }

  /// False if the beginning of the journal says that another runbook runs, or cannot be read: a quick answer, of which `true`
  /// is not verified.
  package func mayBeRun(of runbook: String) -> Bool {
    head?.offset(of: Array("\"runbook\":\(JSON.string(runbook).text())".utf8)) != nil
  }

  private var head: [UInt8]? { try? File(reading: journal).read(limit: 2048) }
}
