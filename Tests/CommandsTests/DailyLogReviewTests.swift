import Foundation
import Testing

/// The runbook `daily-log-review` of this repository, on logs as they are found.
@Suite struct DailyLogReviewTests {
  private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func review(_ project: CommandLineProject) async throws -> CommandLineProject.Output {
    try await project.runbook(
      "--project", Self.repository, "run", "daily-log-review", "-p", "files=[\(project.root)/logs/*.log*]",
      environment: ["RUNBOOK_STATE": project.root + "/state"])
  }

  @Test("It passes on a quiet log, fails on a crash and on lost TLS listeners, and refuses to review nothing")
  func dailyLogReview() async throws {
    let project = try CommandLineProject()
    let nothing = try await review(project)
    #expect(nothing.status == 3)
    #expect(nothing.stdout.contains("log.noFiles"), "\(nothing.stdout)")
    try project.write("logs/turn.log.1", "0: : log file opened: /var/log/turnserver/turn.log\n")
    let quiet = try await review(project)
    #expect(quiet.status == 0, "\(quiet.stdout)")
    try project.write("logs/turn.log", "12: : cannot start TLS and DTLS listeners\n12: : segfault at 0\n")
    let broken = try await review(project)
    #expect(broken.status == 1)
    #expect(broken.stdout.contains("(coturn.tlsListenersLost)"), "\(broken.stdout)")
    #expect(broken.stdout.contains("found crash once"))
  }

  @Test("A review of neither files nor a journal is an error")
  func nothing() async throws {
    let project = try CommandLineProject()
    let review = try await project.runbook(
      "--project", Self.repository, "run", "daily-log-review", "-p", "files=[]",
      environment: ["RUNBOOK_STATE": project.root + "/state"])
    #expect(review.status == 2, "\(review.stdout)\(review.stderr)")
    #expect(review.stderr.contains("it is given neither files nor a journal"), "\(review.stderr)")
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
    #expect(review.stdout.contains("FAIL  unit  coturn's journal says"), "\(review.stdout)")
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
}
