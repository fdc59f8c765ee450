import Glibc
import Processes
import Synchronization
import TestSupport
import Testing

/// A command of the shell, for what the tests need a program to do.
private func shell(_ script: String, _ arguments: String...) -> Command {
  Command("/bin/sh", ["-c", script, "sh"] + arguments)
}

@Suite("A command")
struct CommandExecutionTests {
  @Test("gives its exit status and both outputs apart")
  func outcome() async throws {
    let result = try await shell("echo one; echo two >&2; exit 3").run()
    #expect(result.ending == .exited(3))
    #expect(!result.isSuccess)
    #expect(result.standardOutput.text == "one\n")
    #expect(result.standardError.text == "two\n")
    #expect(!result.standardOutput.isTruncated)
    #expect(result.interruption == nil)
    #expect(result.leaked.isEmpty)
    #expect(result.duration > .zero)
  }

  @Test("that a signal ends gives the signal")
  func signalled() async throws {
    let result = try await shell("kill -USR1 $$").run()
    #expect(result.ending == .signalled(SIGUSR1))
  }

  @Test("gets every argument as it stands", arguments: ["; rm -rf /", "$(id)", "a\nb", "", "-n", "ä€𝄞"])
  func arguments(_ argument: String) async throws {
    let result = try await shell(#"printf '<%s>' "$1""#, argument).run()
    #expect(result.standardOutput.text == "<\(argument)>")
  }

  @Test("reads end of file")
  func input() async throws {
    let result = try await Command("cat").run()
    #expect(result.isSuccess)
    #expect(result.standardOutput.bytes.isEmpty)
  }

  @Test("leads a session of its own and has no descriptor but the standard ones")
  func isolation() async throws {
    let opened = open("/dev/null", O_RDONLY)
    defer { close(opened) }
    let result = try await shell("ls /proc/$$/fd; cut -d' ' -f1,5,6 /proc/$$/stat").run()
    let lines = result.standardOutput.text.split(separator: "\n")
    #expect(lines.dropLast() == ["0", "1", "2"])
    let numbers = try #require(lines.last).split(separator: " ")
    #expect(Set(numbers).count == 1)
  }

  @Test("starts with no signal blocked or ignored, whatever we ignore")
  func signals() async throws {
    signal(SIGPIPE, SIG_IGN)
    let result = try await Command("sed", ["-n", "s/^Sig[BI][lg][kn]:\t//p", "/proc/self/status"]).run()
    let masks = result.standardOutput.text.split(separator: "\n").compactMap { UInt64($0, radix: 16) }
    try #require(masks.count == 2)
    // Above 31 lie the C library's own and the real-time signals.
    for mask in masks { #expect(mask & 0x7fff_ffff == 0) }
  }

  @Test("runs where it is told to")
  func directory() async throws {
    var command = Command("pwd")
    command.directory = "/usr/share"
    #expect(try await command.run().standardOutput.text == "/usr/share\n")
  }

  @Test("passes output on in order as it arrives, also when it comes in pieces")
  func streaming() async throws {
    let seen = Mutex<(output: [UInt8], error: [UInt8])>(([], []))
    // The second half waits for a line that only the observer's sight of the first half brings about.
    let folder = try TemporaryFolder()
    var command = shell("printf 'hal'; printf 'err' >&2; until [ -e go ]; do :; done; printf 'ves'")
    command.directory = folder.path
    command.timeout = .seconds(30)
    let result = try await command.run { stream, bytes in
      seen.withLock { seen in
        switch stream {
        case .standardOutput: seen.output += bytes
        case .standardError: seen.error += bytes
        }
        if seen.output == Array("hal".utf8) { close(creat("\(folder.path)/go", 0o600)) }
      }
    }
    #expect(result.isSuccess)
    #expect(result.standardOutput.text == "halves")
    #expect(seen.withLock { $0.output } == Array("halves".utf8))
    #expect(seen.withLock { $0.error } == Array("err".utf8))
  }

  @Test("keeps a character that is split over two writes whole")
  func splitCharacter() async throws {
    let result = try await shell(#"printf '\342\202'; sleep 0.05; printf '\254'"#).run()
    #expect(result.standardOutput.text == "€")
  }

  @Test("whose output goes over the limit is read to its end, the excess dropped and counted")
  func limit() async throws {
    var command = Command("head", ["-c", "300000", "/dev/zero"])
    command.outputLimit = 1000
    let passedOn = Mutex(0)
    let result = try await command.run { _, bytes in passedOn.withLock { $0 += bytes.count } }
    #expect(result.isSuccess)
    #expect(result.standardOutput.bytes.count == 1000)
    #expect(result.standardOutput.total == 300_000)
    #expect(result.standardOutput.isTruncated)
    #expect(passedOn.withLock { $0 } == 1000)
  }

  @Test("whose output never ends is ended at its timeout")
  func endlessOutput() async throws {
    var command = Command("yes")
    command.outputLimit = 100
    command.timeout = .milliseconds(200)
    let result = try await command.run()
    #expect(result.interruption == .timeout)
    #expect(result.ending == .signalled(SIGTERM))
    #expect(result.standardOutput.bytes.count == 100)
    #expect(result.standardOutput.isTruncated)
  }

  @Test("names its process as soon as it is there, also one that ends at once")
  func started() async throws {
    let started = Mutex<[ProcessIdentity]>([])
    let result = try await Command("sh", ["-c", "echo $$"]).run(started: { process in
      started.withLock { $0.append(process) }
    })
    let processes = started.withLock { $0 }
    #expect(processes.map { "\($0.pid)\n" } == [result.standardOutput.text])
  }
}
