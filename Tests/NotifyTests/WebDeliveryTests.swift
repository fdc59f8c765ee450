import Foundation
import Journal
import Notices
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Notify

func webhook(
  _ url: String, name: String = "hook", isSecret: Bool = false, token: Secret? = nil, headers: [String: String] = [:],
  timeout: Duration = .seconds(10), template: NoticeTemplate = .json
) -> Channel {
  Channel(
    name: name, level: .info, isCopy: false, timeout: timeout,
    kind: .webhook(
      Channel.Webhook(
        url: Secret(url), isURLSecret: isSecret, method: "POST", headers: headers, token: token, template: template,
        authorityFile: nil)))
}

/// Delivers with short pauses.
func deliver(
  _ channel: Channel, _ notice: OutgoingNotice? = nil, isRepetition: Bool = false,
  within time: Duration = .seconds(20)
) async throws -> NoticeDelivery {
  await Dispatcher(pauses: [.milliseconds(20), .milliseconds(40)]).deliver(
    try notice ?? sampleNotice(), to: channel, isRepetition: isRepetition, by: .now + time)
}

@Suite struct WebhookDeliveryTests {
  @Test("A webhook gets the notice as JSON, with its key and its token")
  func json() async throws {
    let server = try ScriptedServer(readsBody: true) { $0.send(httpResponse("202 Accepted", body: "thanks")) }
    let delivery = try await deliver(
      webhook("\(server.url)/hook", token: Secret("hook-token-1"), headers: ["X-A": "b"]))
    #expect(delivery.isDelivered && delivery.tries == 1)
    #expect(delivery.answer == "202 thanks")
    let request = try #require(server.requests.first)
    #expect(request.hasPrefix("POST /hook HTTP/1.1\r\n"))
    #expect(request.contains("Idempotency-Key: key\r\n") && request.contains("X-A: b\r\n"))
    #expect(request.contains("Authorization: Bearer hook-token-1\r\n"))
    let body = try JSON(parsing: String(request[try #require(request.firstRange(of: "\r\n\r\n")).upperBound...]))
    #expect(body == (try sampleNotice().json))
  }

  @Test("After 429 it is tried again, not before the time that Retry-After names, with the same key and the same words")
  func rateLimited() async throws {
    let times = Mutex<[ContinuousClock.Instant]>([])
    let server = try ScriptedServer(readsBody: true) { connection in
      let count = times.withLock {
        $0.append(.now)
        return $0.count
      }
      connection.send(count == 1 ? httpResponse("429 Too Many", ["Retry-After: 1"]) : httpResponse("200 OK"))
    }
    let delivery = try await deliver(webhook(server.url))
    #expect(delivery.isDelivered && delivery.tries == 2)
    let seen = times.withLock(\.self)
    #expect(seen[0].duration(to: seen[1]) >= .seconds(1))
    #expect(Set(server.requests).count == 1)
  }

  @Test("A Retry-After beyond the time there is leaves the notice to the next channel at once")
  func longWait() async throws {
    let server = try ScriptedServer { $0.send(httpResponse("429 Too Many", ["Retry-After: 3600"])) }
    let delivery = try await deliver(webhook(server.url))
    #expect(delivery.finding?.code == "notify.rateLimited")
    #expect(delivery.tries == 1)
  }

  @Test("500 is tried three times, then told with the answer; 400 once")
  func errors() async throws {
    let broken = try ScriptedServer { $0.send(httpResponse("500 Oops", body: "database is down")) }
    let delivery = try await deliver(webhook(broken.url))
    #expect(delivery.finding?.code == "notify.refused" && delivery.tries == 3)
    #expect(delivery.answer == "database is down")
    let wrong = try ScriptedServer { $0.send(httpResponse("400 Bad")) }
    #expect(try await deliver(webhook(wrong.url)).tries == 1)
  }

  @Test(
    "A redirect is not followed, to this host or another, whatever its status", arguments: [301, 302, 303, 307, 308])
  func redirect(status: Int) async throws {
    let other = try ScriptedServer { $0.send(httpResponse()) }
    let server = try ScriptedServer { connection in
      connection.send(httpResponse("\(status) Moved", ["Location: \(other.url)/elsewhere?token=x"]))
    }
    let delivery = try await deliver(webhook(server.url, token: Secret("hook-token-1")))
    #expect(delivery.finding?.code == "notify.redirected")
    #expect(delivery.finding?.message.contains("redirects to \(other.url), and") == true)
    #expect(other.requests.isEmpty && server.requests.count == 1)
  }

  @Test("A server that never answers is given up, one that is slow is waited for")
  func slow() async throws {
    let silent = try ScriptedServer { $0.waitUntilClosed() }
    let never = await Dispatcher(pauses: [.milliseconds(10)]).deliver(
      try sampleNotice(), to: webhook(silent.url, timeout: .seconds(1)), by: .now + .seconds(20))
    #expect(never.finding?.code == "notify.timedOut" && never.tries == 2)
    let slow = try ScriptedServer { connection in
      for byte in httpResponse(body: "late").utf8 {
        connection.send([byte])
        usleep(1000)
      }
    }
    #expect(try await deliver(webhook(slow.url)).isDelivered)
  }

  @Test("An answer of a megabyte is not taken in, and one that is no UTF-8 does no harm")
  func large() async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: String(repeating: "x", count: 1 << 20))) }
    let delivery = try await deliver(webhook(server.url))
    #expect(delivery.finding?.code == "notify.answerTooLarge" && delivery.tries == 1)
    let binary = try ScriptedServer {
      $0.send(Array("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n".utf8) + [0xFF, 0xFE, 0x1B, 0x0A])
    }
    let taken = try await deliver(webhook(binary.url))
    #expect(taken.isDelivered && taken.answer == "200 \u{FFFD}\u{FFFD}\u{FFFD}")
  }

  @Test("No secret of the channel is in what is told, be it in the answer")
  func secrets() async throws {
    let server = try ScriptedServer { connection in
      connection.send(httpResponse("403 No", body: "bad token hook-token-1 for \(connection.requestLine)"))
    }
    let channel = webhook("\(server.url)/T000/B000/secretpath", isSecret: true, token: Secret("hook-token-1"))
    let delivery = try await deliver(channel)
    #expect(delivery.answer?.contains("bad token ‹secret›") == true)
    #expect(!"\(delivery)".contains("hook-token-1"))
  }
}

