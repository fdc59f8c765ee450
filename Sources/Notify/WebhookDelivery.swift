import Notices
import Schema

extension Channel.Webhook {
  func take(_ notice: OutgoingNotice, by deadline: ContinuousClock.Instant) async throws(DeliveryError)
    -> ChannelAcceptance
  {
    guard case .service(let service) = template else {
      return try await take(template.json(notice), of: notice, by: deadline)
    }
    let address = service.url(url.revealText(), room: room, for: notice)
    var request = WebRequest(url: address, body: template.json(notice, room: room, token: token).utf8())
    request.method = service.method
    request.authorityFile = authorityFile
    request.headers = [("Content-Type", "application/json")]
    if service != .pagerduty, let token { request.credentials = WebRequest.bearer(token) }
    let answer = try await request.answer(by: deadline)
    try answer.checkStatus()
    return ChannelAcceptance(receipt: try service.receipt(answer), answer: "\(answer.status) \(answer.body)")
  }

  private func take(
    _ body: JSON, of notice: OutgoingNotice, by deadline: ContinuousClock.Instant
  ) async throws(DeliveryError) -> ChannelAcceptance {
    var request = WebRequest(url: url.revealText(), body: body.utf8())
    request.method = method
    request.authorityFile = authorityFile
    request.headers = [("Content-Type", "application/json"), ("Idempotency-Key", notice.key)]
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
      request.headers.removeAll { $0.name.lowercased() == name.lowercased() }
      request.headers.append((name, value))
    }
    if let token { request.credentials = WebRequest.bearer(token) }
    let answer = try await request.answer(by: deadline)
    try answer.checkStatus()
    return ChannelAcceptance(receipt: nil, answer: "\(answer.status) \(answer.body)")
  }
}

extension NoticeService {
  /// What the service calls the message. Throws if the answer is not that of this service when it has taken one.
  fileprivate func receipt(_ answer: WebAnswer) throws(DeliveryError) -> String? {
    let receipt: String? =
      switch self {
      case .matrix: answer.json?["event_id"]?.string
      case .ntfy: answer.json?["id"]?.string
      case .pagerduty: answer.json?["status"]?.string == "success" ? answer.json?["dedup_key"]?.string ?? "" : nil
      // It answers 202 with nothing, or as the workflow says.
      case .teams: ""
      }
    guard let receipt else {
      throw DeliveryError(
        "notify.refused",
        "\(answer.server) answered \(answer.status), but its answer does not confirm the message as that of \(rawValue) would.",
        advice: "Look at the channel's URL.", answer: answer.body)
    }
    return receipt.isEmpty ? nil : receipt
  }
}

extension Channel.Slack {
  /// Slack says in the body whether it took the message: a status of 200 alone says nothing.
  func take(_ notice: OutgoingNotice, by deadline: ContinuousClock.Instant) async throws(DeliveryError)
    -> ChannelAcceptance
  {
    let text = "*\(notice.subject.slackEscaped)*\n\(notice.plainText.dropFirst(notice.subject.count).slackEscaped)"
    switch self {
    case .webhook(let url):
      let request = WebRequest(
        url: url.revealText(), headers: [("Content-Type", "application/json")],
        body: JSON.object([.init("text", .string(text))]).utf8())
      let answer = try await request.answer(by: deadline)
      try answer.checkStatus()
      guard answer.status == 200, answer.body.trimmed == "ok" else {
        throw DeliveryError(
          "notify.refused", "Slack answered \(answer.status), and not ok: \(answer.body.asAnswer).",
          advice: "The webhook may be revoked, or its channel archived: look at the app's page in Slack.",
          answer: answer.body)
      }
      return ChannelAcceptance(receipt: nil, answer: answer.body)
    case .token(let token, let channel, let url):
      let request = WebRequest(
        url: url, headers: [("Content-Type", "application/json; charset=utf-8")],
        credentials: WebRequest.bearer(token),
        body: JSON.object([.init("channel", .string(channel)), .init("text", .string(text))]).utf8())
      let answer = try await request.answer(by: deadline)
      try answer.checkStatus()
      guard answer.json?["ok"]?.bool == true else {
        let reason = answer.json?["error"]?.string ?? answer.body.asAnswer
        throw DeliveryError(
          "notify.refused", "Slack answered \(answer.status), and not ok: \(reason).",
          advice: "Look at the token's scope (chat:write), and whether the app is in the channel.", answer: answer.body,
          isTemporary: ["ratelimited", "internal_error", "service_unavailable"].contains(reason))
      }
      return ChannelAcceptance(receipt: answer.json?["ts"]?.string, answer: answer.body)
    }
  }
}

extension StringProtocol {
  /// As Slack wants text: three characters have a meaning.
  fileprivate var slackEscaped: String {
    String(self).replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
  }

  fileprivate var trimmed: String { split { $0.isWhitespace }.joined(separator: " ") }
}
