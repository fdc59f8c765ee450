import ArgumentParser
import Files
import Glibc
import Schedules

/// What starts runbooks when they are due.
enum Scheduler: String, CaseIterable, Hashable, Sendable, ExpressibleByArgument {
  case cron, systemd

  /// Where the host looks for its files.
  var folder: String {
    switch self {
    case .cron: "/etc/cron.d"
    case .systemd: "/etc/systemd/system"
    }
  }

  /// The files of one runbook.
  func files(of command: ScheduledCommand, called base: String, zoneMinutes: Set<Int>) -> [ScheduleFile] {
    switch self {
    case .cron:
      return [ScheduleFile(name: base, text: CronFile(command, zoneMinutes: zoneMinutes).text)]
    case .systemd:
      let units = SystemdUnits(command)
      return [
        ScheduleFile(name: base + ".service", text: units.service),
        ScheduleFile(name: base + ".timer", text: units.timer),
      ]
    }
  }

  /// The names of those files.
  func fileNames(_ base: String) -> [String] {
    switch self {
    case .cron: [base]
    case .systemd: [base + ".service", base + ".timer"]
    }
  }
}

/// A file of a scheduler.
struct ScheduleFile: Hashable, Sendable {
  let name: String
  let text: String

  /// The most that is read of a file that is there.
  private static let limit = 1 << 20

  /// The text of a file; nil if there is none.
  static func text(_ path: String) throws(CommandFailure) -> String? {
    do throws(FileError) {
      return String(decoding: try File.read(path, limit: limit, followingLinks: false).bytes, as: UTF8.self)
    } catch {
      if error.isMissing { return nil }
      throw CommandFailure(.error, error.message, advice: "look at \(path)")
    }
  }
}

extension CommandFailure {
  /// A file of a scheduler that could not be written or removed.
  init(schedule error: FileError) {
    let isRefused = error.number == EACCES || error.number == EPERM || error.number == EROFS
    self.init(
      .error, error.message,
      advice: isRefused ? "run it as root, or name another folder with --folder" : "look at \(error.path)")
  }
}
