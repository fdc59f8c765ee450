import FoundationEssentials
import Notices
import Schema

/// What the tries of one delivery have sent, by recipient, so that none sends it twice.
struct SentMessages: Sendable {
  /// When the first of them can have been sent.
  let since: Timestamp
  /// The identifiers of messages that were taken.
  var identifiers: [String: String] = [:]
  /// Recipients to whom a message was sent without an answer: it may be on its way.
  var unclear: Set<String> = []
  /// Recipients whose message arrived.
  var delivered: Set<String> = []

  init(since: Timestamp) { self.since = since }
}

extension Channel.Twilio {
  /// How long one request may take.
  private static let requestTime = Duration.seconds(10)

  /// Sends a message to each of the recipients, and waits until Twilio says of each that it was delivered: "queued" and "sent" say nothing
  /// of the telephone.
  ///
  /// Twilio takes a message twice that is sent twice. So a request without an answer is looked for among the account's messages before
  /// it is sent again.
  func take(
    _ notice: OutgoingNotice, by deadline: ContinuousClock.Instant, _ messages: inout SentMessages
  ) async throws(DeliveryError) -> ChannelAcceptance {
    let text = notice.smsText
    var failure: DeliveryError?
    for recipient in recipients where messages.identifiers[recipient] == nil {
      do throws(DeliveryError) { try await send(text, of: notice, to: recipient, by: deadline, &messages) } catch {
        // The others are told all the same; what another try may mend comes last.
        if failure?.isTemporary != true { failure = error }
      }
    }
    for recipient in recipients where !messages.delivered.contains(recipient) {
      guard let identifier = messages.identifiers[recipient] else { continue }
      do throws(DeliveryError) {
        try await waitForDelivery(of: identifier, to: recipient, by: deadline)
        messages.delivered.insert(recipient)
      } catch {
        if failure == nil { failure = error }
      }
    }
    if let failure { throw failure }
    let identifiers = recipients.compactMap { messages.identifiers[$0] }
    return ChannelAcceptance(receipt: identifiers.joined(separator: " "), answer: "delivered")
  }

  private func send(
    _ text: String, of notice: OutgoingNotice, to recipient: String, by deadline: ContinuousClock.Instant,
    _ messages: inout SentMessages
  ) async throws(DeliveryError) {
    if messages.unclear.contains(recipient) {
      messages.identifiers[recipient] = try await identifier(
        of: text, since: messages.since, to: recipient, by: deadline)
      messages.unclear.remove(recipient)
      guard messages.identifiers[recipient] == nil else { return }
    }
    let from = isServiceIdentifier(sender, "MG") ? "MessagingServiceSid" : "From"
    var request = request("Messages.json", "POST")
    request.headers = [("Content-Type", "application/x-www-form-urlencoded")]
    request.body = Array([("To", recipient), (from, sender), ("Body", text)].formEncoded.utf8)
    messages.unclear.insert(recipient)
    let answer: WebAnswer
    do throws(DeliveryError) { answer = try await Self.ask(request, by: deadline) } catch {
      // Without a connection nothing was sent.
      if ["notify.unreachable", "notify.tlsFailed", "notify.cannotSend"].contains(error.code) {
        messages.unclear.remove(recipient)
      }
      throw error
    }
    // A server that failed may have taken it before.
    if answer.status < 500 { messages.unclear.remove(recipient) }
    do throws(DeliveryError) { try answer.checkStatus() } catch { throw error.explained(by: answer) }
    guard let identifier = answer.json?["sid"]?.string, !identifier.isEmpty else {
      throw DeliveryError(
        "notify.refused", "\(answer.server) answered \(answer.status), but gave no message SID.",
        advice: "Look at the channel's URL.", answer: answer.body)
    }
    messages.identifiers[recipient] = identifier
  }

