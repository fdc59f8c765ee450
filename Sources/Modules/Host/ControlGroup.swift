import Steps

/// The cgroups that this process belongs to for one controller, from its own up to the topmost that can be seen (cgroups(7)).
///
/// In a container that is the container's own group; outside, a service's or a session's.
struct ControlGroup: Sendable {
  /// True for version 2, whose files have other names.
  let isUnified: Bool
  /// Folders, the own first; empty if the controller is nowhere to be seen.
  let folders: [String]

  static func own(_ controller: String) throws(StepError) -> ControlGroup {
    ControlGroup(
      controller, membership: try ProcFile.text("/proc/self/cgroup"), mounts: try MountTable.own())
  }

  /// - Parameter membership: lines such as `4:memory:/docker/1f2e` (version 1) and `0::/system.slice/ops.service`.
  init(_ controller: String, membership: String, mounts: [Mount]) {
    func path(where matches: (String) -> Bool) -> String? {
      membership.split(separator: "\n").lazy
        .map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init) }
        .first { $0.count == 3 && matches($0[1]) }?[2]
    }
    // A controller that version 1 has is not version 2's.
    if let own = path(where: { $0.split(separator: ",").contains(controller[...]) }),
      let mount = mounts.last(where: { $0.fileSystem == "cgroup" && $0.options.contains(controller) })
    {
      isUnified = false
      folders = Self.folders(own, mount)
    } else if let own = path(where: \.isEmpty), let mount = mounts.last(where: { $0.fileSystem == "cgroup2" }) {
      isUnified = true
      folders = Self.folders(own, mount)
    } else {
      isUnified = true
      folders = []
    }
  }

  /// The group's folder and those above it. A container without a cgroup namespace sees its own group at the mount's point,
  /// while its membership is told from the host's root.
  private static func folders(_ own: String, _ mount: Mount) -> [String] {
    let below = mount.root == "/" ? own : own.hasPrefix(mount.root) ? String(own.dropFirst(mount.root.count)) : ""
    var names = below.split(separator: "/").map(String.init)
    if names.contains("..") { names = [] }
    var folders: [String] = []
    while true {
      folders.append(([mount.point] + names).joined(separator: "/"))
      guard names.popLast() != nil else { return folders }
    }
  }
}

extension ControlGroup {
  /// The limit that is nearest to being reached, and what is used of it; nil if none is below `total`.
  func memoryLimit(below total: Int) -> (bytes: Int, used: Int)? {
    let limits = folders.compactMap { folder -> (bytes: Int, used: Int)? in
      let (limitName, usageName) =
        isUnified ? ("memory.max", "memory.current") : ("memory.limit_in_bytes", "memory.usage_in_bytes")
      // Without a limit there stands `max`, or in version 1 a number beyond every memory.
      guard let limit = number(limitName, in: folder), limit < total, let usage = number(usageName, in: folder) else {
        return nil
      }
      let cache = facts("memory.stat", in: folder)[isUnified ? "inactive_file" : "total_inactive_file"] ?? 0
      return (limit, max(0, usage - cache))
    }
    return limits.max { Double($0.used) / Double(max(1, $0.bytes)) < Double($1.used) / Double(max(1, $1.bytes)) }
  }

  /// How many processors may be used at a time, and the part of its periods in which a quota held the group back, in
  /// percent; nil if all `processors` may be used.
  func processorLimit(below processors: Int) -> (processors: Double, throttled: Double?)? {
    let quotas = folders.compactMap { folder in quota(in: folder).map { (processors: $0, folder: folder) } }
    let tightest = quotas.min { $0.processors < $1.processors }.flatMap {
      $0.processors < Double(processors) ? $0 : nil
    }
    let usable = Self.usableProcessors ?? processors
    guard tightest != nil || usable < processors else { return nil }
    let throttled = tightest.map { quota in
      let facts = facts("cpu.stat", in: quota.folder)
      return percentage(facts["nr_throttled"] ?? 0, of: facts["nr_periods"] ?? 0)
    }
    return (min(tightest?.processors ?? Double(usable), Double(usable)), throttled)
  }

