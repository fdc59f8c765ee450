import Backups
import Files
import FoundationEssentials
import Glibc
import Journal
import Language
import Modules
import Reports
import Runs
import Schedules
import Schema

/// The runbooks of a project that are due at times.
struct ScheduledRunbooks {
  let project: Project
  /// Those that were asked for, or all that have a period.
  private(set) var outlines: [Outline]
  /// The names of those that cannot be read.
  let broken: [String]

  /// - Parameters:
  ///   - names: of runbooks; empty for all that have a period.
  ///   - keepsBroken: one that cannot be read is kept by its name, and its problems are printed.
  /// - Throws: `CommandFailure` for a name that is none, or whose runbook has no period; with the problems printed where one
  ///   cannot be read.
  init(_ project: Project, _ names: [String], keepsBroken: Bool = false) throws {
    self.project = project
    for name in names where !project.runbookNames.contains(name) {
      throw CommandFailure(
        .invalid, "there is no runbook \"\(name)\"",
        advice: nearName(to: name, among: project.runbookNames).map { "did you mean \($0)?" }
          ?? "runbook list tells what there is")
    }
    var outlines: [Outline] = []
    var broken: [String] = []
    for name in names.isEmpty ? project.runbookNames : names {
      do throws(Issues) {
        let outline = try project.outline(name, catalog: .standard)
        if outline.period != nil { outlines.append(outline) } else if !names.isEmpty { throw Issues([]) }
      } catch {
        guard !error.all.isEmpty else {
          throw CommandFailure(
            .invalid, "the runbook \"\(name)\" has no period", advice: "say when it is due, such as period: 1d")
        }
        let failure = Diagnostics(root: project.root).failure(error.all)
        guard keepsBroken else { throw failure }
        broken.append(name)
      }
    }
    self.outlines = outlines
    self.broken = broken
  }

  /// Leaves out those that cannot run with nobody there, and gives why; those too that cannot be read.
  ///
  /// - Parameter targets: selections, for those that use a target.
  mutating func leaveOutAttended(
    _ scheduler: Scheduler, _ options: ProjectOptions, for targets: [String] = []
  ) throws -> [LeftOutRunbook] {
    let runs: UnattendedRuns
    do throws(Issues) { runs = try UnattendedRuns(project, options) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    let unreadable = broken.map {
      LeftOutRunbook(name: $0, reason: "it cannot be read", advice: ["what is wrong:  runbook validate \($0)"])
    }
    let leftOut = outlines.compactMap { runs.objection(to: $0, startedBy: scheduler, for: targets) }
    outlines.removeAll { outline in leftOut.contains { $0.name == outline.name } }
    return unreadable + leftOut
  }

  /// What a scheduler's files of a runbook are called, without their ending.
  func baseName(of outline: Outline) -> String {
    // Cron passes over a file whose name holds anything else.
    let slug = project.name.map { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") ? $0 : "-" }
    return "runbook-\(String(slug))-\(outline.name)"
  }

  /// What a scheduler starts for a runbook.
  ///
  /// - Parameters:
  ///   - user: nil for the owner of the project's folder.
  ///   - more: arguments behind those that every schedule has.
  func command(_ outline: Outline, user: String?, _ more: [String]) throws(CommandFailure) -> ScheduledCommand {
    guard let period = outline.period else {
      throw CommandFailure(.invalid, "the runbook \"\(outline.name)\" has no period", advice: "add period: 1d")
    }
    var writes = [(try? FileMetadata.of(project.statePath)).flatMap(\.self) == nil ? project.root : project.statePath]
    if let path = project.vaultIfAny?.path { writes.append(path.hasPrefix("/") ? path : "\(project.root)/\(path)") }
    writes.append(LockFolder.ofProcess.path)
    let runner: String
    if let user { runner = user } else { runner = try owner() }
    let command = ScheduledCommand(
      runbook: outline.name, project: project.root, period: period,
      arguments: [
        OwnProgram.path, "run", outline.name, "--if-due", "--quiet",
      ]
        + ["--project", project.root] + more,
      user: runner,
      credentials: outline.secrets.compactMap(\.credential).map { .init(name: $0, path: "/etc/credstore/\($0)") },
      mayChange: outline.effects.contains(.change), writes: writes)
    if let objection = command.objection {
      throw CommandFailure(.invalid, objection, advice: "rename it, or write the schedule by hand")
    }
    return command
  }

  /// The name of the owner of the project's folder.
  private func owner() throws(CommandFailure) -> String {
    let owner: UInt32
    do throws(FileError) {
      owner = try FileMetadata.of(project.root, followingLinks: true)?.owner ?? geteuid()
    } catch {
      throw CommandFailure(.error, error.message, advice: "name a user with --user")
    }
    guard let entry = getpwuid(owner), let name = entry.pointee.pw_name else {
      throw CommandFailure(
        .invalid, "the owner of \(project.root), user \(owner), has no name", advice: "name a user with --user")
    }
    return String(cString: name)
  }

  /// Minutes by which the host's clock is ahead of UTC, now and at any time of the next thirteen months.
  static func zoneMinutes(at now: Timestamp) -> Set<Int> {
    let days = stride(from: Int64(0), through: 400, by: 3)
    return Set(
      days.compactMap { Timestamp(seconds: now.seconds + $0 * 86_400, nanoseconds: 0) }.map { localOffset(at: $0) / 60 }
    )
  }

  static var now: Timestamp { Moment.now().wall }
}

extension LockFolder {
  /// That of the machine, or the one that `RUNBOOK_LOCKS` names.
  static var ofProcess: LockFolder {
    environmentVariable("RUNBOOK_LOCKS").flatMap { $0.isEmpty ? nil : LockFolder($0) } ?? .machine
  }
}
