import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

/// Outages of a coturn in a container of a real Docker engine, met by `p1-outage`.
@Suite(.serialized) struct DockerOutageTests {
  private let project: CommandLineProject
  private let lab: DockerLab

  init() throws {
    project = try CommandLineProject()
    lab = try DockerLab.engine()
  }

  private func respond(
    to container: LabContainer, port: UInt16, watch: String = "1s", _ more: [String] = [],
    environment: [String: String] = [:]
  ) async throws -> (status: Int32, report: JSON) {
    let output = try await project.runbook(
      ["run", "p1-outage", "--format", "json", "-p", "container=\(container.name)", "-p", "watch=\(watch)"] + more,
      environment: self.environment(port).merging(environment) { $1 })
    try #require([0, 1, 3].contains(output.status), "\(output.stdout)\(output.stderr)")
    return (output.status, try output.json)
  }

  private func environment(_ port: UInt16) -> [String: String] {
    [
      "TURN_SERVER": "turn:127.0.0.1:\(port)", "TURN_USERNAME": Coturn.username, "TURN_CREDENTIAL": Coturn.credential,
      "DOCKER_HOST": lab.engine,
    ]
  }

  /// That of all repairs the given one alone was done, or none.
  private func expectRepair(_ report: JSON, _ done: String?) {
    for repair in ["start", "restart", "startContainer", "restartContainer", "agree", "endOthers", "reload"] {
      let came = report.step("repair/\(repair)")?["outcome"]?.string
      if repair == done {
        #expect(["pass", "warn"].contains(came), "\(repair): \(report)")
      } else {
        #expect(came == nil || came == "skipped", "\(repair): \(report)")
      }
    }
  }

  private func expectRecovery(_ response: (status: Int32, report: JSON), by repair: String) {
    #expect(response.status == 0, "\(response.report)")
    let hypothesis = response.report["hypothesis"]?.array ?? []
    #expect(hypothesis.first { $0["stage"] == "before" }?["outcome"] == "fail", "\(hypothesis)")
    #expect(hypothesis.first { $0["stage"] == "after" }?["outcome"] == "pass", "\(hypothesis)")
    expectRepair(response.report, repair)
  }

  private func wait(_ container: LabContainer, until state: String) async throws {
    for _ in 0..<300 where try container.field("{{.State.Status}}") != state {
      try await Task.sleep(for: .milliseconds(50))
    }
    try #require(try container.field("{{.State.Status}}") == state)
  }

  @Test("A container that docker kill ended is started")
  func killed() async throws {
    let container = try lab.coturn()
    try lab.run(["kill", container.name])
    try await wait(container, until: "exited")
    expectRecovery(try await respond(to: container, port: container.port), by: "startContainer")
  }

  @Test("A container whose process the kernel ended is started; one that Docker started again is left alone")
  func killedByTheKernel() async throws {
    let container = try lab.coturn()
    kill(try container.pid, SIGKILL)
    try await wait(container, until: "exited")
    expectRecovery(try await respond(to: container, port: container.port), by: "startContainer")

    let always = try lab.coturn(options: ["--restart", "always"])
    let before = try always.pid
    kill(before, SIGKILL)
    for _ in 0..<300 where try [0, before].contains(always.pid) { try await Task.sleep(for: .milliseconds(50)) }
    try #require(always.answers(within: .seconds(20)))
    let (status, report) = try await respond(to: always, port: always.port)
    #expect(status == 0, "\(report)")
    expectRepair(report, nil)
  }

  @Test("A container whose memory ran out is started, and the run says that it will happen again")
  func outOfMemory() async throws {
    let container = try lab.coturn(options: ["--memory", "48m", "--memory-swap", "48m", "--shm-size", "256m"])
    // What lies in /dev/shm is memory of the container, and of none of its processes: the kernel ends them one after the other.
    try lab.run(
      ["exec", container.name, "sh", "-c", "head -c 200000000 /dev/zero > /dev/shm/fill"], allowsFailure: true)
    try await wait(container, until: "exited")
    try #require(try container.field("{{.State.OOMKilled}}") == "true")
    let response = try await respond(to: container, port: container.port)
    expectRecovery(response, by: "startContainer")
    #expect(response.report.text().contains("memory ran out"), "\(response.report)")
  }

  @Test("A container whose server hangs is restarted")
  func hung() async throws {
    let container = try lab.coturn()
    kill(try container.pid, SIGSTOP)
    expectRecovery(try await respond(to: container, port: container.port), by: "restartContainer")
  }

