import Foundation
import Journal
import Notices
import Schema
import Synchronization
import TestSupport
import Testing

@testable import Notify

/// Against a server that answers as Twilio documents it: Twilio itself cannot be had.
@Suite struct TwilioDeliveryTests {
  private static let account = "AC0123456789abcdef0123456789abcdef"

  /// What the stand-in has been sent, and what it says next.
  private final class Account: Sendable {
    struct Message {
      var sid: String
      var to: String
      var body: String
      var created: String
    }

    private let state = Mutex<(messages: [Message], posts: Int, polls: Int)>(([], 0, 0))
    var messages: [Message] { state.withLock(\.messages) }
    var posts: Int { state.withLock(\.posts) }
    var polls: Int { state.withLock(\.polls) }

    /// Counts a POST.
    func post() -> Int {
      state.withLock {
        $0.posts += 1
        return $0.posts
      }
    }

    /// Counts a look at a message.
    func poll() -> Int {
      state.withLock {
        $0.polls += 1
        return $0.polls
      }
    }

    func keep(_ request: String, created: Date = Date()) -> Message {
      let form = request.components(separatedBy: "\r\n\r\n").last ?? ""
      let fields = form.split(separator: "&").reduce(into: [String: String]()) { fields, part in
        let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
        fields[pair[0]] = pair.count > 1 ? pair[1].removingPercentEncoding : ""
      }
      let format = DateFormatter()
      format.locale = Locale(identifier: "en_US_POSIX")
      format.timeZone = TimeZone(identifier: "UTC")
      format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss Z"
      return state.withLock {
        let message = Message(
          sid: "SM\($0.messages.count + 1)", to: fields["To"] ?? "", body: fields["Body"] ?? "",
          created: format.string(from: created))
        $0.messages.append(message)
        return message
      }
    }
  }

  private static func json(_ message: Account.Message, status: String, more: String = "") -> String {
    let members: JSON = [
      "sid": .string(message.sid), "to": .string(message.to), "body": .string(message.body), "status": .string(status),
      "date_created": .string(message.created),
    ]
    return String(members.text().dropLast()) + more + "}"
  }

  private static func list(_ messages: [Account.Message], status: String = "sent") -> String {
    httpResponse(body: "{\"messages\":[\(messages.map { json($0, status: status) }.joined(separator: ","))]}")
  }

  private func send(
    to server: ScriptedServer, recipients: [String] = ["+4915112345678"], from sender: String = "+4930123456",
    timeout: Duration = .seconds(10), isRepetition: Bool = false, _ notice: OutgoingNotice? = nil
  ) async throws -> NoticeDelivery {
    let channel = Channel(
      name: "sms", level: .info, isCopy: false, timeout: timeout,
      kind: .twilio(
        Channel.Twilio(
          account: Self.account, token: Secret("auth-token-secret"), sender: sender, recipients: recipients,
          url: server.url)))
    return try await deliver(
      channel, notice ?? self.notice(title: "Zoë’s relay & co + more is down"), isRepetition: isRepetition)
  }

  private func notice(title: String) throws -> OutgoingNotice {
    let sample = try sampleNotice(title: title)
    return OutgoingNotice(
      key: "key", level: .critical, title: title, since: sample.since, time: Moment.now().wall,
      origin: OutgoingNotice.Provenance(
        run: ULID.next(), runbook: sample.origin.runbook, target: sample.origin.target, host: sample.origin.host,
        project: nil))
  }

  /// A server that takes each message, and says of it one status after the other; the last one again and again.
  ///
  /// - Parameter listed: the status of all messages in its list.
  private func server(
    _ account: Account, statuses: [String], more: String = "", listed: String = "sent"
  ) throws -> ScriptedServer {
    try ScriptedServer(readsBody: true) { connection in
      if connection.requestLine.hasPrefix("POST") {
        _ = account.post()
        connection.send(
          httpResponse("201 Created", body: Self.json(account.keep(connection.request), status: "queued")))
      } else if connection.requestLine.contains("/Messages.json?") {
        connection.send(Self.list(account.messages, status: listed))
      } else {
        let count = account.poll()
        let message = account.messages.first { connection.requestLine.contains("/\($0.sid).json") }
        let status = statuses[min(count, statuses.count) - 1]
        connection.send(
          message.map { httpResponse(body: Self.json($0, status: status, more: more)) } ?? httpResponse("404 No"))
      }
    }
  }

