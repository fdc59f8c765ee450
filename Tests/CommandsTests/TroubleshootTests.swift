import Lab
import Processes
import Schema
import TestSupport
import Testing

/// The runbook `troubleshoot-turn` against real servers.
@Suite(.serialized) struct TroubleshootTests {
  private func report(
    _ coturn: Coturn, credential: String = Coturn.credential, _ arguments: String..., more: [String: String] = [:]
  ) async throws -> JSON {
    let project = try CommandLineProject()
    let output = try await project.runbook(
      ["run", "troubleshoot-turn", "--format", "json", "-p", "packets=10"] + arguments,
      environment: [
        "TURN_SERVER": "turn:127.0.0.1:\(coturn.port)", "TURN_USERNAME": Coturn.username, "TURN_CREDENTIAL": credential,
      ].merging(more) { $1 })
    try #require([0, 1].contains(output.status), "\(output.stdout)\(output.stderr)")
    return try output.json
  }

  private func outcome(_ report: JSON, _ step: String) -> String? { report.step(step)?["outcome"]?.string }

  @Test("A target alone is enough: every cause but those of the host is looked at")
  func target() async throws {
    let report = try await report(try await Coturn.start())
    for step in ["connectivity", "credentials", "relay", "latency", "ports"] {
      #expect(["pass", "warn"].contains(outcome(report, step)), "\(step): \(report)")
    }
    for step in ["bothEnds", "version", "log"] { #expect(outcome(report, step) == "skipped", "\(step)") }
  }

  @Test("Over TLS and DTLS the target's tlsServer is asked, though its host is written otherwise than the server's")
  func secureTransports() async throws {
    let coturn = try await Coturn.start()
    let report = try await report(
      coturn, "-p", "transports=[udp, tls, dtls]",
      more: ["TURN_TLS_SERVER": "turns:localhost:\(try #require(coturn.tlsPort))", "TURN_CA": coturn.authority])
    for element in 0..<3 {
      let step = "transports[\(element)]/allocation"
      #expect(["pass", "warn"].contains(outcome(report, step)), "\(step): \(report)")
    }
  }

  @Test("With the log a wrong password is told from an unknown user, and what follows from it is not looked at")
  func credentials() async throws {
    let coturn = try await Coturn.start()
    let report = try await report(
      coturn, credential: "hush-hush-hush", "-p", "log=\(coturn.logFile)", "-p", "maxFailures=0")
    #expect(outcome(report, "connectivity") == "pass")
    #expect(outcome(report, "credentials") == "fail" && outcome(report, "bothEnds") == "fail")
    #expect(
      report.step("bothEnds")?["error"]?["message"]?.string?.contains("the password is wrong") == true, "\(report)")
    for step in ["relay", "address", "ports"] { #expect(outcome(report, step) == "skipped", "\(step)") }
    #expect(!report.text().contains("hush-hush-hush"))
    #expect(outcome(report, "log") == "warn" && outcome(report, "bothEndsOfUnit") == "skipped", "\(report)")
    #expect(report.text().contains(" for the password, 0 unknown or expired"), "\(report)")
  }

  @Test("The log names each cause with its evidence, and a quiet one passes")
  func log() async throws {
    let quiet = try await Coturn.start()
    let passed = try await report(quiet, "-p", "log=\(quiet.logFile)")
    #expect(outcome(passed, "bothEnds") == "pass" && outcome(passed, "log") == "pass", "\(passed)")
    let denying = try await Coturn.start { $0.directives = ["denied-peer-ip=127.0.0.0-127.255.255.255"] }
    let refused = try await report(denying, "-p", "log=\(denying.logFile)")
    #expect(outcome(refused, "bothEnds") == "fail" && outcome(refused, "log") == "warn", "\(refused)")
    #expect(
      refused.text().contains("Peers: clients asked for 127.0.0.1 (127.0.0.0-127.255.255.255)"), "\(refused)")
  }
}
