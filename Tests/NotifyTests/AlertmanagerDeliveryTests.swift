import Foundation
import Journal
import Notices
import Schema
import TestSupport
import Testing

@testable import Notify

/// Against the real Alertmanager of Debian.
@Suite struct AlertmanagerDeliveryTests {
  private func channel(_ url: String, _ change: (inout Channel.Alertmanager) -> Void = { _ in }) -> Channel {
    var alertmanager = Channel.Alertmanager(url: url, labels: ["team": "turn"])
    change(&alertmanager)
    return Channel(name: "alerts", level: .info, isCopy: false, kind: .alertmanager(alertmanager))
  }

  /// A notice of now, because Alertmanager compares the end of an alert with its own clock.
  private func notice(
    _ status: OutgoingNotice.Status = .firing, step: String? = nil, stands: Bool = true
  ) throws -> OutgoingNotice {
    let now = Moment.now().wall
    return OutgoingNotice(
      key: "key", level: .critical, status: status, title: "daily-health fails on eu", text: "lost\npackets",
      look: "the relay range", since: now.earlier(by: .seconds(600)), time: now,
      origin: OutgoingNotice.Provenance(
        run: "RUN1", runbook: "daily-health", target: "eu", step: step, host: "ops1", project: "/srv/ops"),
      stands: stands)
  }

  private func alerts(_ server: AlertmanagerServer) throws -> [JSON] {
    try JSON(parsing: server.alerts()).array ?? []
  }

  private func moment(_ json: JSON?) throws -> Timestamp { try #require(json?.string.flatMap { Timestamp($0) }) }

  @Test(
    "An alert is there with its labels, its texts and its times, and is over when its end is told, with the same labels"
  )
  func fires() async throws {
    let server = try AlertmanagerServer()
    let firing = try notice()
    let delivery = try await deliver(channel(server.url + "/"), firing)
    #expect(delivery.isDelivered && delivery.answer?.hasPrefix("200") == true, "\(delivery)")
    let alert = try #require(try alerts(server).first)
    #expect(
      alert["labels"] == [
        "alertname": "daily-health", "host": "ops1", "runbook": "daily-health", "severity": "critical", "target": "eu",
        "team": "turn",
      ])
    let annotations = try #require(alert["annotations"])
    #expect(annotations["summary"] == "daily-health fails on eu" && annotations["description"] == "lost\npackets")
    #expect(annotations["look"] == "the relay range" && annotations["run"] == "RUN1")
    #expect(annotations["command"] == "runbook report RUN1 --project /srv/ops")
    let (start, since) = (try moment(alert["startsAt"]), try #require(firing.since))
    #expect(max(start.duration(since: since), since.duration(since: start)) < .seconds(1))
    #expect(try moment(alert["endsAt"]).duration(since: firing.time) > .seconds(366 * 86_400))
    #expect(try await deliver(channel(server.url), notice(.resolved)).isDelivered)
    #expect(try alerts(server).isEmpty)
  }

  @Test("Those behind Alertmanager hear that it fires and that it is over, once each, however often it was sent")
  func receiver() async throws {
    let sink = try ScriptedServer(readsBody: true) { $0.send(httpResponse()) }
    let server = try AlertmanagerServer(receiver: sink.url)
    for _ in 0..<3 { #expect(try await deliver(channel(server.url), notice()).isDelivered) }
    try await heard(by: sink, ["firing"])
    for _ in 0..<2 { #expect(try await deliver(channel(server.url), notice(.resolved)).isDelivered) }
    try await heard(by: sink, ["firing", "resolved"])
  }

  private func heard(by sink: ScriptedServer, _ statuses: [String]) async throws {
    let end = ContinuousClock.now + .seconds(30)
    func seen() -> [String] {
      sink.requests.compactMap { $0.firstMatch(of: /"status":"(\w+)"/).map { String($0.1) } }
    }
    while seen().count < statuses.count, .now < end { try await Task.sleep(for: .milliseconds(20)) }
    #expect(seen() == statuses)
  }

  @Test("Notices of two steps are two alerts, and each stands as long as the channel says")
  func steps() async throws {
    let server = try AlertmanagerServer()
    let channel = channel(server.url) { $0.lasts = .seconds(7200) }
    for step in ["disk", "memory"] {
      #expect(try await deliver(channel, notice(step: step, stands: false)).isDelivered)
    }
    let alerts = try alerts(server)
    #expect(Set(alerts.map { $0["labels"]?["step"]?.string }) == ["disk", "memory"])
    for alert in alerts {
      let left = try moment(alert["endsAt"]).duration(since: Moment.now().wall)
      #expect(left > .seconds(7000) && left <= .seconds(7200))
    }
  }

  @Test("A label that Alertmanager does not take is told with its words")
  func refused() async throws {
    let server = try AlertmanagerServer()
    let delivery = try await deliver(channel(server.url) { $0.labels = ["a b": "c"] }, notice())
    #expect(delivery.finding?.code == "notify.refused" && delivery.tries == 1)
    #expect(delivery.answer?.contains("a b") == true, "\(delivery)")
    #expect(try alerts(server).isEmpty)
  }

  @Test("Where it asks for a password only the right one counts, and it stands nowhere")
  func password() async throws {
    // Of "right-password", with the fewest rounds.
    let server = try AlertmanagerServer(passwordHash: Self.hash)
    for (password, isRight) in [("wrong-password", false), ("right-password", true)] {
      let channel = channel(server.url) { ($0.username, $0.password) = ("runbook", Secret(password)) }
      let delivery = try await deliver(channel, notice())
      #expect(delivery.isDelivered == isRight)
      #expect(isRight || delivery.finding?.message.contains("answered 401") == true)
      #expect(!"\(delivery)".contains(password))
    }
  }

  private static let hash = "$2b$04$abcdefghijklmnopqrstuuS80hwFD6gSIL20SCUGvmL7S939BjOHW"

  @Test("What a server repeats of the password is masked, be it as it was sent")
  func masked() async throws {
    let server = try ScriptedServer { connection in
      let sent = connection.request.firstMatch(of: /Basic (\S+)/).map { String($0.1) } ?? ""
      connection.send(httpResponse("403 No", body: "for \(sent)"))
    }
    let channel = channel(server.url) { ($0.username, $0.password) = ("runbook", Secret("hunter2-secret")) }
    #expect(try await deliver(channel, notice()).answer == "for ‹secret›")
  }
}
