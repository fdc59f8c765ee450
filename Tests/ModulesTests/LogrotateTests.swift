import Foundation
import Glibc
import Journal
import Processes
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Configurations of logrotate, and servers that write.
@Suite struct LogrotateTests {
  private let folder: TemporaryFolder
  private let root: String

  init() throws {
    folder = try TemporaryFolder()
    root = URL(filePath: folder.path).resolvingSymlinksInPath().path
    try folder.write("weekly\nrotate 4\ninclude \(root)/logrotate.d\n", to: "logrotate.conf")
    try folder.write("", to: "logs/turnserver.log")
    chmod("\(root)/logs", 0o755)
  }

  private func look(_ section: String, _ members: Value.Member...) async throws -> StepResult<Value> {
    try folder.write(section, to: "logrotate.d/turnserver")
    return try await run(
      "host.logrotate",
      [
        .init("path", .string("\(root)/logs/turnserver.log")),
        .init("configuration", .string("\(root)/logrotate.conf")),
      ] + members)
  }

  private func section(_ script: String, _ directives: String = "", pattern: String = "turnserver.log") -> String {
    "\(root)/logs/\(pattern) {\n  daily\n  \(directives)\n  postrotate\n    \(script)\n  endscript\n}\n"
  }

  /// Codes that say what fails; whether logrotate is installed here, and what this user may see, does not matter.
  private func code(_ result: StepResult<Value>) -> String? {
    let code = result.objection?.finding.code
    return code == "host.rotationNotScheduled" || code == "host.logWritersHidden" ? nil : code
  }

  @Test("A reload of a unit without ExecReload is told, `|| true` or not")
  func seedsReload() async throws {
    let result = try await look(
      section("systemctl reload no-such-unit > /dev/null 2>&1 || true", "create 0640 root root\n  sharedscripts"))
    #expect(code(result) == "host.rotationReloadFails")
    #expect(result.output["method"] == .string("failingReload"))
    #expect(result.output["rotatedBy"] == .string("\(root)/logrotate.d/turnserver"))
  }

  @Test(
    "The signal is told in its many spellings",
    arguments: [
      ("kill -HUP $(cat /run/turnserver.pid)", "hangup"), ("/bin/kill -s HUP `cat x`", "hangup"),
      ("pkill -SIGHUP -x turnserver", "hangup"), ("systemctl kill --signal=HUP --kill-whom=main coturn", "hangup"),
      ("systemctl kill -s SIGHUP coturn.service || true", "hangup"), ("kill -1 $(pidof turnserver)", "hangup"),
      ("killall -USR1 turnserver", "otherSignal"), ("kill $(pidof turnserver)", "otherSignal"),
      ("systemctl restart coturn", "restart"), ("service coturn restart", "restart"),
      ("systemctl try-reload-or-restart no-such-unit", "restart"), ("/usr/local/bin/rotated", "script"),
      ("# kill -HUP 1", "none"),
    ])
  func methods(script: String, method: String) async throws {
    #expect(try await look(section(script)).output["method"] == .string(method), "\(script)")
  }

  @Test("SIGHUP ends coturn 4.6.3, and no other")
  func versions() async throws {
    let hangup = section("pkill -HUP turnserver")
    #expect(code(try await look(hangup, .init("version", .string("4.6.3")))) == "host.rotationEndsServer")
    #expect(code(try await look(hangup, .init("version", .string("4.6.3-1")))) == "host.rotationEndsServer")
    #expect(code(try await look(hangup, .init("version", .string("4.6.2")))) == nil)
    #expect(code(try await look(hangup)) == nil)
  }

