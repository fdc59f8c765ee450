import Foundation
import Journal
import Notices
import Schema
import TestSupport
import Testing

@testable import Notify

/// Against a real aiosmtpd.
@Suite struct MailDeliveryTests {
  private static let chains = Result {
    let chains = try CertificateChains()
    try chains.make("authority", .authority)
    try chains.make("server", .server("DNS:localhost,IP:127.0.0.1"), by: "authority")
    return chains
  }

  private func deliver(
    to server: UInt16, _ security: MailSecurity, authority: String? = nil, password: Secret? = nil,
    recipients: [String] = ["oncall@example.com"], _ notice: OutgoingNotice? = nil
  ) async throws -> NoticeDelivery {
    let channel = Channel(
      name: "mail", level: .info, isCopy: false, timeout: .seconds(20),
      kind: .email(
        Channel.Email(
          host: "127.0.0.1", port: Int(server), security: security, sender: "runbook@example.com",
          recipients: recipients, username: password.map { _ in "runbook" }, password: password,
          authorityFile: authority)))
    return await Dispatcher(pauses: []).deliver(try notice ?? sampleNotice(), to: channel, by: .now + .seconds(30))
  }

  @Test(
    "A mail arrives whole, with both kinds of TLS and without", arguments: [MailSecurity.none, .starttls, .implicit])
  func arrives(security: MailSecurity) async throws {
    let chains = try Self.chains.get()
    let server =
      try security == .none ? MailServer(.none) : MailServer(security == .implicit ? .implicit : .starttls, chains)
    let delivery = try await deliver(
      to: server.port, security, authority: chains.file("authority.pem"),
      recipients: ["oncall@example.com", "team@example.com"],
      sampleNotice(title: "Zoë’s relay\r\nBcc: evil@example.com"))
    #expect(delivery.isDelivered, "\(delivery)")
    #expect(delivery.answer?.hasPrefix("250") == true)
    #expect(delivery.receipt == "<key@example.com>")
    let mails = server.mails
    #expect(mails.count == 1)
    let mail = try #require(mails.first)
    #expect(mail.contains("X-RcptTo: oncall@example.com, team@example.com"))
    #expect(mail.contains("Message-ID: <key@example.com>"))
    #expect(!mail.contains("\nBcc"))
    let body = try #require(
      mail.components(separatedBy: "base64\n\n").dropFirst().first?.components(separatedBy: "\n\n").first)
    let text = Data(base64Encoded: body, options: .ignoreUnknownCharacters).map { String(decoding: $0, as: UTF8.self) }
    #expect(text?.contains("Show more:     runbook report 01KB4T8Q7G3Y0000000000RUN1") == true)
  }

  @Test("A server without STARTTLS gets nothing: there is no way down to clear text")
  func noDowngrade() async throws {
    let server = try MailServer(.none)
    let delivery = try await deliver(to: server.port, .starttls, password: Secret("hunter2-secret"))
    #expect(delivery.finding?.code == "notify.tlsFailed")
    #expect(delivery.tries == 1)
    #expect(server.mails.isEmpty)
  }

  @Test("Implicit TLS at a port in clear text fails, and so does clear text where STARTTLS is demanded")
  func wrongKind() async throws {
    let plain = try MailServer(.none)
    #expect(try await deliver(to: plain.port, .implicit).finding?.code == "notify.tlsFailed")
    let demanding = try MailServer(.starttls, try Self.chains.get())
    let refused = try await deliver(to: demanding.port, .none)
    #expect(refused.finding?.code == "notify.refused")
    #expect(refused.answer?.hasPrefix("530") == true)
    #expect(plain.mails.isEmpty && demanding.mails.isEmpty)
  }

  @Test(
    "A certificate that is not trusted ends it before anything is sent", arguments: [MailSecurity.starttls, .implicit])
  func untrusted(security: MailSecurity) async throws {
    let server = try MailServer(security == .implicit ? .implicit : .starttls, try Self.chains.get())
    let delivery = try await deliver(to: server.port, security)
    #expect(delivery.finding?.code == "notify.tlsFailed")
    #expect(delivery.finding?.message.contains("not accepted") == true)
    #expect(server.mails.isEmpty)
  }

  @Test("A mail that is too large for the server is refused with its words")
  func tooLarge() async throws {
    let server = try MailServer(.none, nil, ["-s", "1000"])
    let delivery = try await deliver(to: server.port, .none)
    #expect(delivery.finding?.code == "notify.refused")
    #expect(delivery.answer?.hasPrefix("552") == true)
  }

  @Test("Nobody there, a server that says nothing, and one that is no mail server are told apart from a refusal")
  func absent() async throws {
    #expect(try await deliver(to: try freePort(), .none).finding?.code == "notify.unreachable")
    let web = try ScriptedServer(readsRequest: false) { $0.send("HTTP/1.1 400 Bad Request\r\n\r\n") }
    #expect(try await deliver(to: web.port, .none).finding?.code == "notify.noAnswer")
    let later = try ScriptedServer(readsRequest: false) { $0.send("421 4.3.2 try again later\r\n") }
    let deferred = try await deliver(to: later.port, .none)
    #expect(deferred.finding?.code == "notify.deferred")
    #expect(deferred.answer == "421 4.3.2 try again later")
  }

  @Test("A server that refuses a recipient is believed, and the password is not in what is told")
  func refused() async throws {
    let server = try ScriptedServer(readsRequest: false) { connection in
      connection.send("220 hi\r\n250 hi\r\n250 ok\r\n550 5.1.1 no such user as hunter2-secret\r\n250 ok\r\n221 bye\r\n")
      connection.waitUntilClosed()
    }
    let channel = Channel(
      name: "mail", level: .info, isCopy: false,
      kind: .webhook(
        Channel.Webhook(
          url: Secret("http://127.0.0.1:\(server.port)/hunter2-secret"), isURLSecret: true, method: "POST",
          headers: [:],
          token: nil, template: .json, authorityFile: nil)))
    let delivery = await Dispatcher(pauses: []).deliver(try sampleNotice(), to: channel, by: .now + .seconds(5))
    #expect(!delivery.isDelivered)
    #expect(!"\(delivery)".contains("hunter2-secret"))
    let mail = try await deliver(to: server.port, .none)
    #expect(mail.finding?.code == "notify.refused")
    #expect(mail.answer?.hasPrefix("550") == true)
  }
}
