import Processes
import Schema
import TestSupport
import Testing

@testable import Logs

/// The order of a rotated set.
@Suite struct RotatedNameTests {
  @Test("A rotated set is read by its numbers, whatever the times of its files")
  func order() throws {
    let folder = try TemporaryFolder()
    // A copy has the times of the copying: the newest first.
    for name in ["turn.log", "turn.log.1", "turn.log.2.gz", "turn.log.10.gz", "other.log"] {
      try folder.write("a\n", to: name)
    }
    let found = LogFiles(["\(folder.path)/turn.log*", "\(folder.path)/other.log"]).found()
    let names = found.compactMap { $0.path.split(separator: "/").last.map(String.init) }
    #expect(names.filter { $0.hasPrefix("turn") } == ["turn.log.10.gz", "turn.log.2.gz", "turn.log.1", "turn.log"])
    #expect(names.count == 5)
  }

  @Test("A name that only ends in digits is no member of a set")
  func family() {
    #expect(RotatedName("/var/log/turn.log.3.zst") == RotatedName("/var/log/turn.log.3"))
    #expect(RotatedName("turn_2018-03-04").age == 0)
    #expect(RotatedName("turn.log-20260101.gz").family == "turn.log-20260101")
    #expect(RotatedName("turn.log").age == 0)
  }
}