  @Test("A message counts once it is delivered, not when it is queued or sent")
  func delivered() async throws {
    let account = Account()
    let server = try server(account, statuses: ["queued", "sending", "sent", "delivered"])
    let delivery = try await send(to: server)
    #expect(delivery.isDelivered && delivery.tries == 1 && delivery.receipt == "SM1", "\(delivery)")
    #expect(account.posts == 1 && account.polls == 4)
    let message = try #require(account.messages.first)
    #expect(message.to == "+4915112345678" && message.body.count <= 160)
    #expect(message.body.hasPrefix("CRITICAL: Zo?'s relay & co + more is down since 22:10Z run "))
    let first = try #require(server.requests.first)
    #expect(first.hasPrefix("POST /2010-04-01/Accounts/\(Self.account)/Messages.json HTTP/1.1\r\n"))
    #expect(first.contains("Content-Type: application/x-www-form-urlencoded\r\n"))
    #expect(first.contains("To=%2B4915112345678&From=%2B4930123456&Body="))
    let pair = Data("\(Self.account):auth-token-secret".utf8).base64EncodedString()
    #expect(server.requests.allSatisfy { $0.contains("Authorization: Basic \(pair)\r\n") })
  }

  @Test(
    "A message that is not delivered is told with Twilio's reason, and is not sent again",
    arguments: ["undelivered", "failed"])
  func undelivered(status: String) async throws {
    let account = Account()
    let server = try server(
      account, statuses: ["sent", status],
      more: #","error_code":30003,"error_message":"Unreachable destination handset""#)
    let delivery = try await send(to: server)
    #expect(delivery.finding?.code == "notify.undelivered" && account.posts == 1)
    #expect(
      delivery.finding?.message
        == "The message to +4915112345678 is \(status) (error 30003): Unreachable destination handset")
  }

  @Test("A message of which nothing is heard in time did not arrive, as far as anybody knows")
  func unconfirmed() async throws {
    let account = Account()
    let delivery = try await send(to: try server(account, statuses: ["sent"]), timeout: .seconds(1))
    #expect(delivery.finding?.code == "notify.notConfirmed" && delivery.answer == "SM1 sent" && account.posts == 1)
  }

