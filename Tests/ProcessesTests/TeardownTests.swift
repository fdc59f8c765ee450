import Glibc
import Processes
import Synchronization
import TestSupport
import Testing

/// A shell's command whose processes print their numbers, which the result's output then holds.
private func shell(_ script: String, timeout: Duration? = nil, grace: Duration = .seconds(10)) -> Command {
  var command = Command("/bin/sh", ["-c", script])
  command.timeout = timeout
  command.terminationGrace = grace
  return command
}

private func numbers(in output: CapturedOutput) -> [Int32] {
  output.text.split(whereSeparator: \.isWhitespace).compactMap { Int32($0) }
}

/// Neither running nor a zombie.
private func isGone(_ pid: Int32) -> Bool { kill(pid, 0) == -1 && errno == ESRCH }

/// Runs the command and cancels it once it has printed as many lines.
private func run(_ command: Command, cancellingAfterLines lines: Int) async throws -> ProcessResult {
  let (ready, announce) = AsyncStream.makeStream(of: Void.self)
  let seen = Mutex(0)
  let task = Task {
    try await command.run { _, bytes in
      let count = seen.withLock { seen in
        seen += bytes.count { $0 == UInt8(ascii: "\n") }
        return seen
      }
      if count >= lines { announce.finish() }
    }
  }
  for await _ in ready {}
  task.cancel()
  return try await task.value
}

@Suite("Ending a command")
struct TeardownTests {
  @Test("at its timeout takes TERM")
  func timeout() async throws {
    let result = try await shell("echo $$; exec sleep 1000", timeout: .milliseconds(300)).run()
    #expect(result.interruption == .timeout)
    #expect(result.ending == .signalled(SIGTERM))
    for process in numbers(in: result.standardOutput) { #expect(isGone(process)) }
  }

  @Test("when the task is cancelled lets it clean up, and keeps what it wrote until then")
  func politeEnd() async throws {
    let result = try await run(
      shell("trap 'echo cleaned up; exit 7' TERM; echo ready; while :; do sleep 0.01; done"), cancellingAfterLines: 1)
    #expect(result.interruption == .cancellation)
    #expect(result.ending == .exited(7))
    #expect(result.standardOutput.text == "ready\ncleaned up\n")
    #expect(!result.isSuccess)
  }

  @Test("that ignores TERM takes KILL, for its children too")
  func impoliteEnd() async throws {
    let result = try await run(
      shell(
        "trap '' TERM; (while :; do sleep 1; done) & echo $$; echo $!; while :; do sleep 1; done",
        grace: .milliseconds(100)),
      cancellingAfterLines: 2)
    #expect(result.ending == .signalled(SIGKILL))
    let processes = numbers(in: result.standardOutput)
    #expect(processes.count == 2)
    for process in processes { #expect(isGone(process)) }
  }

  @Test("that is stopped works as well")
  func stopped() async throws {
    let result = try await shell("kill -STOP $$", timeout: .milliseconds(200)).run()
    #expect(result.ending == .signalled(SIGTERM))
  }

  @Test("reaches a child in a process group of its own, and one in a session of its own that holds the output")
  func escapedChildren() async throws {
    // Not sh: without a terminal Debian's gives no job a group of its own.
    let bash = Command(
      "/bin/bash", ["-c", "set -m; sleep 1000 & echo $!; set +m; setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000"])
    let result = try await run(bash, cancellingAfterLines: 2)
    let processes = numbers(in: result.standardOutput)
    #expect(processes.count == 2)
    for process in processes { #expect(isGone(process)) }
    #expect(result.leaked.map(\.pid) == [processes.last])
  }

  @Test("is not needed when the task was cancelled before: it does not start")
  func cancelledBefore() async throws {
    let folder = try TemporaryFolder()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return try await shell("touch \(folder.path)/started").run()
    }
    await #expect {
      try await task.value
    } throws: {
      ($0 as? ProcessError)?.code == .cancelled
    }
    #expect(folder.names().isEmpty)
  }

  @Test("is done for all that run by killAll")
  func killAll() async throws {
    // In a process of its own, so that no command of another test dies of it: the exit test runs this one alone.
    await #expect(processExitsWith: .success) {
      let (started, announce) = AsyncStream.makeStream(of: Void.self)
      let runs = (0..<2).map { _ in
        Task { try await Command("sh", ["-c", "echo up; sleep 1000"]).run { _, _ in announce.yield() } }
      }
      var count = 0
      for await _ in started {
        count += 1
        if count == 2 { break }
      }
      RunningCommands.killAll()
      for run in runs {
        let result = try await run.value
        precondition(result.ending == .signalled(SIGKILL) && result.interruption == nil)
      }
    }
  }
}