  @Test("What covers the log is found by its pattern; none, and two, are told")
  func coverage() async throws {
    let hangup = "pkill -HUP turnserver"
    for pattern in ["*.log", "turn*.log", "turn[rs]erver.log", "nothing \(root)/logs/turnserver.log"] {
      #expect(code(try await look(section(hangup, pattern: pattern))) == nil, "\(pattern)")
    }
    for pattern in ["turn_*.log", "*/turnserver.log", "other.log", "turnserver"] {
      #expect(code(try await look(section(hangup, pattern: pattern))) == "host.logNotRotated", "\(pattern)")
    }
    let quoted = section(hangup).replacing("\(root)/logs/turnserver.log", with: "\"\(root)/logs/turnserver.log\"")
    #expect(code(try await look(quoted)) == nil)
    try folder.write(section(hangup), to: "logrotate.d/another")
    #expect(code(try await look(section(hangup))) == "host.rotatedTwice")
    // What a package left behind is not read.
    rename("\(root)/logrotate.d/another", "\(root)/logrotate.d/another.dpkg-old")
    #expect(code(try await look(section(hangup))) == nil)
    #expect(code(try await look("# \(section(hangup))")) == "host.logNotRotated")
  }

  @Test("What logrotate refuses is told: a section that others may write, a folder that others may change")
  func refusals() async throws {
    let hangup = "pkill -HUP turnserver"
    #expect(code(try await look(section(hangup))) == nil)
    chmod("\(root)/logrotate.d/turnserver", 0o666)
    let result = try await run(
      "host.logrotate",
      [
        .init("path", .string("\(root)/logs/turnserver.log")),
        .init("configuration", .string("\(root)/logrotate.conf")),
      ])
    #expect(code(result) == "host.rotationRefused")
    chmod("\(root)/logs", 0o777)
    #expect(code(try await look(section(hangup))) == "host.rotationRefused")
    #expect(code(try await look(section(hangup, "su root root"))) == nil)
  }

  @Test("A configuration that is not there is called that")
  func noConfiguration() async throws {
    let members: [Value.Member] = [
      .init("path", .string("\(root)/logs/turnserver.log")), .init("configuration", .string("\(root)/no.conf")),
    ]
    let error = try await stepError { _ = try await run("host.logrotate", members) }
    #expect(error.finding.code == "host.rotationConfigUnreadable")
    #expect(error.finding.message.hasPrefix("logrotate's configuration \(root)/no.conf cannot be read: "))
    #expect(error.finding.advice?.contains("Install logrotate") == true)
  }

  @Test("A new file that the server may not write is told")
  func creation() async throws {
    let hangup = "pkill -HUP turnserver"
    let user = Value.Member("user", .string("65534:65534"))
    #expect(code(try await look(section(hangup, "create 0640 root root"), user)) == "host.rotationUnwritable")
    #expect(code(try await look(section(hangup, "create 0640 nobody nogroup"), user)) == nil)
    #expect(code(try await look(section(hangup, "create 0640 root root\n  nocreate"), user)) == nil)
  }

  @Test("A server that writes into the rotated file, or does not append, is told by what it has open")
  func writers() async throws {
    let log = "\(root)/logs/turnserver.log"
    let writer = try LiveProcess("/bin/bash", ["-c", "exec 8>\(log); echo; read -r line"])
    defer { withExtendedLifetime(writer) {} }
    try writer.awaitLine()
    let copying = "\(log) {\n  copytruncate\n}\n"
    #expect(code(try await look(copying)) == "host.rotationLeavesNULs")
    let appending = try LiveProcess("/bin/bash", ["-c", "exec 8>>\(log); echo; read -r line"])
    defer { withExtendedLifetime(appending) {} }
    try appending.awaitLine()
    #expect(code(try await look("\(log) {\n  weekly\n}\n")) == "host.rotationLosesLog")
    rename(log, "\(log).1")
    let lost = try await look(section("pkill -HUP turnserver"))
    #expect(code(lost) == "host.logWriterElsewhere")
    #expect(lost.objection?.finding.message.contains("(PID \(writer.pid)) writes into \(log).1") == true)
    unlink("\(log).1")
    #expect(code(try await look(section("pkill -HUP turnserver"))) == "host.logWriterElsewhere")
    writer.signal(SIGKILL)
    appending.signal(SIGKILL)
  }

  // MARK: Against logrotate itself