  @Test(
    "A container that crashes again and again, one that is paused and one that only its health check calls ill are told, and left alone"
  )
  func told() async throws {
    let crashing = try lab.container(
      options: ["--restart", "always"], command: ["/bin/sh", "-c", "sleep 1; exit 1"])
    let flapping = try await respond(to: crashing, port: try freePort(), watch: "5s")
    #expect(flapping.status == 1 && flapping.report.text().contains("ends again and again"), "\(flapping.report)")
    expectRepair(flapping.report, nil)

    let container = try lab.coturn(options: [
      "--health-cmd", "false", "--health-interval", "1s", "--health-retries", "1",
    ])
    for _ in 0..<300 where try container.field("{{.State.Health.Status}}") != "unhealthy" {
      try await Task.sleep(for: .milliseconds(100))
    }
    let unhealthy = try await respond(to: container, port: container.port)
    #expect(
      unhealthy.status == 1 && unhealthy.report.text().contains("health check says unhealthy"), "\(unhealthy.report)")
    expectRepair(unhealthy.report, nil)

    try lab.run(["pause", container.name])
    let paused = try await respond(to: container, port: container.port)
    try lab.run(["unpause", container.name])
    #expect(paused.status == 1 && paused.report.text().contains("docker unpause"), "\(paused.report)")
    expectRepair(paused.report, nil)
  }

  @Test("A certificate that was renewed behind a mount of the file alone is told with what to do, and no call is ended")
  func staleMount() async throws {
    let chains = try CertificateChains()
    try chains.make("authority", .authority, start: "-40d", days: 100)
    try chains.make("live", .server("IP:127.0.0.1"), by: "authority", start: "-30d", days: 20)
    try chains.make("new", .server("IP:127.0.0.1"), by: "authority", key: "live")
    let port = try freePort()
    let container = try lab.coturn(
      options: ["-v", "\(chains.file("live.pem")):/cert.pem:ro", "-v", "\(chains.file("live.key")):/key.pem:ro"],
      directives: ["--tls-listening-port", "\(port)", "--cert", "/cert.pem", "--pkey", "/key.pem"], hasTLS: true)
    let before = try container.pid
    // As certbot and most others do: the new file takes the name of the old one.
    #expect(rename(chains.file("new.pem"), chains.file("live.pem")) == 0)
    let (status, report) = try await respond(
      to: container, port: container.port, ["-p", "certificate=\(chains.file("live.pem"))"],
      environment: ["TURN_TLS_SERVER": "turns:127.0.0.1:\(port)", "TURN_CA": chains.file("authority.pem")])
    #expect(status == 1 && report.text().contains("the file is mounted by itself"), "\(report)")
    expectRepair(report, nil)
    #expect(try container.pid == before)
  }

  @Test("A container whose image is gone is started all the same, and the run says that it cannot be made anew")
  func imageGone() async throws {
    let image = "\(lab.uniqueName("gone")):lab"
    try lab.run(["tag", DockerLab.image, image])
    let container = try lab.coturn(image: image)
    try lab.run(["kill", container.name])
    try await wait(container, until: "exited")
    try lab.run(["rmi", "-f", image])
    let response = try await respond(to: container, port: container.port)
    expectRecovery(response, by: "startContainer")
    #expect(response.report.text().contains("\(image) is gone from the engine"), "\(response.report)")
  }

  /// A service of Compose on the host's network, and `p2-degradation` played on it.
  private struct Degradation {
    let tests: DockerOutageTests
    let port: UInt16
    let compose: LabComposeProject
    let container: String

    init(_ tests: DockerOutageTests) throws {
      self.tests = tests
      port = try freePort()
      let command = DockerLab.turnserver(port: port).map { "\"\($0)\"" }.joined(separator: ", ")
      compose = try LabComposeProject(tests.lab, service: "command: [\(command)]", network: "host")
      try #require(stunBinding(port: port, within: .seconds(20)))
      container = try #require(try compose.containerNames.first)
      // The machine of the tests may have anything to do: here neither its use nor what else it lacks is judged.
      let check = "checks/service-resources.yaml"
      let lenient = try tests.project.read(check).replacing("default: 95%", with: "default: 1000%")
      try tests.project.write(check, lenient)
    }

    /// Every container counts as busy, and the host never does.
    ///
    /// - Parameter way: the port at which the server is asked.
    func respond(by way: UInt16? = nil, _ more: String...) async throws -> (status: Int32, report: JSON) {
      let output = try await tests.project.runbook(
        [
          "run", "p2-degradation", "--format", "json", "-p", "container=\(container)", "-p", "port=\(port)", "-p",
          "packets=20", "-p", "window=200ms", "-p", "scaleFrom=0%", "-p", "busyFrom=101%",
        ] + more.flatMap { ["-p", $0] }, environment: tests.environment(way ?? port))
      try #require([0, 1].contains(output.status), "\(output.stdout)\(output.stderr)")
      return (output.status, try output.json)
    }
  }

  private func outcome(_ report: JSON, _ step: String) -> String? { report.step(step)?["outcome"]?.string }

  private func verdict(_ report: JSON, _ stage: JSON) -> JSON? {
    report["hypothesis"]?.array?.first { $0["stage"] == stage }?["verdict"]
  }

  @Test(
    "A busy container gets a second one if a person agrees and the probes pass; else it is removed, or the run says why not"
  )
  func degradation() async throws {
    let degradation = try Degradation(self)
    let (_, refused) = try await degradation.respond()
    #expect(outcome(refused, "fits") == "warn" && outcome(refused, "scale") == "skipped", "\(refused)")
    #expect(refused.text().contains("this one is on the host's network"), "\(refused)")
    #expect(try degradation.compose.containers.count == 1)

    // Nobody is served within a microsecond.
    async let agreed: Void = project.agree("agree", run: 2, tries: 600)
    let (failed, undone) = try await degradation.respond("dividesClients=true", "maxRtt=1us")
    try await agreed
    #expect(failed == 1 && outcome(undone, "scale") == "pass", "\(undone)")
    #expect(verdict(undone, "after") == "broken", "\(undone)")
    #expect(outcome(undone, "undo:scale/back") == "pass", "\(undone)")
    #expect(try degradation.compose.containers.count == 1)

    async let again: Void = project.agree("agree", run: 3, tries: 600)
    let (passed, scaled) = try await degradation.respond("dividesClients=true")
    try await again
    #expect(passed == 0 && outcome(scaled, "scale") == "pass", "\(scaled)")
    #expect(verdict(scaled, "after") == "holds", "\(scaled)")
    #expect(try degradation.compose.containers.count == 2)
  }

  @Test("What clients noticed does not count once a second container has repaired it; it does if nothing was repaired")
  func repairedDegradation() async throws {
    let degradation = try Degradation(self)
    let slow = ["slowRtt=100ms", "maxRtt=200ms"]

    // It is gone by itself after the first look.
    var way = try SlowWay(to: degradation.port, slower: .milliseconds(400))
    let (failed, vanished) = try await degradation.respond(by: way.port, slow[0], slow[1])
    #expect(failed == 1 && outcome(vanished, "before:stun") == "fail", "\(vanished)")
    #expect(outcome(vanished, "scale") == "skipped" && outcome(vanished, "verify/answers") == "fail", "\(vanished)")
    #expect(vanished.text().contains("nothing was repaired since"), "\(vanished)")

    way = try SlowWay(to: degradation.port, slower: .milliseconds(400))
    async let agreed: Void = project.agree("agree", run: 2, tries: 600)
    let (passed, repaired) = try await degradation.respond(by: way.port, "dividesClients=true", slow[0], slow[1])
    try await agreed
    #expect(passed == 0 && outcome(repaired, "before:stun") == "fail", "\(repaired)")
    #expect(verdict(repaired, "before") == "broken" && verdict(repaired, "after") == "holds", "\(repaired)")
    #expect(repaired["outcome"] == "warn", "\(repaired)")
    guard case .double(let milliseconds) = repaired["incident"]?["restoredAfterMs"] else {
      Issue.record("it was not restored: \(repaired["incident"] ?? .null)")
      return
    }
    #expect(milliseconds > 400)
    #expect(repaired["incident"]?["done"]?.array?.contains("scale") == true, "\(repaired)")
    #expect(try degradation.compose.containers.count == 2)
  }

  @Test(
    "The check for updates asks the registry for the container's image, and the log of a container tells who is refused"
  )
  func others() async throws {
    let container = try lab.coturn()
    let update = try await project.runbook(
      ["run", "monthly-update-check", "--format", "json", "-p", "container=\(container.name)"],
      environment: environment(container.port))
    let report = try update.json
    // The image was made here, so that no registry has another.
    #expect(update.status == 3 && report.text().contains("docker.imageNotPulled"), "\(update.stdout)")
    for step in ["program", "advisories", "applied"] {
      #expect(["pass", "warn"].contains(report.step(step)?["outcome"]?.string), "\(step): \(report)")
    }
    for step in ["versions", "installed"] {
      #expect(report.step(step)?["outcome"]?.string == "skipped", "\(step): \(report)")
    }
    let rate = try await project.runbook(
      ["run", "p2-error-rate", "--format", "json", "-p", "container=\(container.name)"],
      environment: environment(container.port).merging(["TURN_CREDENTIAL": "wrong-horse"]) { $1 })
    #expect(rate.status == 1, "\(rate.stdout)")
    #expect(try rate.json.text().contains("Refused, by user: alice "), "\(rate.stdout)")
  }
}
