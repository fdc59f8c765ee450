import Glibc
import Processes
import TestSupport
import Testing

@Suite("A process's identity")
struct ProcessIdentityTests {
  @Test("holds for the process and for no other of its number")
  func reuse() throws {
    let own = try #require(ProcessIdentity.own)
    #expect(own.isRunning)
    #expect(own == ProcessIdentity(pid: getpid()))
    let earlier = ProcessIdentity(pid: own.pid, startTime: own.startTime - 1, boot: own.boot)
    #expect(!earlier.isRunning)
    #expect(!earlier.signal(SIGKILL))
    #expect(earlier.end(grace: .zero))
    let beforeRestart = ProcessIdentity(pid: own.pid, startTime: own.startTime, boot: "another")
    #expect(!beforeRestart.signal(SIGKILL))
    #expect(ProcessIdentity(pid: 0) == nil)
  }

  @Test("lets a detached process be ended, and its log tell what it said")
  func detached() throws {
    let folder = try TemporaryFolder()
    let log = "\(folder.path)/log"
    let process = try Command("sh", ["-c", "echo said; exec sleep 1000"]).startDetached(log: log)
    #expect(process.isRunning)
    while folder.read("log").isEmpty { usleep(1000) }
    #expect(process.end(grace: .seconds(10)))
    #expect(!process.isRunning)
    #expect(kill(process.pid, 0) == -1)
    #expect(folder.read("log") == "said\n")
    #expect(folder.mode("log") == 0o600)
  }

  @Test(
    "lets a process that ignores TERM be ended, and one that is stopped", arguments: ["trap '' TERM", "kill -STOP $$"])
  func stubborn(_ script: String) throws {
    let folder = try TemporaryFolder()
    let process = try Command("sh", ["-c", "\(script); exec sleep 1000"])
      .startDetached(log: "\(folder.path)/log")
    #expect(process.end(grace: .milliseconds(200)))
    #expect(!process.isRunning)
  }

  @Test("tells what still runs of its session, also after the process itself has ended")
  func session() throws {
    let folder = try TemporaryFolder()
    let shell = try Command("sh", ["-c", "sleep 1000 & wait"]).startDetached(log: "\(folder.path)/log")
    let deadline = ContinuousClock.now + .seconds(20)
    // The child bears the shell's name until it has become `sleep`.
    while !shell.sessionMembers.contains(where: { $0.name == "sleep" }), ContinuousClock.now < deadline { usleep(1000) }
    let members = shell.sessionMembers
    #expect(members.first?.pid == shell.pid)
    let sleeper = try #require(members.first { $0.name == "sleep" })
    defer { kill(sleeper.pid, SIGKILL) }
    // Another process of that number leads the session.
    #expect(ProcessIdentity(pid: shell.pid, startTime: shell.startTime - 1, boot: shell.boot).sessionMembers == [])
    #expect(ProcessIdentity(pid: shell.pid, startTime: shell.startTime, boot: "another").sessionMembers == [])
    #expect(shell.end(grace: .zero))
    #expect(shell.sessionMembers == [sleeper])
  }
}
