import Notices
import Schema

extension Channel.Alertmanager {
  /// Alertmanager answers 200 as soon as it has the alert. It tells an alert that it has from a new one by the labels: a repetition does
  /// no harm.
  func take(_ notice: OutgoingNotice, by deadline: ContinuousClock.Instant) async throws(DeliveryError)
    -> ChannelAcceptance
  {
    var request = WebRequest(
      url: "\(url.withoutTrailingSlashes)/api/v2/alerts", body: AlertmanagerAlert(notice, to: self).json.utf8())
    request.headers = [("Content-Type", "application/json")]
    request.authorityFile = authorityFile
    if let password {
      request.credentials = WebRequest.basic(username ?? "", password)
    } else if let token {
      request.credentials = WebRequest.bearer(token)
    }
    let answer = try await request.answer(by: deadline)
    try answer.checkStatus()
    guard answer.status == 200 else {
      throw DeliveryError(
        "notify.refused", "\(answer.server) answered \(answer.status); an Alertmanager answers 200.",
        advice: "Look at the channel's URL.", answer: answer.body)
    }
    return ChannelAcceptance(receipt: nil, answer: "\(answer.status) \(answer.body)")
  }
}
