/// A service and a timer of systemd that start a runbook when it is due.
package struct SystemdUnits: Hashable, Sendable {
  package let command: ScheduledCommand

  package init(_ command: ScheduledCommand) { self.command = command }

  package var timer: String {
    """
    \(command.head)
    [Unit]
    Description=When the runbook \(text(command.runbook)) of \(text(command.project)) is due (\(command.period.text))

    [Timer]
    \(command.period.calendarExpressions.map { "OnCalendar=\($0)" }.joined(separator: "\n"))
    Persistent=true
    AccuracySec=1s

    [Install]
    WantedBy=timers.target

    """
  }

  package var service: String {
    let credentials = command.credentials.map { "LoadCredential=\(text($0.name)):\(text($0.path))\n" }.joined()
    return """
      \(command.head)
      [Unit]
      Description=Runbook \(text(command.runbook)) of \(text(command.project))
      Documentation=man:runbook(1)
      Wants=network-online.target
      After=network-online.target

      [Service]
      Type=oneshot
      User=\(text(command.user))
      ExecStart=\(command.arguments.map(Self.quotedWord).joined(separator: " "))
      \(credentials)# The command ends its steps itself, and takes back what has an undo; what is left of them is ended with it.
      KillMode=mixed
      TimeoutStopSec=11min
      \(sandbox.joined(separator: "\n"))

      """
  }

  private var sandbox: [String] {
    var lines = [
      "NoNewPrivileges=yes", "LockPersonality=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
      "SystemCallArchitectures=native",
    ]
    guard !command.mayChange else { return lines }
    lines += [
      "# The runbook changes nothing: all but its own state is read-only.", "ProtectSystem=strict",
      "ProtectHome=read-only",
    ]
    lines += command.writes.map { "ReadWritePaths=-\(Self.quoted($0))" }
    lines += [
      "ProtectKernelTunables=yes", "ProtectKernelModules=yes", "ProtectControlGroups=yes", "ProtectClock=yes",
      "ProtectHostname=yes",
    ]
    return lines
  }

  /// Text outside of a command: systemd reads `%` as the beginning of a specifier.
  private func text(_ text: String) -> String { text.replacing("%", with: "%%") }

  /// A word of a command, in which systemd reads `$` as the beginning of a variable.
  private static func quotedWord(_ word: String) -> String { quoted(word.replacing("$", with: "$$")) }

  /// A word as systemd.syntax(7) quotes it, without specifiers.
  private static func quoted(_ word: String) -> String {
    let text = word.replacing("%", with: "%%")
    let isPlain =
      !word.isEmpty
      && word.unicodeScalars.allSatisfy {
        $0.value > 0x20 && $0.value != 0x7F && !"\"'\\;".unicodeScalars.contains($0)
      }
    return isPlain ? text : "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
  }
}

extension Period {
  /// The slots as systemd.time(7) writes them; if it has no way to write them, the moments among which they are.
  package var calendarExpressions: [String] {
    switch self {
    case .times(let times): return times.calendarExpressions
    case .every(let minutes) where minutes % 10_080 == 0 && minutes == 10_080:
      // 1970-01-01, from which days are counted, was a Thursday.
      return ["Thu *-*-* 00:00:00 UTC"]
    case .every(let minutes) where minutes % 1440 == 0: return ["*-*-* 00:00:00 UTC"]
    case .every(let minutes) where minutes % 60 == 0 && 1440 % minutes == 0:
      let hours = stride(from: 0, to: 24, by: Int(minutes / 60)).map(\.self)
      return ["*-*-* \(Self.list(hours, of: 24)):00:00 UTC"]
    case .every: return ["*-*-* *:\(Self.list(minutesOfHour, of: 60)):00 UTC"]
    }
  }

  fileprivate static func list(_ values: [Int], of all: Int, from first: Int = 0) -> String {
    guard values.count < all else { return "*" }
    return values.map { $0 < 10 ? "0\($0)" : "\($0)" }.joined(separator: ",")
  }
}

extension CronTimes {
  private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]

  /// One expression, or two if either field of the day is enough.
  fileprivate var calendarExpressions: [String] {
    let time = "\(Period.list(hours, of: 24)):\(Period.list(minutes, of: 60)):00 UTC"
    let month = Period.list(months, of: 12)
    let day = Period.list(daysOfMonth, of: 31)
    let weekday = daysOfWeek.count == 7 ? "" : daysOfWeek.map { Self.weekdays[$0] }.joined(separator: ",") + " "
    guard takesEitherDay else { return ["\(weekday)*-\(month)-\(day) \(time)"] }
    return ["*-\(month)-\(day) \(time)", "\(weekday)*-\(month)-* \(time)"]
  }
}