  /// A configuration and its files, of which only the log's section matters.
  private struct Setup: Sendable, CustomTestStringConvertible {
    let name: String
    var main = ""
    /// Files of the folder that is included, by name; `LOG` stands for the log.
    var files: [String: String] = ["turnserver": "LOG {\n  daily\n}\n"]
    var fileMode: mode_t = 0o644
    var folderMode: mode_t = 0o755

    var testDescription: String { name }
  }

  private static let setups: [Setup] = [
    Setup(name: "plain"),
    Setup(name: "an ending that is taboo", files: ["turnserver.disabled": "LOG {\n}\n"]),
    Setup(name: "another ending that is taboo", files: ["turnserver.dpkg-new": "LOG {\n}\n"]),
    Setup(name: "an ending added", main: "tabooext + .no", files: ["a.no": "LOG {\n}\n"]),
    Setup(name: "endings added with commas", main: "tabooext + .x,.no", files: ["a.no": "LOG {\n}\n"]),
    Setup(name: "endings replaced", main: "tabooext .only", files: ["a.disabled": "LOG {\n}\n"]),
    Setup(name: "a pattern", main: "taboopat + turn*"),
    Setup(name: "writable by all", fileMode: 0o666),
    Setup(name: "writable by its group", fileMode: 0o664),
    Setup(name: "an open folder", folderMode: 0o777),
    Setup(name: "an open folder and su", files: ["a": "LOG {\n  su root root\n}\n"], folderMode: 0o777),
    Setup(name: "twice", files: ["a": "LOG {\n}\n", "b": "LOG {\n}\n"]),
    Setup(name: "a pattern of names", files: ["a": "FOLDER/*.log {\n}\n"]),
    Setup(name: "a pattern that fits nothing", files: ["a": "FOLDER/*.txt {\n}\n"]),
    Setup(name: "several names", files: ["a": "FOLDER/other.log\n\"LOG\" {\n  missingok\n}\n"]),
    Setup(name: "on one line", files: ["a": "# LOG { }\nLOG { daily }\n"]),
    Setup(name: "a bracket on the next line", files: ["a": "LOG\n{\n  daily\n}\n"]),
    Setup(name: "another log", files: ["a": "FOLDER/other.log {\n  missingok\n}\n"]),
  ]

  @Test(
    "What covers the log, and what is refused, is what logrotate itself says",
    .enabled(if: geteuid() == 0 && access("/usr/sbin/logrotate", X_OK) == 0, "logrotate looks at rights as root alone"),
    arguments: setups)
  private func logrotate(_ setup: Setup) async throws {
    let log = "\(root)/logs/turnserver.log"
    try folder.write("weekly\n\(setup.main)\ninclude \(root)/logrotate.d\n", to: "logrotate.conf", mode: 0o644)
    for (name, text) in setup.files {
      let content = text.replacing("LOG", with: log).replacing("FOLDER", with: "\(root)/logs")
      try folder.write(content, to: "logrotate.d/\(name)")
      chmod("\(root)/logrotate.d/\(name)", setup.fileMode)
    }
    chmod("\(root)/logs", setup.folderMode)
    let oracle = try await Command(
      "/usr/sbin/logrotate", ["--debug", "--state", "\(root)/state", "\(root)/logrotate.conf"]
    ).run()
    let said = oracle.standardOutput.text + oracle.standardError.text
    let isRotated = said.contains("considering log \(log)\n") && !said.contains("error: skipping \"\(log)\"")
    let result = try await run(
      "host.logrotate", [.init("path", .string(log)), .init("configuration", .string("\(root)/logrotate.conf"))])
    let message = result.objection?.finding.message ?? ""
    let refusals = ["covers \(log)", "logrotate does not read", "logrotate refuses the log"]
    #expect(!refusals.contains { message.contains($0) } == isRotated, "\(message)\n\(said)")
    #expect(
      message.contains("is covered by") == said.contains("duplicate log entry for \(log)"), "\(message)\n\(said)")
  }
}