/// Slack says in the body whether it took a message.
@Suite struct SlackDeliveryTests {
  private func outcome(_ response: String, token: Bool) async throws -> NoticeDelivery {
    let server = try ScriptedServer(readsBody: true) { $0.send(response) }
    let slack: Channel.Slack =
      token
      ? .token(Secret("xoxb-secret"), channel: "#ops", url: "\(server.url)/api/chat.postMessage")
      : .webhook(Secret("\(server.url)/services/T0/B0/secret"))
    let channel = Channel(name: "team", level: .info, isCopy: false, kind: .slack(slack))
    return try await deliver(channel, sampleNotice(title: "<!channel> & co"))
  }

  @Test(
    "A webhook took it if it answers 200 and ok, and not otherwise",
    arguments: [
      ("200 OK", "ok", true), ("200 OK", "ok\n", true), ("200 OK", "invalid_payload", false),
      ("200 OK", "{\"ok\":false}", false),
      ("200 OK", "", false), ("404 Not Found", "no_service", false), ("202 Accepted", "ok", false),
    ])
  func webhook(status: String, body: String, isTaken: Bool) async throws {
    let delivery = try await outcome(httpResponse(status, body: body), token: false)
    #expect(delivery.isDelivered == isTaken)
    #expect(delivery.answer == body.trimmingCharacters(in: .newlines))
  }

  @Test(
    "With a token, it took it if ok is true",
    arguments: [
      ("{\"ok\":true,\"ts\":\"1700000000.000100\"}", true), ("{\"ok\":false,\"error\":\"channel_not_found\"}", false),
      ("{\"ok\":\"true\"}", false), ("ok", false),
    ])
  func api(body: String, isTaken: Bool) async throws {
    let delivery = try await outcome(httpResponse(body: body), token: true)
    #expect(delivery.isDelivered == isTaken)
    #expect(delivery.answer == body)
    #expect(delivery.receipt == (isTaken ? "1700000000.000100" : nil))
  }

