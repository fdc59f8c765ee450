import Foundation
import Glibc
import Journal
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

@Suite("coturn.version")
struct CoturnVersionModuleTests {
  private func server(_ coturn: Coturn) -> Value.Member {
    .init(
      "server",
      TURNServer.record.encode(TURNServer(name: "lab", uri: "turn:127.0.0.1:\(coturn.port)", host: "127.0.0.1")))
  }

  @Test("Process, SOFTWARE, log, program and package of Debian's coturn agree")
  func agreeing() async throws {
    let coturn = try await Coturn.start()
    let result = try await run(
      "coturn.version",
      [server(coturn), .init("log", .string(coturn.logFile)), .init("pid", .int(Int64(coturn.pid)))])
    #expect(result.objection == nil, "\(String(describing: result.objection))")
    #expect(result.output["agree"] == .bool(true))
    guard case .string(let version)? = result.output["version"] else { throw NothingThrown() }
    for field in ["process", "software", "log", "binary"] {
      guard case .string(let text)? = result.output[field] else { throw NothingThrown() }
      #expect(text.hasPrefix("Coturn-\(version)"), "\(field)")
    }
    let installed = try await Command("dpkg-query", ["-W", "-f", "${Version}", "coturn"]).run().standardOutput.text
    #expect(result.output["packageVersion"] == .string(installed))
    guard case .list(let processes)? = result.output["processes"], let process = processes.first else {
      throw NothingThrown()
    }
    #expect(
      processes.count == 1 && process["installed"] == .bool(true) && process["path"] == .string("/usr/bin/turnserver"))
    guard case .timestamp(let started)? = process["started"] else { throw NothingThrown() }
    let age = Moment.now().wall.duration(since: started)
    #expect(age > .seconds(-2) && age < .seconds(120))
  }

  @Test("A process that is older than the installed file, and of another version, is told")
  func outdated() async throws {
    let folder = try TemporaryFolder()
    let program = folder.path + "/turnserver"
    let original = try Data(contentsOf: URL(filePath: "/usr/bin/turnserver"))
    try original.write(to: URL(filePath: program))
    #expect(chmod(program, 0o755) == 0)
    let process = Process()
    process.executableURL = URL(filePath: program)
    // It reads its configuration from a FIFO that nobody writes to: it runs, and does nothing.
    #expect(mkfifo(folder.path + "/conf", 0o600) == 0)
    process.arguments = ["-c", folder.path + "/conf"]
    process.currentDirectoryURL = folder.url
    (process.standardOutput, process.standardError) = (FileHandle.nullDevice, FileHandle.nullDevice)
    try process.run()
    defer {
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }
    let exe = "/proc/\(process.processIdentifier)/exe"
    let end = ContinuousClock.now + .seconds(30)
    while (try? FileManager.default.destinationOfSymbolicLink(atPath: exe)) != program, .now < end { sched_yield() }
    let input: [Value.Member] = [
      .init("binary", .string(program)), .init("packageName", .string("no-such-package")),
      .init("pid", .int(Int64(process.processIdentifier))),
    ]
    let before = try await run("coturn.version", input)
    #expect(before.objection == nil && before.output["packageVersion"] == .null)
    // A newer version of the same length, put into its place as a package manager does.
    var newer = original
    let mark = try #require(newer.range(of: Data("Coturn-4.6.1".utf8)))
    newer.replaceSubrange(mark, with: Data("Coturn-4.6.9".utf8))
    try newer.write(to: URL(filePath: program + ".new"))
    #expect(rename(program + ".new", program) == 0)
    let after = try await run("coturn.version", input)
    #expect(after.objection?.severity == .warn && after.objection?.finding.code == "coturn.processOutdated")
    #expect(after.objection?.finding.message.contains("process 4.6.1, binary 4.6.9") == true)
    #expect(after.output["agree"] == .bool(false) && after.output["version"] == .string("4.6.1"))
  }

  @Test("Nothing that tells a version is an error")
  func unknown() async throws {
    let error = try await stepError {
      _ = try await run(
        "coturn.version",
        [.init("binary", .string("/nonexistent/no-such-server")), .init("packageName", .string("no-such-package"))])
    }
    #expect(error.kind == .broken && error.finding.code == "coturn.versionUnknown")
  }
}
