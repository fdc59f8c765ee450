import FoundationEssentials
import Glibc
package import Schema

/// When something was recorded: by the wall clock as evidence, by the boot-time clock for everything that is reckoned.
package struct Moment: Hashable, Sendable {
  package var wall: Timestamp
  /// Nanoseconds of the boot-time clock (CLOCK_BOOTTIME, which goes on while the machine sleeps).
  package var monotonic: Int64
  /// The kernel's id of this boot; boot-time readings compare within one boot only. Empty if the kernel tells none.
  package var boot: String

  package init(wall: Timestamp, monotonic: Int64, boot: String) {
    self.wall = wall
    self.monotonic = monotonic
    self.boot = boot
  }

  private static let bootID: String = {
    let text = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    return text.filter { !$0.isWhitespace }
  }()

  /// Both clocks now, the wall clock to the microsecond.
  package static func now() -> Moment {
    let real = read(CLOCK_REALTIME)
    let boot = read(CLOCK_BOOTTIME)
    let wall = Timestamp(seconds: Int64(real.tv_sec), nanoseconds: Int32(real.tv_nsec / 1000 * 1000))
    return Moment(
      wall: wall ?? .unixEpoch, monotonic: Int64(boot.tv_sec) * 1_000_000_000 + Int64(boot.tv_nsec), boot: bootID)
  }

  private static func read(_ clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }

  /// How far the wall clock went back since an earlier moment, beyond what the boot-time clock counted; after a restart of the
  /// host, behind the moment itself. Nil if it did not, and where it is less than a second (as a clock that is kept in time
  /// is corrected).
  package func wallStepBack(since earlier: Moment) -> Duration? {
    guard boot == earlier.boot else {
      let back = earlier.wall.duration(since: wall)
      return back >= .seconds(1) ? back : nil
    }
    guard monotonic >= earlier.monotonic else { return nil }
    let back = .nanoseconds(monotonic - earlier.monotonic) - wall.duration(since: earlier.wall)
    return back >= .seconds(1) ? back : nil
  }

  /// How much time passed since an earlier moment: by the boot-time clock, or by the wall clock where the host was restarted
  /// between. Never negative.
  package func time(since earlier: Moment) -> Duration {
    let passed: Duration =
      boot == earlier.boot
      ? .nanoseconds(monotonic - earlier.monotonic) : wall.duration(since: earlier.wall)
    return max(.zero, passed)
  }
}
