import Journal
import TestSupport
import Testing

@testable import Schedules

@Suite struct AlertRuleTests {
  private let rule = AlertRule(after: 3)

  @Test("It is due with the failure that makes the number full, and not before")
  func full() {
    #expect(rule.failures(with: .fail, after: []) == nil)
    #expect(rule.failures(with: .fail, after: [.ended(.fail)]) == nil)
    #expect(rule.failures(with: .fail, after: [.ended(.error), .ended(.indeterminate)]) == 3)
    #expect(rule.failures(with: .fail, after: [.ended(.fail), .ended(.fail), .ended(.pass), .ended(.fail)]) == 3)
    #expect(AlertRule(after: 1).failures(with: .error, after: [.ended(.pass)]) == 1)
  }

  @Test("It is due once: not with the failures behind it, until a run passes")
  func once() {
    #expect(rule.failures(with: .fail, after: [.ended(.fail), .ended(.fail), .ended(.fail)]) == nil)
    #expect(rule.failures(with: .fail, after: [.ended(.fail), .ended(.warn), .ended(.fail), .ended(.fail)]) == nil)
  }

  @Test("A run that passes is no failure, and a skipped one neither counts nor ends the row")
  func skipped() {
    for outcome in [Outcome.pass, .warn, .skipped] {
      #expect(rule.failures(with: outcome, after: [.ended(.fail), .ended(.fail)]) == nil)
    }
    #expect(rule.failures(with: .fail, after: [.ended(.skipped), .ended(.fail), .ended(.skipped), .ended(.fail)]) == 3)
  }

  @Test("A run that died counts, and leaves the telling to the next one that fails")
  func died() {
    #expect(rule.failures(with: .fail, after: [.died, .died, .ended(.fail), .ended(.pass)]) == 4)
    #expect(rule.failures(with: .fail, after: [.ended(.fail), .died, .died]) == nil)
    #expect(rule.failures(with: .fail, after: [.died, .ended(.fail)]) == 3)
  }

  @Test("In any history each row of failures that is long enough tells once", arguments: 0..<300 as Range<UInt64>)
  func rows(_ seed: UInt64) {
    var random = SplitMix(state: seed)
    var history: [AlertRule.Earlier] = []
    var (row, told) = (0, 0)
    for _ in 0..<40 {
      switch Int.random(in: 0...5, using: &random) {
      case 0: (row, told, history) = (0, 0, [.ended(.pass)] + history)
      case 1: (row, history) = (row + 1, [.died] + history)
      case 2: history = [.ended(.skipped)] + history
      default:
        row += 1
        let failures = rule.failures(with: .fail, after: history)
        #expect(rule.row(with: .fail, after: history) == row)
        if row >= 3, told == 0 {
          #expect(failures == row)
          told += 1
        } else {
          #expect(failures == nil)
        }
        history = [.ended(.fail)] + history
      }
    }
  }
}
