import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// The runbook `weekly-cert-expiry` of this repository, as cron starts it, on openssl's own servers.
@Suite(.serialized) struct WeeklyCertExpiryTests {
  private let chains: CertificateChains
  private static let shared = Result { try makeChains() }

  init() throws { chains = try Self.shared.get() }

  private static func makeChains() throws -> CertificateChains {
    let chains = try CertificateChains()
    try chains.make("root", .authority, days: 3650)
    try chains.make("intermediate", .authority, by: "root", days: 1000)
    for (name, days) in [("good", 90), ("soon", 20), ("ending", 5), ("renewed", 91)] {
      try chains.make(name, .server("IP:127.0.0.1,DNS:turn.test"), by: "intermediate", days: days)
      try chains.join("\(name)-chain.pem", ["\(name).pem", "intermediate.pem"])
      try chains.write(chains.read("\(name).key"), to: "\(name).key", mode: 0o600)
    }
    return chains
  }

  private func serve(_ name: String) throws -> OpenSSLServer {
    try OpenSSLServer(
      ["-cert", "\(name).pem", "-key", "\(name).key", "-cert_chain", "intermediate.pem"], in: chains.path)
  }

  private func project(_ targets: [String: String]) throws -> CommandLineProject {
    let project = try CommandLineProject()
    try project.write(
      "runbook.yaml",
      "project: test\ntargets:\n"
        + targets.sorted { $0.key < $1.key }.map {
          "  \($0.key): {server: '\($0.value)', ca: \(chains.file("root.pem"))}\n"
        }
        .joined())
    return project
  }

  private func uri(_ server: OpenSSLServer) -> String { "turns:127.0.0.1:\(server.port)" }

  @Test(
    "Over all targets it fails for the one that is about to end, names it and its certificate, and passes the other")
  func severalTargets() async throws {
    let (good, ending) = (try serve("good"), try serve("ending"))
    let project = try project(["frankfurt": uri(good), "oslo": uri(ending)])
    let run = try await project.runbook("run", "weekly-cert-expiry", "--target", "all")
    #expect(run.status == 1, "\(run.stdout)\(run.stderr)")
    #expect(run.stdout.contains("FAIL  on oslo") && !run.stdout.contains("FAIL  on frankfurt"), "\(run.stdout)")
    let alone = try await project.runbook("run", "weekly-cert-expiry", "--target", "oslo")
    #expect(alone.status == 1)
    #expect(alone.stdout.contains("the certificate ends too soon: CN=ending"), "\(alone.stdout)")

    let json = try await project.runbook("run", "weekly-cert-expiry", "--target", "all", "--format", "json")
    #expect(json.status == 1)
    let outcomes = try json.json["children"]?.array?.map { ($0["target"]?.string, $0["outcome"]?.string) } ?? []
    #expect(outcomes.contains { $0 == ("frankfurt", "pass") }, "\(json.stdout)")
    #expect(outcomes.contains { $0 == ("oslo", "fail") }, "\(json.stdout)")

    // As cron mails it: only what did not pass.
    let quiet = try await project.runbook("run", "weekly-cert-expiry", "--target", "frankfurt", "--quiet")
    #expect(quiet.status == 0)
    #expect(quiet.stdout == "" && quiet.stderr == "", "\(quiet.stdout)\(quiet.stderr)")
    let lenient = try await project.runbook(
      "run", "weekly-cert-expiry", "--target", "oslo", "-p", "minDays=3", "-p", "warnDays=4")
    #expect(lenient.status == 0, "\(lenient.stdout)")
    withExtendedLifetime((good, ending)) {}
  }

  @Test("Fewer than 21 days are a warning; a wrong name, and a server that does not answer, fail")
  func otherOutcomes() async throws {
    let soon = try serve("soon")
    let project = try project(["oslo": uri(soon), "gone": "turns:127.0.0.1:9"])
    let warned = try await project.runbook("run", "weekly-cert-expiry", "--target", "oslo")
    #expect(warned.status == 0, "\(warned.stdout)")
    #expect(warned.stdout.contains("the certificate ends soon, renew it: CN=soon"), "\(warned.stdout)")
    let named = try await project.runbook(
      "run", "weekly-cert-expiry", "--target", "oslo", "-p", "names=[turn.test, stun.test]")
    #expect(named.status == 1)
    #expect(named.stdout.contains("is not for stun.test"), "\(named.stdout)")
    let gone = try await project.runbook("run", "weekly-cert-expiry", "--target", "gone")
    #expect(gone.status == 1)
    #expect(gone.stdout.contains("tcp.connectionRefused"), "\(gone.stdout)")
    withExtendedLifetime(soon) {}
  }

