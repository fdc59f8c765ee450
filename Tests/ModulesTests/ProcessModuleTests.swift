import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Whether programs run, on processes of the test's own.
@Suite struct ProcessModuleTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func look(_ members: Value.Member...) async throws -> StepResult<Value> {
    try await run("process.running", members)
  }

  private func code(_ members: Value.Member...) async throws -> String? {
    do { return try await run("process.running", members).objection?.finding.code } catch let error as StepError {
      return error.finding.code
    }
  }

  private func pids(_ result: StepResult<Value>) -> [Int64] {
    guard case .list(let list)? = result.output["processes"] else { return [] }
    return list.compactMap { if case .int(let pid)? = $0["pid"] { pid } else { nil } }
  }

  @Test("A name longer than the kernel keeps is found whole, and its cut form is no name")
  func longName() async throws {
    let path = try folder.copy(of: "/bin/sleep", named: "a-very-long-process-name")
    let process = try LiveProcess(path, ["60"])
    defer { withExtendedLifetime(process) {} }
    let found = try await look(.init("name", .string("a-very-long-process-name")), .init("atMost", .int(1)))
    #expect(found.objection == nil)
    #expect(pids(found) == [Int64(process.pid)])
    #expect(found.output["processes"]?.first?["executable"] == .string(path))
    #expect(try await code(.init("name", .string("a-very-long-pro"))) == "process.ambiguousName")
    #expect(try await code(.init("name", .string("a-very-long-process-nam"))) == "process.ambiguousName")
    #expect(try await code(.init("name", .string("a-very-long-proof"))) == "process.ambiguousName")
    #expect(try await code(.init("name", .string("a-very-short-name"))) == "process.notRunning")
  }

  @Test("Who only calls itself by a name is no process of that name, and is named")
  func impostor() async throws {
    let name = "turn-\(getpid())"
    let path = try folder.copy(of: "/bin/sleep", named: "honest-\(getpid())")
    let impostor = try LiveProcess("/bin/bash", ["-c", "exec -a \(name) \(path) 60"], isReplacingItself: true)
    defer { withExtendedLifetime(impostor) {} }
    try impostor.wait { (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8))?.hasPrefix(name) == true }
    let error = try await stepError { _ = try await look(.init("name", .string(name))) }
    #expect(error.kind == .broken && error.finding.code == "process.ambiguousName")
    #expect(
      error.finding.message.contains("(PID \(impostor.pid)) goes by the name \(name), but its program is \(path)"))
    #expect(pids(try await look(.init("executable", .string(path)))) == [Int64(impostor.pid)])
  }

  @Test("A process that has renamed itself is found by its program; a name with brackets and a line end is read right")
  func renamed() async throws {
    let path = try folder.copy(of: "/usr/bin/perl", named: "renaming-\(getpid())")
    let process = try LiveProcess(path, ["-e", #"$| = 1; $0 = "x) R 1\n("; print "\n"; <STDIN>"#])
    defer { withExtendedLifetime(process) {} }
    try process.awaitLine()
    let found = try await look(.init("executable", .string(path)))
    #expect(pids(found) == [Int64(process.pid)])
    #expect(found.output["processes"]?.first?["name"] == .string("x) R 1\n("))
    #expect(pids(try await look(.init("name", .string("renaming-\(getpid())")))) == [Int64(process.pid)])
    let pid = try await look(.init("pid", .int(Int64(process.pid))))
    #expect(pid.output["zombies"] == .int(0) && pid.output["count"] == .int(1))
  }

  @Test("A script is found by its own name, and an interpreter by its")
  func script() async throws {
    let name = "watch-\(getpid()).sh"
    try folder.write("#!/bin/bash\necho\nread -r line\n", to: name, mode: 0o755)
    let process = try LiveProcess.script("\(folder.path)/\(name)")
    defer { withExtendedLifetime(process) {} }
    #expect(pids(try await look(.init("name", .string(name)))) == [Int64(process.pid)])
  }

  @Test("Ended and stopped processes do not run, and it is said why")
  func endedAndStopped() async throws {
    let path = try folder.copy(of: "/bin/sleep", named: "sleeper-\(getpid())")
    let process = try LiveProcess(path, ["60"])
    defer { withExtendedLifetime(process) {} }
    process.signal(SIGSTOP)
    try process.wait { LiveProcess.state($0) == "T" }
    let stopped = try await look(.init("executable", .string(path)))
    #expect(stopped.objection?.finding.code == "process.notRunning")
    #expect(stopped.objection?.finding.message.contains("(PID \(process.pid)) is stopped") == true)
    #expect(stopped.output["stopped"] == .int(1) && stopped.output["count"] == .int(0))
    process.signal(SIGCONT)
    try process.wait { LiveProcess.state($0) != "T" }
    #expect(try await look(.init("executable", .string(path))).objection == nil)

    // The shell becomes a program that never reaps the child of the shell.
    let parent = try LiveProcess("/bin/sh", ["-c", "\(path) 60 & echo $!; exec sleep 60"], isReplacingItself: true)
    defer { withExtendedLifetime(parent) {} }
    let child = try #require(Int32(try parent.awaitLine()))
    // Before that the shell itself could reap it.
    try parent.wait { (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "sleep\n" }
    kill(child, SIGKILL)
    try parent.wait { _ in LiveProcess.state(child) == "Z" }
    let zombie = try await look(.init("pid", .int(Int64(child))))
    #expect(zombie.objection?.finding.message.contains("has ended and is not reaped") == true)
    #expect(zombie.output["zombies"] == .int(1))
  }

  @Test("A process goes on when its first thread has ended")
  func firstThreadGone() async throws {
    let script = """
      import ctypes, platform, threading, time
      threading.Thread(target=time.sleep, args=(60,)).start()
      print(flush=True)
      ctypes.CDLL(None).syscall({'x86_64': 60}.get(platform.machine(), 93), 0)
      """
    let process = try LiveProcess("/usr/bin/python3", ["-c", script])
    defer { withExtendedLifetime(process) {} }
    try process.wait { LiveProcess.state($0) == "Z" }
    let found = try await look(.init("pid", .int(Int64(process.pid))))
    #expect(found.objection == nil && found.output["zombies"] == .int(0), "\(String(describing: found.objection))")
    let descriptors = try await run(
      "host.descriptors", [.init("process", .members([.init("pid", .int(Int64(process.pid)))]))])
    guard case .int(let open)? = descriptors.output["processes"]?.first?["open"] else { throw NothingThrown() }
    #expect(open >= 3)
  }

  @Test("Threads are no processes, neither counted nor named by a PID file")
  func threads() async throws {
    let script = """
      import threading, time
      threads = [threading.Thread(target=time.sleep, args=(60,)) for _ in range(3)]
      [thread.start() for thread in threads]
      print(threads[0].native_id, flush=True)
      """
    let process = try LiveProcess("/usr/bin/python3", ["-c", script])
    defer { withExtendedLifetime(process) {} }
    let thread = try process.awaitLine()
    let found = pids(try await look(.init("executable", .string("/usr/bin/python3"))))
    #expect(found.count { $0 == Int64(process.pid) } == 1)
    #expect(!found.contains(try #require(Int64(thread))))
    try folder.write("\(thread)\n", to: "thread.pid")
    let error = try await stepError { _ = try await look(.init("pidFile", .string("\(folder.path)/thread.pid"))) }
    #expect(error.kind == .failed && error.finding.code == "process.pidFileUnusable")
    #expect(error.finding.message.contains("which is a thread of process \(process.pid)"))
  }

  @Test("A PID file names its process, and none that got the number later")
  func pidFile() async throws {
    let path = try folder.copy(of: "/bin/sleep", named: "served-\(getpid())")
    let process = try LiveProcess(path, ["60"])
    defer { withExtendedLifetime(process) {} }
    let file = "\(folder.path)/server.pid"
    let member = Value.Member("pidFile", .string(file))
    #expect(try await code(member) == "process.pidFileMissing")
    try folder.write("\(process.pid)\n", to: "server.pid")
    #expect(pids(try await look(member)) == [Int64(process.pid)])
    #expect(pids(try await look(member, .init("name", .string("served-\(getpid())")))) == [Int64(process.pid)])
    #expect(try await code(member, .init("name", .string("turnserver"))) == "process.pidReused")
    #expect(try await code(member, .init("executable", .string("/bin/true"))) == "process.pidReused")
    // Older than the process.
    try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSinceNow: -3600)], ofItemAtPath: file)
    let error = try await stepError { _ = try await look(member) }
    #expect(error.finding.code == "process.pidReused", "\(error)")
    #expect(error.finding.message.contains("served-\(getpid())"), "\(error)")
    for (text, code) in [
      ("", "process.pidFileUnusable"), ("none", "process.pidFileUnusable"), ("-1", "process.pidFileUnusable"),
      ("0", "process.pidFileUnusable"), ("99999999999999", "process.pidFileUnusable"),
      ("2147483647", "process.notRunning"),
    ] {
      try folder.write(text, to: "server.pid")
      #expect(try await self.code(member) == code, "\(text)")
    }
    try FileManager.default.removeItem(atPath: file)
    #expect(mkfifo(file, 0o600) == 0)
    #expect(try await code(member) == "process.pidFileUnusable")
  }

  @Test("A program whose file was replaced says so, and is found by its path still")
  func replaced() async throws {
    let path = try folder.copy(of: "/bin/sleep", named: "upgraded")
    let process = try LiveProcess(path, ["60"])
    defer { withExtendedLifetime(process) {} }
    try FileManager.default.removeItem(atPath: path)
    let found = try await look(.init("executable", .string(path)))
    #expect(pids(found) == [Int64(process.pid)])
    #expect(found.output["processes"]?.first?["replaced"] == .bool(true))
    // The name that the kernel gives to what is gone may be a file's own.
    let odd = try folder.copy(of: "/bin/sleep", named: "odd (deleted)")
    let other = try LiveProcess(odd, ["60"])
    defer { withExtendedLifetime(other) {} }
    let whole = try await look(.init("executable", .string(odd)))
    #expect(pids(whole) == [Int64(other.pid)])
    #expect(whole.output["processes"]?.first?["replaced"] == .bool(false))
  }

  @Test("The user, and how many run, are held against what is asked for")
  func counts() async throws {
    let path = try folder.copy(of: "/bin/sleep", named: "twin-\(getpid())")
    let both = try (0..<2).map { _ in try LiveProcess(path, ["60"]) }
    defer { withExtendedLifetime(both) {} }
    let name = Value.Member("executable", .string(path))
    #expect(Set(pids(try await look(name))) == Set(both.map { Int64($0.pid) }))
    #expect(try await code(name, .init("atMost", .int(1))) == "process.tooMany")
    #expect(try await code(name, .init("atLeast", .int(3))) == "process.tooFew")
    #expect(try await code(name, .init("user", .string("\(geteuid())"))) == nil)
    #expect(try await code(name, .init("user", .string("\(geteuid() + 1)"))) == "process.otherUser")
    #expect(try await code(.init("atLeast", .int(0))) == "process.noneNamed")
    #expect(try await code(.init("name", .string("no-such-program")), .init("atLeast", .int(0))) == nil)
  }

  @Test("A unit's processes are those of its control group", .enabled(if: geteuid() == 0, "control groups are root's"))
  func unit() async throws {
    let roots = ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup"]
    let root = try #require(roots.first { access("\($0)/cgroup.procs", W_OK) == 0 })
    let unit = "runbook-test-\(getpid()).service"
    let group = "\(root)/\(unit)"
    try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
    defer { rmdir(group) }
    let path = try folder.copy(of: "/bin/sleep", named: "unit-\(getpid())")
    let process = try LiveProcess(path, ["60"])
    defer { withExtendedLifetime(process) {} }
    #expect(try await code(.init("unit", .string(unit))) == "process.notRunning")
    try Data("\(process.pid)".utf8).write(to: URL(filePath: "\(group)/cgroup.procs"))
    #expect(pids(try await look(.init("unit", .string(unit)))) == [Int64(process.pid)])
    #expect(pids(try await look(.init("unit", .string("runbook-test-\(getpid())")))) == [Int64(process.pid)])
    #expect(try await code(.init("unit", .string("test-\(getpid())"))) == "process.notRunning")
    process.signal(SIGKILL)
    try process.wait { LiveProcess.state($0) != "S" }
  }

  @Test("Limits are those of the running process, not of a shell")
  func limits() async throws {
    let path = try folder.copy(of: "/bin/sleep", named: "limited-\(getpid())")
    let process = try LiveProcess(path, ["60"])
    defer { withExtendedLifetime(process) {} }
    _ = try await run(
      "command.run", [.init("command", text("prlimit", "--pid", "\(process.pid)", "--nofile=1024:4096"))])
    let choice = Value.Member("process", .members([.init("executable", .string(path))]))
    let found = try await run("host.limits", [choice])
    #expect(found.output["limits"]?["nofile"] == .members([.init("soft", .int(1024)), .init("hard", .int(4096))]))
    let low = try await run("host.limits", [choice, .init("atLeast", .members([.init("nofile", .int(65536))]))])
    #expect(low.objection?.finding.code == "host.limitTooLow")
    #expect(low.objection?.finding.message.contains("has a nofile limit of 1024; it should be at least 65536") == true)
    #expect(
      try await run("host.limits", [choice, .init("atLeast", .members([.init("nofile", .int(1024))]))]).objection == nil
    )
    // No limit is no missing value.
    #expect(found.output["limits"]?["cpu"]?["soft"] == .null)
    #expect(
      try await run("host.limits", [choice, .init("atLeast", .members([.init("cpu", .int(99))]))]).objection == nil)
    let error = try await stepError {
      _ = try await run("host.limits", [choice, .init("atLeast", .members([.init("open", .int(1))]))])
    }
    #expect(error.finding.code == "host.limitUnknown")

    let descriptors = try await run("host.descriptors", [choice]).output
    let open = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process.pid)/fd").count
    #expect(descriptors["processes"]?.first?["open"] == .int(Int64(open)))
    #expect(descriptors["processes"]?.first?["limit"] == .int(1024))
    #expect(descriptors["highest"] == .double((Double(open) / 1024 * 10_000).rounded() / 100))
  }
}

extension Value {
  /// The first element of a list; nil of others.
  var first: Value? { if case .list(let list) = self { list.first } else { nil } }
}

extension LiveProcess {
  /// Starts a script by its path, and returns when it has written a line.
  static func script(_ path: String) throws -> LiveProcess {
    let process = try LiveProcess("/bin/bash", ["-c", "exec \(path)"], isReplacingItself: true)
    defer { withExtendedLifetime(process) {} }
    try process.awaitLine()
    return process
  }
}