  /// What a group with a quota of processor time has used of it so far.
  struct QuotaUse: Hashable {
    var folder: String
    var processors: Double
    /// Nil if the group does not count it.
    var used: Duration?
    var periods: Int
    var throttledPeriods: Int
  }

  /// Of the group and those above it, those that have a quota.
  func quotaUses() -> [QuotaUse] {
    // Version 1 counts in a controller of its own, which is mostly mounted together with this one.
    let counting = isUnified ? folders : (try? ControlGroup.own("cpuacct"))?.folders ?? []
    return folders.enumerated().compactMap { place, folder in
      guard let processors = quota(in: folder) else { return nil }
      let facts = facts("cpu.stat", in: folder)
      let used =
        isUnified
        ? facts["usage_usec"].map { Duration.microseconds($0) }
        // The same group only if both controllers have the same groups.
        : counting.count == folders.count
          ? number("cpuacct.usage", in: counting[place]).map { .nanoseconds($0) } : nil
      return QuotaUse(
        folder: folder, processors: processors, used: used, periods: facts["nr_periods"] ?? 0,
        throttledPeriods: facts["nr_throttled"] ?? 0)
    }
  }

  /// The quota of which most was used between two looks, in percent; nil if there is none in both.
  static func tightest(
    _ first: [QuotaUse], _ last: [QuotaUse], over elapsed: Duration
  ) -> (processors: Double, used: Double?, throttled: Double)? {
    let uses = last.compactMap { use -> (processors: Double, used: Double?, throttled: Double)? in
      guard let before = first.first(where: { $0.folder == use.folder }) else { return nil }
      let used = before.used.flatMap { earlier in use.used.map { max(.zero, $0 - earlier) / elapsed / use.processors } }
      return (
        use.processors, used.map { ($0 * 10_000).rounded() / 100 },
        percentage(
          max(0, use.throttledPeriods - before.throttledPeriods), of: max(0, use.periods - before.periods))
      )
    }
    return uses.max { ($0.used ?? 0, -$0.processors) < ($1.used ?? 0, -$1.processors) }
  }

  /// A quota of time a period, as processors.
  private func quota(in folder: String) -> Double? {
    if isUnified {
      // `50000 100000`, or `max 100000`.
      let words = (text("cpu.max", in: folder) ?? "").split(whereSeparator: \.isWhitespace).map { Double($0) }
      guard words.count == 2, let quota = words[0], let period = words[1], period > 0 else { return nil }
      return (quota / period * 100).rounded() / 100
    }
    guard let quota = number("cpu.cfs_quota_us", in: folder), quota > 0,
      let period = number("cpu.cfs_period_us", in: folder), period > 0
    else { return nil }
    return (Double(quota) / Double(period) * 100).rounded() / 100
  }

  /// The processors that this process may run on: the number of `Cpus_allowed_list:	0-3,8` (proc(5)).
  private static var usableProcessors: Int? {
    let name = Array("Cpus_allowed_list:".utf8)
    let lines =
      (try? ProcFile.text("/proc/self/status")).map { Array($0.utf8).split(separator: UInt8(ascii: "\n")) } ?? []
    let list = lines.first { $0.starts(with: name) }
      .map { String(decoding: $0.dropFirst(name.count).drop { $0 <= UInt8(ascii: " ") }, as: UTF8.self) }
    let count = list?.split(separator: ",").reduce(0) { count, range in
      let ends = range.split(separator: "-").compactMap { Int($0) }
      guard let first = ends.first, let last = ends.last, first <= last else { return count }
      return count + last - first + 1
    }
    return count == 0 ? nil : count
  }

  private func number(_ name: String, in folder: String) -> Int? {
    text(name, in: folder).flatMap { Int($0.prefix { $0 != "\n" }) }
  }

  /// Lines of a name and a number.
  private func facts(_ name: String, in folder: String) -> [String: Int] {
    (text(name, in: folder) ?? "").split(separator: "\n").reduce(into: [:]) { facts, line in
      let words = line.split(separator: " ")
      if words.count == 2, let number = Int(words[1]) { facts[String(words[0])] = number }
    }
  }

  /// Nil if the group has no such file: the topmost has no limits, and a controller may be off.
  private func text(_ name: String, in folder: String) -> String? { try? ProcFile.text("\(folder)/\(name)") }
}
