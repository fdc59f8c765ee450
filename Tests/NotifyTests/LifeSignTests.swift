import Foundation
import Journal
import Notices
import Schema
import TestSupport
import Testing

@testable import Notify

@Suite struct LifeSignTests {
  private func send(
    _ moment: LifeSign.Occasion, to url: String, pauses: [Duration] = [.milliseconds(10), .milliseconds(20)]
  ) async -> NoticeDelivery {
    await LifeSign(moment, to: Secret(url), pauses: pauses).send(by: .now + .seconds(20))
  }

  @Test(
    "The start, success and each exit code have a URL of their own, and a query stays behind it",
    arguments: [
      (LifeSign.Occasion.start, "/ping/0b5d6c8e", "GET /ping/0b5d6c8e/start HTTP/1.1"),
      (.end(exitCode: 0), "/ping/0b5d6c8e", "GET /ping/0b5d6c8e HTTP/1.1"),
      (.end(exitCode: 0), "/ping/0b5d6c8e/", "GET /ping/0b5d6c8e/ HTTP/1.1"),
      (.end(exitCode: 3), "/ping/0b5d6c8e", "GET /ping/0b5d6c8e/3 HTTP/1.1"),
      (.end(exitCode: 255), "/ping/0b5d6c8e/?a=b/c", "GET /ping/0b5d6c8e/255?a=b/c HTTP/1.1"),
      (.end(exitCode: 0), "/ping/0b5d6c8e?a=b", "GET /ping/0b5d6c8e?a=b HTTP/1.1"),
    ])
  func addresses(moment: LifeSign.Occasion, path: String, line: String) async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: "OK")) }
    let delivery = await send(moment, to: server.url + path)
    #expect(delivery.isDelivered && delivery.answer == "200 OK" && delivery.tries == 1)
    #expect(delivery.channel == "127.0.0.1:\(server.port)")
    #expect(server.requests.map { $0.prefix { $0 != "\r\n" } } == [line[...]])
  }

  @Test(
    "Not every 200 is taken: the body says whether there is such a check",
    arguments: [
      ("OK", nil, 1), ("", nil, 1), ("OK (not found)", "notify.refused", 1),
      ("OK (rate limited)", "notify.rateLimited", 3),
    ])
  func bodies(body: String, code: String?, tries: Int) async throws {
    let server = try ScriptedServer { $0.send(httpResponse(body: body)) }
    let delivery = await send(.start, to: "\(server.url)/x")
    #expect(delivery.finding?.code == code && delivery.tries == tries && server.requests.count == tries)
  }

  @Test("404 is told at once, 500 is tried again, and a service that is not there is told from one that refuses")
  func errors() async throws {
    for (status, tries) in [("404 Not Found", 1), ("500 Oops", 3)] {
      let server = try ScriptedServer { $0.send(httpResponse(status)) }
      let delivery = await send(.end(exitCode: 1), to: server.url)
      #expect(delivery.finding?.code == "notify.refused" && delivery.tries == tries)
    }
    #expect(await send(.start, to: "http://127.0.0.1:\(try freePort())/x").finding?.code == "notify.unreachable")
  }

  @Test(
    "A redirect is not followed, and neither it nor an answer tells the secret part of the URL",
    arguments: ["0b5d6c8e-7f1a-4a3b-9c2d-1e2f3a4b5c6d", "AbCdEf1234"])
  func secret(_ secret: String) async throws {
    let other = try ScriptedServer { $0.send(httpResponse(body: "OK")) }
    let server = try ScriptedServer { connection in
      connection.send(
        httpResponse(
          "301 Moved", ["Location: \(other.url)/ping/\(secret)/start"], body: "see \(connection.requestLine)"))
    }
    let delivery = await send(.start, to: "\(server.url)/ping/\(secret)")
    #expect(delivery.finding?.code == "notify.redirected" && other.requests.isEmpty)
    #expect(delivery.finding?.message.contains("redirects to \(other.url), and") == true, "\(delivery)")
    #expect(delivery.answer?.contains("‹secret›") == true)
    #expect(!"\(delivery)".contains(secret))
  }
}
