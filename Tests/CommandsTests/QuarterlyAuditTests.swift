import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// The runbook `quarterly-security-audit` of this repository as a whole, beside a real server.
@Suite(.serialized) struct QuarterlyAuditTests {
  private func audit(
    _ coturn: Coturn, _ project: CommandLineProject, configuration: String
  ) async throws -> CommandLineProject.Output {
    try await project.runbook(
      [
        "run", "quarterly-security-audit", "--format", "json", "-p", "configuration=\(configuration)", "-p",
        "log=\(coturn.logFile)", "-p", "logs=[\(coturn.logFile)]", "-p", "user=root", "-p", "database=false",
      ],
      environment: coturn.environment.merging(
        ["TURN_TLS_SERVER": "turns:127.0.0.1:\(try #require(coturn.tlsPort))"]) { $1 })
  }

  @Test("Beside a server with configuration, log and TLS every part is looked at, and says what is wrong with this one")
  func whole() async throws {
    let coturn = try await Coturn.start()
    let project = try CommandLineProject()
    let folder = URL(filePath: coturn.logFile).deletingLastPathComponent().path
    let output = try await audit(coturn, project, configuration: "\(folder)/turnserver.conf")
    #expect(output.status == 1, "\(output.stderr)")
    let report = try output.json
    func step(_ name: String) throws -> JSON { try #require(report.step(name), "\(name): \(output.stdout)") }
    let configuration = try step("configuration/audit")
    #expect(
      configuration["outcome"] == "fail" && configuration["error"]?["code"] == "coturn.configurationRisky",
      "\(configuration)")
    let found = configuration["output"]?["findings"]?.array?.compactMap { $0["code"]?.string } ?? []
    #expect(found.contains("coturn.loopbackPeers"), "\(found)")
    for name in ["version/version", "credentials", "certificate/certificate", "ciphers", "logins/log"] {
      let found = try step(name)
      #expect(["pass", "warn"].contains(found["outcome"]?.string), "\(name): \(found)")
    }
    let version = try step("version/version")
    #expect(version["output"]?["version"] == "4.6.1" && version["output"]?["log"] != .null, "\(version)")
    // Its sessions are those of this audit, of which some are refused on purpose.
    let opened = try step("sessions/log")["output"]?["sessions"]?["opened"]?.int
    #expect(opened ?? 0 >= 5)
    // It lets clients reach its own host.
    let relay = try step("relay")
    #expect(relay["error"]?["code"] == "turn.relaysToForbiddenPeer", "\(relay)")
    #expect(try step("users")["outcome"] == "skipped")
    #expect(!output.stdout.contains(Coturn.credential))
  }

  @Test("With --lab this host's own configuration, version and users are left out, and what is named is looked at")
  func lab() async throws {
    let project = try CommandLineProject()
    let chosen = ["configuration", "version", "users", "credentials"].flatMap { ["--only", $0] }
    let command = ["run", "quarterly-security-audit", "--lab", "--format", "json"] + chosen
    let output = try await project.runbook(command, environment: [:])
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    let report = try output.json
    for name in ["configuration", "version", "users"] {
      #expect(report.step(name)?["outcome"] == "skipped", "\(name): \(output.stdout)")
    }
    #expect(["pass", "warn"].contains(report.step("credentials")?["outcome"]?.string))
    try project.write("turnserver.conf", "no-auth\n")
    let named = try await project.runbook(
      command + ["-p", "configuration=\(project.root)/turnserver.conf", "-p", "version=4.6.1", "-p", "database=false"],
      environment: [:])
    #expect(named.status == 1)
    #expect(try named.json.step("configuration/audit")?["outcome"] == "fail", "\(named.stdout)")
  }
}