  @Test("An error of the moment while it is looked up is looked up again")
  func polledAgain() async throws {
    let account = Account()
    let server = try ScriptedServer(readsBody: true) { connection in
      if connection.requestLine.hasPrefix("POST") {
        _ = account.post()
        connection.send(
          httpResponse("201 Created", body: Self.json(account.keep(connection.request), status: "queued")))
        return
      }
      switch account.poll() {
      case 1: connection.send(httpResponse("404 Not Found", body: #"{"code":20404,"status":404}"#))
      case 2: connection.send(httpResponse("503 Busy"))
      case 3: connection.send(httpResponse("429 Too Many", ["Retry-After: 1"]))
      case 4: break
      default: connection.send(httpResponse(body: Self.json(account.messages[0], status: "delivered")))
      }
    }
    let delivery = try await send(to: server)
    #expect(delivery.isDelivered && account.posts == 1 && account.polls == 5, "\(delivery)")
  }

  @Test("A request whose answer never came is not sent again if Twilio has the message")
  func answerLost() async throws {
    let account = Account()
    // One with the same text from long before is another message.
    let server = try ScriptedServer(readsBody: true) { connection in
      if connection.requestLine.hasPrefix("POST") {
        _ = account.post()
        _ = account.keep(connection.request, created: Date(timeIntervalSinceNow: -3600))
        _ = account.keep(connection.request)
        connection.waitUntilClosed()
      } else if connection.requestLine.contains("/Messages.json?") {
        connection.send(Self.list(account.messages))
      } else {
        connection.send(httpResponse(body: Self.json(account.messages[1], status: "delivered")))
      }
    }
    let delivery = try await send(to: server, timeout: .seconds(1))
    #expect(delivery.isDelivered && delivery.receipt == "SM2" && delivery.tries == 2, "\(delivery)")
    #expect(account.posts == 1)
  }

  @Test("What a run that died may have sent is looked for first, and sent only if Twilio does not have it")
  func diedMeanwhile() async throws {
    let account = Account()
    let server = try server(account, statuses: ["delivered"])
    let notice = try notice(title: "the relay is down")
    for _ in 0..<2 {
      let delivery = try await send(to: server, isRepetition: true, notice)
      #expect(delivery.isDelivered && delivery.receipt == "SM1", "\(delivery)")
    }
    #expect(account.posts == 1)
  }

  @Test("A message that was not delivered is no reason not to send it again")
  func undeliveredBefore() async throws {
    let account = Account()
    let server = try server(account, statuses: ["undelivered", "delivered"], listed: "undelivered")
    let notice = try notice(title: "the relay is down")
    #expect(try await send(to: server, notice).finding?.code == "notify.undelivered")
    #expect(try await send(to: server, isRepetition: true, notice).isDelivered)
    #expect(account.posts == 2)
  }

  @Test("It is sent again if Twilio does not have it, and not if nobody can tell")
  func notThere() async throws {
    for (isReadable, posts) in [(true, 2), (false, 1)] {
      let account = Account()
      let server = try ScriptedServer(readsBody: true) { connection in
        if connection.requestLine.hasPrefix("POST") {
          guard account.post() > 1 else { return }
          connection.send(
            httpResponse("201 Created", body: Self.json(account.keep(connection.request), status: "queued")))
        } else if connection.requestLine.contains("/Messages.json?") {
          connection.send(isReadable ? Self.list([]) : httpResponse("500 Oops"))
        } else {
          connection.send(httpResponse(body: Self.json(account.messages[0], status: "delivered")))
        }
      }
      let delivery = try await send(to: server)
      #expect(delivery.isDelivered == isReadable, "\(delivery)")
      #expect(account.posts == posts)
    }
  }

  @Test("Of two recipients each gets one message, whatever becomes of the other")
  func recipients() async throws {
    let account = Account()
    let server = try ScriptedServer(readsBody: true) { connection in
      if connection.requestLine.hasPrefix("POST") {
        if account.post() == 2 { return void(connection.send(httpResponse("429 Too Many"))) }
        connection.send(
          httpResponse("201 Created", body: Self.json(account.keep(connection.request), status: "queued")))
      } else {
        let message = account.messages.first { connection.requestLine.contains("/\($0.sid).json") }
        connection.send(
          message.map { httpResponse(body: Self.json($0, status: "delivered")) } ?? httpResponse("500 No"))
      }
    }
    let delivery = try await send(
      to: server, recipients: ["+4915112345678", "+4915187654321"], from: "MG0123456789abcdef0123456789abcdef")
    #expect(delivery.isDelivered && delivery.tries == 2 && delivery.receipt == "SM1 SM2", "\(delivery)")
    #expect(account.messages.map(\.to) == ["+4915112345678", "+4915187654321"])
    #expect(server.requests[0].contains("&MessagingServiceSid=MG0123456789abcdef0123456789abcdef&"))
  }

  @Test("What Twilio refuses is told with its words, and the token stands nowhere")
  func refused() async throws {
    let server = try ScriptedServer(readsBody: true) { connection in
      let sent = connection.request.firstMatch(of: /Basic (\S+)/).map { String($0.1) } ?? ""
      connection.send(
        httpResponse("401 No", body: #"{"code":20003,"message":"Authenticate with auth-token-secret or \#(sent)"}"#))
    }
    let delivery = try await send(to: server)
    #expect(delivery.finding?.code == "notify.refused" && delivery.tries == 1)
    #expect(
      delivery.finding?.message
        == "127.0.0.1:\(server.port) answered 401 (error 20003): Authenticate with ‹secret› or ‹secret›")
    #expect(!"\(delivery)".contains("auth-token-secret"))
  }

  @Test(
    "Only a number of E.164 is one",
    arguments: [
      ("+4930123456", true), ("+12025550123", true), ("4930123456", false), ("+0301234567", false),
      ("+49 30 123", false),
      ("+49301234567890123", false), ("+4930123456\n", false), ("+", false), ("", false), ("+٤٩٣٠١٢٣٤٥٦", false),
    ])
  func numbers(text: String, isOne: Bool) { #expect(isTelephoneNumber(text) == isOne) }
}

private func void(_: Bool) {}
