import Foundation
import Testing

/// The checks and the runbook that stand on coturn's log, of this repository.
@Suite struct CoturnCheckTests {
  private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func run(_ name: String, _ project: CommandLineProject, _ more: String...) async throws
    -> CommandLineProject.Output
  {
    try await project.runbook(
      ["--project", Self.repository, "run", name, "-p", "files=[\(project.root)/turn.log]"] + more,
      environment: ["RUNBOOK_STATE": project.root + "/state"])
  }

  private static let id = "session 000000000000000001: "
  private static let served = "1: (1): INFO: \(id)realm <r> user <a>: incoming packet ALLOCATE processed, success\n"

  /// Log-ins that one address failed with, in a session that closed.
  private static func failures(_ count: Int) -> String {
    let failure = """
      2: (1): ERROR: session 000000000000000002: check_stun_auth: user bob credentials are incorrect
      2: (1): INFO: session 000000000000000002: realm <r> user <bob>: incoming packet message processed, error 401: Unauthorized

      """
    return String(repeating: failure, count: count)
      + "3: (1): INFO: session 000000000000000002: closed (2nd stage), user <bob> realm <r> origin <>, "
      + "local 192.0.2.1:3478, remote 198.51.100.7:4000, reason: allocation timeout\n"
  }

  private static let banner = "0: (1): INFO: Coturn Version Coturn-4.6.3 'Gorst'\n"

  @Test("coturn-auth passes, warns and fails by its thresholds, and names the addresses")
  func authentication() async throws {
    let project = try CommandLineProject()
    let many = String(repeating: Self.served, count: 100)
    try project.write("turn.log", Self.banner + many + Self.failures(5))
    let passed = try await run("checks/coturn-auth", project)
    #expect(passed.status == 0 && !passed.stdout.contains("WARN"), "\(passed.stdout)")
    try project.write("turn.log", Self.banner + many + Self.failures(6))
    let warned = try await run("checks/coturn-auth", project)
    #expect(warned.status == 0 && warned.stdout.contains("198.51.100.7 failed to log in"), "\(warned.stdout)")
    let failed = try await run("checks/coturn-auth", project, "-p", "failuresFail=5")
    #expect(failed.status == 1 && failed.stdout.contains("6 log-ins were refused"), "\(failed.stdout)")
  }

  @Test("coturn-sessions fails if few get an allocation, and says if that is not known")
  func sessions() async throws {
    let project = try CommandLineProject()
    let refusal =
      "1: (1): INFO: \(Self.id)realm <r> user <a>: incoming packet ALLOCATE processed, error 508: Cannot create socket\n"
    try project.write("turn.log", Self.banner + Self.served)
    let passed = try await run("checks/coturn-sessions", project)
    #expect(passed.status == 0 && !passed.stdout.contains("WARN"), "\(passed.stdout)")
    try project.write("turn.log", Self.banner + Self.served + refusal)
    let failed = try await run("checks/coturn-sessions", project)
    #expect(failed.status == 1 && failed.stdout.contains("only 50"), "\(failed.stdout)")
    try project.write("turn.log", Self.banner)
    let unknown = try await run("checks/coturn-sessions", project)
    #expect(unknown.stdout.contains("is not known"), "\(unknown.stdout)")
  }

  @Test("weekly-security-review groups by what was refused, with users, addresses and peers")
  func securityReview() async throws {
    let project = try CommandLineProject()
    let peer = """
      4: (1): ERROR: \(Self.id)A peer IP 10.0.0.5 denied in the range: 10.0.0.0-10.255.255.255 in server 0
      4: (1): INFO: \(Self.id)realm <r> user <a>: incoming packet CREATE_PERMISSION processed, error 403: Forbidden IP
      4: (1): INFO: \(Self.id)realm <r> user <a>: incoming packet message processed, error 403: Forbidden IP

      """
    try project.write("turn.log", Self.banner + Self.failures(7) + peer)
    let quiet = try await run("weekly-security-review", project, "-p", "suspiciousFrom=100")
    #expect(quiet.status == 0 && !quiet.stdout.contains("WARN"), "\(quiet.stdout)")
    let noisy = try await run("weekly-security-review", project, "-p", "maxFailures=1", "-p", "maxPeers=1")
    let said = noisy.stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    for words in [
      "Log-ins: 7 refused, by user: bob 7.", "Log-ins refused, by address: 198.51.100.7 7.",
      "Peers: clients asked for 10.0.0.5 (10.0.0.0-10.255.255.255) 1; refused, by user: a 1.",
    ] {
      #expect(said.contains(words), "\(words): \(noisy.stdout)")
    }
    let nothing = try await project.runbook(
      "--project", Self.repository, "run", "weekly-security-review", "-p", "files=[]",
      environment: ["RUNBOOK_STATE": project.root + "/state"])
    #expect(nothing.status == 2, "\(nothing.stdout)")
  }
}