  @Test(
    "A certificate that ended two hours ago has -1 days left in every time zone",
    arguments: ["America/Los_Angeles", "Asia/Tokyo"])
  func timeZones(zone: String) async throws {
    try chains.make("late", .server("IP:127.0.0.1"), by: "root", start: "-26h", days: 1)
    let late = try OpenSSLServer(["-cert", "late.pem", "-key", "late.key"], in: chains.path)
    let project = try project(["oslo": uri(late)])
    let look = try await project.runbook(
      ["probe", "tls.certificate", "--target", "oslo", "--format", "json"], environment: ["TZ": zone])
    #expect(look.status == 1, "\(look.stdout)\(look.stderr)")
    #expect(try look.json["error"]?["code"] == "tls.expired", "\(look.stdout)")
    #expect(try look.json["output"]?["daysLeft"] == .int(-1), "\(look.stdout)")
    let message = try look.json["error"]?["message"]?.string ?? ""
    #expect(message.contains("UTC, 2 hours ago"), "\(message)")
    withExtendedLifetime(late) {}
  }

  @Test("A target without TLS stops the run before it begins, and says where its TLS port is written")
  func withoutTLS() async throws {
    let good = try serve("good")
    let project = try project(["frankfurt": uri(good), "plain": "turn:127.0.0.1:3478"])
    let run = try await project.runbook("run", "weekly-cert-expiry", "--target", "all")
    #expect(run.status == 2, "\(run.stdout)")
    #expect(run.stderr.contains("tlsServer"), "\(run.stderr)")
    withExtendedLifetime(good) {}
  }

  @Test("With the files of the host it shows a key that the service cannot read, and a renewed file that is not served")
  func files() async throws {
    let good = try serve("good")
    let project = try project(["frankfurt": uri(good)])
    func run(_ name: String, _ user: String) async throws -> CommandLineProject.Output {
      try await project.runbook(
        "run", "weekly-cert-expiry", "--target", "all", "-p", "certificate=\(chains.file("\(name)-chain.pem"))",
        "-p", "key=\(chains.file("\(name).key"))", "-p", "user=\(user)")
    }
    let fine = try await run("good", "\(getuid())")
    #expect(fine.status == 0, "\(fine.stdout)")
    #expect(fine.stdout.contains("all 3 steps passed"), "\(fine.stdout)")
    let unreadable = try await run("good", "54321")
    #expect(unreadable.status == 1)
    #expect(unreadable.stdout.contains("tls.fileUnreadableByService"), "\(unreadable.stdout)")
    // The report breaks its lines where a path ends, be it long or short.
    let words = unreadable.stdout.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    #expect(words.contains("/good.key: it may not read"), "\(unreadable.stdout)")
    let stale = try await run("renewed", "\(getuid())")
    #expect(stale.status == 1)
    #expect(stale.stdout.contains("tls.fileNotServed"), "\(stale.stdout)")
    withExtendedLifetime(good) {}
  }

  @Test(
    "Every address of a name is asked: the one that ends first counts, and one that does not answer fails",
    .enabled(if: TestNetwork.isPermitted, "needs a network namespace"))
  func everyAddress() async throws {
    let project = try CommandLineProject()
    try project.write("hosts", "192.0.2.2 turn.test\n192.0.2.3 turn.test\n192.0.2.4 turn.test\n")
    let script = """
      ip link set lo up
      for last in 2 3 4; do ip address add 192.0.2.$last/32 dev lo; done
      mount --bind hosts /etc/hosts
      cd "$2"
      # s_server ends with its input.
      mkfifo "$3/input"
      exec 9<>"$3/input"
      openssl s_server -accept 192.0.2.2:5349 -cert good.pem -key good.key -cert_chain intermediate.pem <&9 >&2 &
      first=$!
      openssl s_server -accept 192.0.2.3:5349 -cert ending.pem -key ending.key -cert_chain intermediate.pem <&9 >&2 &
      second=$!
      for try in $(seq 600); do
        [ "$(ss -Htln 'sport = 5349' | wc -l)" = 2 ] && break
        sleep 0.05
      done
      cd "$3"
      status=0
      "$1" probe tls.certificate turns:turn.test:5349 --format json $4 || status=$?
      kill $first $second
      rm "$3/input"
      exit $status
      """
    func probe(_ more: String) async throws -> CommandLineProject.Output {
      var command = TestNetwork.shell(
        script, [CommandLineProject.executable, chains.path, project.root, more], isMounting: true)
      command.directory = project.root
      command.environment = ["TURN_CA": chains.file("root.pem")]
      command.timeout = .seconds(90)
      return project.output(of: try await command.run())
    }
    let every = try await probe("")
    #expect(every.status == 1, "\(every.stdout)\(every.stderr)")
    let output = try #require(try every.json["output"], "\(every.stdout)")
    #expect(output["daysLeft"] == .int(4), "\(every.stdout)")
    let addresses = output["addresses"]?.array ?? []
    #expect(addresses.map { $0["address"]?.string } == ["192.0.2.2:5349", "192.0.2.3:5349", "192.0.2.4:5349"])
    #expect(addresses.map { $0["daysLeft"] ?? .null } == [.int(89), .int(4), .null])
    #expect(try every.json["error"]?["code"] == "tcp.connectionRefused", "\(every.stdout)")
    let one = try await probe("-p addresses=one")
    #expect(one.status == 0, "\(one.stdout)\(one.stderr)")
    #expect(try one.json["output"]?["daysLeft"] == .int(89), "\(one.stdout)")
  }
}
