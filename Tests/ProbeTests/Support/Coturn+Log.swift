import Foundation
import Testing

extension Coturn {
  /// Waits until the log says that every session is gone.
  func expectNoAllocations(of count: Int) async throws {
    let end = ContinuousClock.now + .seconds(5)
    while ContinuousClock.now < end {
      let log = self.log
      let made = log.components(separatedBy: ": new, realm").count - 1
      let deleted = log.components(separatedBy: ": delete: realm").count - 1
      if made == count, deleted == count { return }
      await Task.yield()
    }
    Issue.record("allocations are left:\n\(log)")
  }
}