  @Test("What means something to Slack is escaped")
  func escaped() async throws {
    let server = try ScriptedServer(readsBody: true) { $0.send(httpResponse(body: "ok")) }
    let channel = Channel(name: "team", level: .info, isCopy: false, kind: .slack(.webhook(Secret(server.url))))
    #expect(try await deliver(channel, sampleNotice(title: "<!channel> & co")).isDelivered)
    let request = try #require(server.requests.first)
    #expect(request.contains("&lt;!channel&gt; &amp; co"))
    #expect(!request.contains("<!channel>"))
  }
}

@Suite struct DispatcherTests {
  private func routes(_ channels: Channel...) -> ChannelRoutes.Route { ChannelRoutes(channels).route(.critical) }

  @Test("A channel that fails falls to the next; those behind the one that took it are not told")
  func fallback() async throws {
    let broken = try ScriptedServer { $0.send(httpResponse("500 Oops")) }
    let good = try ScriptedServer { $0.send(httpResponse()) }
    let spare = try ScriptedServer { $0.send(httpResponse()) }
    let deliveries = await Dispatcher(pauses: [.milliseconds(10)]).deliver(
      try sampleNotice(),
      along: routes(webhook(broken.url, name: "a"), webhook(good.url, name: "b"), webhook(spare.url, name: "c")),
      by: .now + .seconds(20))
    #expect(deliveries.map(\.channel) == ["a", "b"])
    #expect(deliveries.map(\.isDelivered) == [false, true])
    #expect((broken.requests.count, good.requests.count, spare.requests.count) == (2, 1, 0))
  }

  @Test("A channel that never answers leaves the others their share of the time")
  func share() async throws {
    let silent = try ScriptedServer { $0.waitUntilClosed() }
    let good = try ScriptedServer { $0.send(httpResponse()) }
    let deliveries = await Dispatcher().deliver(
      try sampleNotice(), along: routes(webhook(silent.url, name: "a"), webhook(good.url, name: "b")),
      by: .now + .seconds(6))
    #expect(deliveries.map(\.isDelivered) == [false, true])
  }

  @Test("A channel that took the notice before is not told again, nor is one in its place; a copy that did not is")
  func again() async throws {
    let first = try ScriptedServer { $0.send(httpResponse()) }
    let copied = try ScriptedServer { $0.send(httpResponse()) }
    var copy = webhook(copied.url, name: "copy")
    copy.isCopy = true
    let route = routes(webhook(first.url, name: "a"), webhook(first.url, name: "b"), copy)
    let deliveries = await Dispatcher().deliver(
      try sampleNotice(), along: route, taken: ["a"], by: .now + .seconds(20))
    #expect(deliveries.map(\.channel) == ["copy"])
    #expect(first.requests.isEmpty)
  }
}

/// Many notices at the same time.
@Suite struct NoticeCrowdTests {
  /// The most of something that was seen.
  private final class Peak: Sendable {
    private let value = Mutex(0)
    var seen: Int { value.withLock(\.self) }
    func see(_ number: Int) { value.withLock { $0 = max($0, number) } }
  }

