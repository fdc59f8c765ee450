import Notices
import Schema

extension Channel.Webhook {
  func take(_ notice: OutgoingNotice, by deadline: ContinuousClock.Instant) async throws(DeliveryError)
    -> ChannelAcceptance
  {
    var request = WebRequest(url: url.revealText(), body: template.json(notice).utf8())
    request.method = method
    request.authorityFile = authorityFile
    request.headers = [("Content-Type", "application/json"), ("Idempotency-Key", notice.key)]
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) {
      request.headers.removeAll { $0.name.lowercased() == name.lowercased() }
      request.headers.append((name, value))
    }
    if let token { request.credentials = [("Authorization", "Bearer \(token.revealText())")] }
    let answer = try await request.answer(by: deadline)
    try answer.checkStatus()
    return ChannelAcceptance(receipt: nil, answer: "\(answer.status) \(answer.body)")
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
        credentials: [("Authorization", "Bearer \(token.revealText())")],
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
