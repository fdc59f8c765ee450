import Foundation
import Testing

/// The runbook `daily-log-review` of this repository, on logs as they are found.
@Suite struct DailyLogReviewTests {
  private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  /// What a verbose server alone writes.
  private static let served =
    "1: : session 000000000000000001: realm <r> user <a>: incoming packet ALLOCATE processed, success\n"

  private func review(
    _ project: CommandLineProject, _ name: String = "daily-log-review", _ more: String...
  ) async throws -> CommandLineProject.Output {
    try await project.runbook(
      ["--project", Self.repository, "run", name, "-p", "files=[\(project.root)/logs/*.log*]"] + more,
      environment: ["RUNBOOK_STATE": project.root + "/state"])
  }

  @Test("It passes on a quiet log, fails on a crash and on lost TLS listeners, and refuses to review nothing")
  func dailyLogReview() async throws {
    let project = try CommandLineProject()
    let nothing = try await review(project)
    #expect(nothing.status == 3)
    #expect(nothing.stdout.contains("log.noFiles"), "\(nothing.stdout)")
    try project.write(
      "logs/turn.log.1",
      "0: : log file opened: /var/log/turnserver/turn.log\n0: : Coturn Version Coturn-4.6.1 'Gorst'\n" + Self.served)
    let quiet = try await review(project)
    #expect(quiet.status == 0 && quiet.stdout.hasPrefix("PASS"), "\(quiet.stdout)")
    try project.write("logs/turn.log", "12: : cannot start TLS and DTLS listeners\n12: : segfault at 0\n")
    let broken = try await review(project)
    #expect(broken.status == 1)
    #expect(broken.stdout.contains("(coturn.tlsListenersLost)"), "\(broken.stdout)")
    #expect(broken.stdout.contains("found crash once"))
  }

  @Test("A review of no log is an error")
  func nothing() async throws {
    let project = try CommandLineProject()
    let review = try await project.runbook(
      "--project", Self.repository, "run", "daily-log-review", "-p", "files=[]",
      environment: ["RUNBOOK_STATE": project.root + "/state"])
    #expect(review.status == 2, "\(review.stdout)\(review.stderr)")
    #expect(review.stderr.contains("the step is given no log to read"), "\(review.stderr)")
  }

  @Test("A server that logs to the journal is looked at as closely")
  func journal() async throws {
    let project = try CommandLineProject()
    try project.write(
      "bin/journalctl",
      """
      #!/bin/sh
      echo '{"MESSAGE":"0: : cannot start TLS and DTLS listeners","__REALTIME_TIMESTAMP":"'$(date +%s)'000000"}'

      """)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: "\(project.root)/bin/journalctl")
    let review = try await project.runbook(
      "--project", Self.repository, "run", "daily-log-review", "-p", "files=[]", "-p", "unit=coturn.service",
      environment: ["RUNBOOK_STATE": project.root + "/state", "PATH": "\(project.root)/bin:/usr/bin:/bin"])
    #expect(review.status == 1, "\(review.stdout)")
    #expect(review.stdout.contains("FAIL  coturn  coturn's log says"), "\(review.stdout)")
    #expect(review.stdout.contains("(coturn.tlsListenersLost)"), "\(review.stdout)")
  }

  @Test("The log of another server is reviewed for errors all the same")
  func otherServer() async throws {
    let project = try CommandLineProject()
    try project.write("logs/turn.log", "nginx started\n")
    let quiet = try await review(project)
    #expect(quiet.status == 0, "\(quiet.stdout)")
    try project.write("logs/turn.log", "nginx: segfault\n")
    #expect(try await review(project).status == 1)
  }

  @Test(
    "A log without a running server, as turnadmin leaves it, is a warning that says where to look",
    arguments: ["daily-log-review", "weekly-security-review"])
  func administration(name: String) async throws {
    let project = try CommandLineProject()
    let log = "0: : log file opened: /var/log/turn_1_2026-11-28.log\n0: : SQLite connection was closed.\n"
    try project.write("logs/turn.log", log)
    let warned = try await review(project, name)
    let said = warned.stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(warned.stdout.hasPrefix("WARN"), "\(warned.stdout)")
    #expect(said.contains("the log holds nothing of a running server"), "\(warned.stdout)")
    #expect(said.contains("log-file and syslog in turnserver.conf"), "\(warned.stdout)")
    try project.write("logs/turn.log", "0: : Coturn Version Coturn-4.6.1 'Gorst'\n" + log + Self.served)
    let passed = try await review(project, name)
    #expect(passed.stdout.hasPrefix("PASS"), "\(passed.stdout)")
  }

  @Test("What coturn answers its clients, and how their sessions close, are no errors; what it cannot do is one")
  func clientsErrors() async throws {
    let project = try CommandLineProject()
    var log = "0: (1): INFO: Coturn Version Coturn-4.6.3 'Gorst'\n"
    for number in 100..<130 {
      let session = "\(number): (1): INFO: session 000000000000000\(number): "
      log += session + "realm <r> user <>: incoming packet ALLOCATE processed, error 401: Unauthorized\n"
      log += session + "realm <r> user <a>: incoming packet ALLOCATE processed, success\n"
      log += session + "closed (2nd stage), user <a> realm <r> origin <>, local 192.0.2.1:3478, "
      log += "remote 198.51.100.7:4000, reason: TLS/TCP socket buffer operation error (callback)\n"
    }
    try project.write("logs/turn.log", log)
    let healthy = try await review(project, "daily-log-review", "-p", "maxErrors=0")
    #expect(healthy.stdout.hasPrefix("PASS"), "\(healthy.stdout)")
    log += """
      140: (1): ERROR: cannot find certificate file: turn.pem (1)
      140: (1): ERROR: socket: Protocol not supported
      140: (1): ERROR: Cannot bind local socket to addr: Address already in use

      """
    try project.write("logs/turn.log", log)
    let broken = try await review(project, "daily-log-review", "-p", "maxErrors=2")
    #expect(broken.stdout.hasPrefix("WARN"), "\(broken.stdout)")
    #expect(broken.stdout.contains("output.matches['errors'].count = 3"), "\(broken.stdout)")
  }
}