  private static func threads() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    return status.firstMatch(of: /Threads:\s+(\d+)/).flatMap { Int($0.1) } ?? .max
  }

  @Test("Of 10,000 notices at once each is delivered once, and a handful of threads is at work")
  func file() async throws {
    let folder = try TemporaryFolder()
    let channel = Channel(name: "log", level: .info, isCopy: false, kind: .file("\(folder.path)/notices.jsonl"))
    let before = Self.threads()
    let peak = Peak()
    let delivered = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<10_000 {
        group.addTask {
          let delivery = try await deliver(channel, sampleNotice(key: "\(number)"), within: .seconds(300))
          if number % 100 == 0 { peak.see(Self.threads()) }
          return delivery.isDelivered
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(delivered == 10_000)
    // A thread whose file is written ends a moment after the next one has taken its place.
    #expect(peak.seen <= before + 2 * 16 + ProcessInfo.processInfo.activeProcessorCount)
    let lines = folder.read("notices.jsonl").split(separator: "\n")
    let keys = try lines.map { try JSON(parsing: String($0))["key"]?.string }
    #expect(keys.count == 10_000 && Set(keys).count == 10_000)
  }

  @Test("A server has few connections at a time, however many notices there are")
  func server() async throws {
    let open = Mutex((now: 0, most: 0))
    let server = try ScriptedServer(readsBody: true) { connection in
      open.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      usleep(2000)
      open.withLock { $0.now -= 1 }
      connection.send(httpResponse())
    }
    let delivered = try await withThrowingTaskGroup(of: Bool.self) { group in
      for number in 0..<500 {
        group.addTask {
          try await deliver(webhook(server.url), sampleNotice(key: "\(number)"), within: .seconds(120)).isDelivered
        }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(delivered == 500 && server.requests.count == 500)
    #expect((2...16).contains(open.withLock(\.most)))
  }
}

@Suite struct LocalDeliveryTests {
  @Test("A file gets one line of JSON for each notice, and is nobody else's to read")
  func file() async throws {
    let folder = try TemporaryFolder()
    let channel = Channel(
      name: "log", level: .info, isCopy: false, kind: .file("\(folder.path)/notices.jsonl"))
    for _ in 0..<2 { #expect(try await deliver(channel, sampleNotice(text: "two\nlines")).isDelivered) }
    let lines = folder.read("notices.jsonl").split(separator: "\n")
    #expect(lines.count == 2)
    #expect(try JSON(parsing: String(lines[1])) == sampleNotice(text: "two\nlines").json)
    #expect(folder.mode("notices.jsonl") == 0o600)
  }

  @Test("A pipe, a link and a folder that is not there are refused without waiting")
  func noFile() async throws {
    let folder = try TemporaryFolder()
    try #require(mkfifo("\(folder.path)/pipe", 0o600) == 0)
    try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link", withDestinationPath: "/etc/hosts")
    for name in ["pipe", "link", "missing/x", ""] {
      let channel = Channel(name: "log", level: .info, isCopy: false, kind: .file("\(folder.path)/\(name)"))
      #expect(try await deliver(channel).finding?.code == "notify.fileNotWritten", "\(name)")
    }
  }

  @Test("A command finds the notice in its environment and in files, and nothing of it in its arguments")
  func command() async throws {
    let folder = try TemporaryFolder()
    let script =
      "echo \"$NOTICE_LEVEL $NOTICE_TITLE\"; cat \"$NOTICE_TEXT_FILE\" >\(folder.path)/text; cat \"$NOTICE_JSON_FILE\" >\(folder.path)/json"
    let channel = Channel(name: "pager", level: .info, isCopy: false, kind: .command(["sh", "-c", script]))
    let delivery = try await deliver(channel, sampleNotice(title: "$(id) `id`"))
    #expect(delivery.isDelivered && delivery.answer == "critical $(id) `id`")
    #expect(folder.read("text") == (try sampleNotice(title: "$(id) `id`").plainText))
    #expect(try JSON(parsing: folder.read("json")) == sampleNotice(title: "$(id) `id`").json)
  }

  @Test("A command that fails, is not there, or does not end did not take the notice")
  func failing() async throws {
    func finding(_ words: [String]) async throws -> NoticeDelivery {
      try await deliver(
        Channel(name: "pager", level: .info, isCopy: false, timeout: .milliseconds(300), kind: .command(words)))
    }
    let failed = try await finding(["sh", "-c", "echo no modem >&2; exit 3"])
    #expect(failed.finding?.message == "sh ended with exit code 3" && failed.answer == "no modem" && failed.tries == 3)
    #expect(try await finding(["no-such-program-here"]).finding?.code == "notify.commandNotStarted")
    #expect(try await finding(["sleep", "60"]).finding?.message == "sleep did not end in time")
  }
}