@Suite("What a command leaves behind")
struct LeakTests {
  @Test("a double-forked child that keeps the pipe is ended, reaped and recorded")
  func holder() async throws {
    let result = try await shell("(sleep 1000 & echo $!) & wait; exit 4").run()
    #expect(result.ending == .exited(4))
    #expect(result.interruption == nil)
    let child = try #require(numbers(in: result.standardOutput).first)
    #expect(result.leaked.map(\.pid) == [child])
    #expect(result.leaked.map(\.name) == ["sleep"])
    #expect(isGone(child))
  }

  @Test("a child in the session that does not hold the output is ended and recorded too")
  func silentChild() async throws {
    let result = try await shell("sleep 1000 >/dev/null 2>&1 & echo $!").run()
    let child = try #require(numbers(in: result.standardOutput).first)
    #expect(result.leaked.map(\.pid) == [child])
    #expect(isGone(child))
  }

  @Test("a child that finishes within a second is waited for, with its output")
  func straggler() async throws {
    let result = try await shell("(sleep 0.1; echo late) & echo early").run()
    #expect(result.standardOutput.text == "early\nlate\n")
    #expect(result.leaked.isEmpty)
  }

  @Test("a service that left the session but holds the output is recorded and left alone")
  func serviceThatHolds() async throws {
    let result = try await shell("setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.2").run()
    let service = try #require(numbers(in: result.standardOutput).first)
    let identity = try #require(ProcessIdentity(pid: service))
    #expect(result.leaked.map(\.pid) == [service])
    #expect(identity.isRunning)
    #expect(identity.end(grace: .seconds(5)))
    #expect(isGone(service))
  }

  @Test("a service that left the session and closed the output is none of our business")
  func service() async throws {
    let result = try await shell("setsid sleep 1000 >/dev/null 2>&1 & echo $!; sleep 0.2").run()
    let service = try #require(numbers(in: result.standardOutput).first)
    let identity = try #require(ProcessIdentity(pid: service))
    #expect(result.leaked.isEmpty)
    #expect(identity.isRunning)
    #expect(identity.end(grace: .seconds(5)))
  }

  @Test("a service is reaped by us when it ends, as soon as a command has", .timeLimit(.minutes(1)))
  func orphan() async throws {
    let result = try await shell("setsid sleep 1000 >/dev/null 2>&1 & echo $!; sleep 0.2").run()
    let service = try #require(numbers(in: result.standardOutput).first)
    #expect(kill(service, SIGKILL) == 0)
    // It is ours by now, and a zombie until then.
    while !isGone(service) { #expect(try await shell("true").run().isSuccess) }
  }

  @Test("many at once neither mix nor leave anything")
  func manyAtOnce() async throws {
    try await withThrowingTaskGroup(of: ProcessResult.self) { group in
      for index in 0..<20 { group.addTask { try await shell("echo \(index) | cat").run() } }
      var seen: Set<String> = []
      for try await result in group {
        #expect(result.isSuccess)
        #expect(result.leaked.isEmpty)
        seen.insert(result.standardOutput.text)
      }
      #expect(seen.count == 20)
    }
  }
}
