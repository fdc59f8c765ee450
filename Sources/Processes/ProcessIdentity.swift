import CLinux
import Glibc

/// One process and no other, also when its number has been given to another since, and after a restart of the machine.
package struct ProcessIdentity: Hashable, Sendable, Codable {
  package let pid: Int32
  /// When it started, in clock ticks since the machine did (proc(5), field 22 of `/proc/PID/stat`).
  package let startTime: UInt64
  /// The kernel's random name for the time since the machine's start.
  package let boot: String

  /// An identity noted down earlier; whether there is such a process is another question.
  package init(pid: Int32, startTime: UInt64, boot: String) {
    self.pid = pid
    self.startTime = startTime
    self.boot = boot
  }

  /// The process that has this number now; nil if none has.
  package init?(pid: Int32) {
    guard let entry = ProcessEntry(pid: pid) else { return nil }
    self.init(entry)
  }

  /// The processes of a program, given by name or path, whose working directory is `folder` or lies below it, also when
  /// it has been removed since. `folder` is absolute, without symbolic links.
  package static func running(_ program: String, in folder: String) -> [ProcessIdentity] {
    // The kernel keeps 15 bytes.
    let name = String(decoding: (program.split(separator: "/").last ?? "").utf8.prefix(15), as: UTF8.self)
    return ProcessEntry.all().filter { entry in
      guard entry.name == name, !entry.isZombie, var directory = entry.workingDirectory else { return false }
      if directory.hasSuffix(" (deleted)") { directory.removeLast(" (deleted)".count) }
      return directory == folder || directory.hasPrefix(folder + "/")
    }.compactMap(ProcessIdentity.init)
  }

  /// This process.
  package static var own: ProcessIdentity? { ProcessIdentity(pid: getpid()) }

  init?(_ entry: ProcessEntry) {
    guard let boot = readSmallFile("/proc/sys/kernel/random/boot_id") else { return nil }
    self.pid = entry.pid
    self.startTime = entry.startTime
    self.boot = String(decoding: boot.filter { $0 > UInt8(ascii: " ") }, as: UTF8.self)
  }

  /// Whether it is there still. A process that has ended and is not reaped yet is not.
  package var isRunning: Bool {
    current?.isZombie == false
  }

  /// What still runs of the session that it leads, itself included. Who led a session no longer runs perhaps, while those
  /// whom it started do; once the last of them has ended, the kernel may give its number to another session.
  package var sessionMembers: [LeakedProcess] {
    if let entry = ProcessEntry(pid: pid), ProcessIdentity(entry) != self { return [] }
    guard boot == Self.own?.boot else { return [] }
    return ProcessEntry.all().filter { $0.session == pid && $0.startTime >= startTime && !$0.isZombie }
      .sorted { $0.startTime < $1.startTime }.map { LeakedProcess(pid: $0.pid, name: $0.name) }
  }

  /// Sends it a signal, and never another process; false if it is gone or another user's.
  @discardableResult
  package func signal(_ signal: Int32) -> Bool {
    withDescriptor { runbook_pidfd_send_signal($0, signal) == 0 } ?? false
  }

  /// Ends it by TERM and, where that is not enough within the grace, by KILL. Blocks until it is gone; false if it is
  /// there still, five seconds after KILL. A child of ours is reaped.
  package func end(grace: Duration) -> Bool {
    let ended = withDescriptor { descriptor in
      runbook_pidfd_send_signal(descriptor, SIGTERM)
      runbook_pidfd_send_signal(descriptor, SIGCONT)
      if hasEnded(descriptor, within: grace) { return true }
      runbook_pidfd_send_signal(descriptor, SIGKILL)
      return hasEnded(descriptor, within: .seconds(5))
    }
    if current?.parent == getpid() { _ = runbook_reap(pid) }
    return ended ?? true
  }

  private func hasEnded(_ descriptor: Int32, within limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      if poll(&event, 1, max(.zero, min(deadline - .now, .seconds(1))).wholeMilliseconds) > 0 { return true }
      if ContinuousClock.now >= deadline { return false }
    }
  }

  /// Calls `body` with a pidfd of it; nil if it is gone. The descriptor is opened first and compared then: from that
  /// moment on its number cannot pass to another.
  private func withDescriptor<R>(_ body: (Int32) -> R) -> R? {
    let descriptor = runbook_pidfd_open(pid)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return current == nil ? nil : body(descriptor)
  }

  /// Its line of the process table, while it is there or waits to be reaped.
  private var current: ProcessEntry? {
    guard let entry = ProcessEntry(pid: pid), ProcessIdentity(entry) == self else { return nil }
    return entry
  }
}

extension Duration {
  /// Rounded up, so that whoever waits as long does not wake early; at most a day. For poll(2).
  var wholeMilliseconds: Int32 {
    let (seconds, attoseconds) = min(self, .seconds(86_400)).components
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
