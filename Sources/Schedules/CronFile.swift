/// A file of `/etc/cron.d` that starts a runbook when it is due.
///
/// Cron knows the host's clock alone, which may skip an hour or repeat it, and forgets what it missed while the host was off. So the
/// line wakes the command at the minutes at which a slot can begin, in every hour, and the command itself finds out whether it is due.
package struct CronFile: Hashable, Sendable {
  package let command: ScheduledCommand
  /// Minutes by which the host's clock is ahead of UTC, at all times of the year.
  package let zoneMinutes: Set<Int>

  package init(_ command: ScheduledCommand, zoneMinutes: Set<Int>) {
    self.command = command
    self.zoneMinutes = zoneMinutes
  }

  /// The minutes of the host's clock at which it wakes.
  package var minutes: [Int] {
    let shifted = command.period.minutesOfHour.flatMap { minute in zoneMinutes.map { ((minute + $0) % 60 + 60) % 60 } }
    return Set(shifted).sorted()
  }

  package var text: String {
    """
    \(command.head)
    # Due: \(command.period.text). The line only wakes it: --if-due runs it once for each time it is due, in UTC, and catches up
    # within the hour what the host slept through.
    SHELL=/bin/sh
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    \(minuteField) * * * *  \(command.user)  \(command.arguments.map(Self.quoted).joined(separator: " "))

    """
  }

  private var minuteField: String {
    minutes.count == 60 ? "*" : minutes.map(String.init).joined(separator: ",")
  }

  /// A word of the command as the shell and, before it, cron have it: to cron a bare `%` ends the command.
  private static func quoted(_ word: String) -> String {
    let isPlain =
      !word.isEmpty
      && word.unicodeScalars.allSatisfy {
        $0.isASCII
          && ($0.properties.isAlphabetic || (0x30...0x39).contains($0.value) || "-_./=:,@+".unicodeScalars.contains($0))
      }
    guard !isPlain else { return word }
    // Between quotes the shell would keep the backslash that cron removes nowhere else.
    let parts = word.split(separator: "%", omittingEmptySubsequences: false).map { part in
      part.isEmpty ? "" : "'" + part.replacing("'", with: "'\\''") + "'"
    }
    let joined = parts.joined(separator: "\\%")
    return joined.isEmpty ? "''" : joined
  }
}