  /// The identifier of a message that was made since then, by Twilio's clock, which may be a minute behind, and that may still arrive or did; nil if there is none.
  private func identifier(
    of text: String, since start: Timestamp, to recipient: String, by deadline: ContinuousClock.Instant
  ) async throws(DeliveryError) -> String? {
    let query = [("To", recipient), ("PageSize", "100")].formEncoded
    let answer = try await Self.ask(request("Messages.json?\(query)", "GET"), by: deadline)
    try answer.checkStatus()
    guard let found = answer.json?["messages"]?.array else {
      throw DeliveryError(
        "notify.noAnswer", "\(answer.server) answered \(answer.status) without a list of messages.",
        advice: "Look at the channel's URL.", answer: answer.body, isTemporary: true)
    }
    let earliest = start.earlier(by: .seconds(60)) ?? start
    let failed: Set = ["undelivered", "failed", "canceled"]
    let message = found.first { message in
      !failed.contains(message["status"]?.string ?? "") && message["body"]?.string == text
        && message["to"]?.string == recipient
        && message["date_created"]?.string.flatMap(Timestamp.init(mailDate:)).map { $0 >= earliest } ?? false
    }
    return message?["sid"]?.string
  }

  /// Asks what became of a message until that is known. An error of the moment is asked again.
  private func waitForDelivery(
    of identifier: String, to recipient: String, by deadline: ContinuousClock.Instant
  ) async throws(DeliveryError) {
    var pause = Duration.milliseconds(250)
    var last = "accepted"
    while true {
      var wait = pause
      do throws(DeliveryError) {
        let answer = try await Self.ask(request("Messages/\(identifier).json", "GET"), by: deadline)
        // It may take a moment until the message can be looked up.
        if answer.status != 404 { try answer.checkStatus() }
        let message = answer.json
        last = message?["status"]?.string ?? "unknown"
        switch last {
        case "delivered", "read": return
        case "undelivered", "failed", "canceled":
          let code = message?["error_code"]?.int.map { " (error \($0))" } ?? ""
          let reason = message?["error_message"]?.string.map { ": \($0)" } ?? ""
          throw DeliveryError(
            "notify.undelivered", "The message to \(recipient) is \(last)\(code)\(reason).",
            advice: "Look the error up in Twilio's documentation, and the message in its console.",
            answer: "\(identifier) \(last)\(code)")
        default: break
        }
      } catch {
        guard error.isTemporary else { throw error }
        wait = max(wait, error.retryAfter ?? .zero)
      }
      guard .now + wait < deadline, (try? await Task.sleep(for: wait)) != nil else {
        throw DeliveryError(
          "notify.notConfirmed",
          "Twilio took the message to \(recipient), but did not confirm delivery in time; it may still arrive.",
          advice: "Give the channel more time (timeout), or look the message up in Twilio's console.",
          answer: "\(identifier) \(last)")
      }
      pause = min(pause * 2, .seconds(4))
    }
  }

  private static func ask(
    _ request: WebRequest, by deadline: ContinuousClock.Instant
  ) async throws(DeliveryError) -> WebAnswer {
    try await DeliverySlots.shared.use { () async throws(DeliveryError) in
      try await request.answer(by: min(deadline, .now + requestTime))
    }
  }

  private func request(_ path: String, _ method: String) -> WebRequest {
    var request = WebRequest(
      method: method, url: "\(url.withoutTrailingSlashes)/2010-04-01/Accounts/\(account)/\(path)", body: [])
    request.credentials = WebRequest.basic(account, token)
    return request
  }
}

extension Timestamp {
  /// As mails have it (RFC 5322), in UTC: `Thu, 24 Aug 2023 05:01:45 +0000`.
  fileprivate init?(mailDate text: String) {
    let parts = text.split(separator: " ")
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    guard parts.count == 6, parts[5] == "+0000", let month = months.firstIndex(of: String(parts[2])) else { return nil }
    func two(_ text: some StringProtocol) -> String { text.count == 1 ? "0\(text)" : String(text) }
    self.init("\(parts[3])-\(two(String(month + 1)))-\(two(parts[1]))T\(parts[4])Z")
  }
}

extension DeliveryError {
  /// With what Twilio says in its answer.
  fileprivate func explained(by answer: WebAnswer) -> DeliveryError {
    guard let message = answer.json?["message"]?.string else { return self }
    var error = self
    let code = answer.json?["code"]?.int.map { " (error \($0))" } ?? ""
    error.message = "\(answer.server) answered \(answer.status)\(code): \(message.asAnswer)."
    return error
  }
}

extension [(String, String)] {
  /// As a form is sent (application/x-www-form-urlencoded).
  fileprivate var formEncoded: String {
    map { "\($0.percentEncoded)=\($1.percentEncoded)" }.joined(separator: "&")
  }
}
