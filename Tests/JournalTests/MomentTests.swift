import Testing

@testable import Journal
@testable import Schema

@Suite struct MomentTests {
  private func moment(wall: Int64, monotonic: Int64, boot: String = "a") -> Moment {
    Moment(
      wall: Timestamp(seconds: wall, nanoseconds: 0) ?? .unixEpoch, monotonic: monotonic * 1_000_000_000, boot: boot)
  }

  @Test(
    "A step back of the wall clock shows against the boot-time clock",
    arguments: [(1010, nil), (1009, Duration.seconds(1)), (400, .seconds(610)), (5000, nil)] as [(Int64, Duration?)])
  func stepBack(wall: Int64, expected: Duration?) {
    #expect(moment(wall: wall, monotonic: 20).wallStepBack(since: moment(wall: 1000, monotonic: 10)) == expected)
  }

  @Test("Between two boots the wall clock counts, and never backwards")
  func otherBoot() {
    let last = moment(wall: 1000, monotonic: 10)
    let (earlier, later) = (moment(wall: 1, monotonic: 20, boot: "b"), moment(wall: 1060, monotonic: 1, boot: "b"))
    #expect(earlier.wallStepBack(since: last) == .seconds(999))
    #expect(earlier.time(since: last) == .zero)
    #expect(later.wallStepBack(since: last) == nil)
    #expect(later.time(since: last) == .seconds(60))
    #expect(moment(wall: 5, monotonic: 25).time(since: last) == .seconds(15))
  }

  @Test("Now is read from the machine's clocks")
  func now() {
    let (first, second) = (Moment.now(), Moment.now())
    #expect(second.monotonic >= first.monotonic)
    #expect(first.boot == second.boot && first.boot.count == 36)
    #expect(first.wall.seconds > 1_700_000_000)
  }
}
