import Notices
package import Schema

/// A sign of life for a service that tells people if it does not come, as healthchecks.io and services made like it have it.
package struct LifeSign: Sendable {
  /// What is told.
  package enum Occasion: Hashable, Sendable {
    /// Something begins.
    case start
    /// It ended with this exit code; 0 is success.
    case end(exitCode: Int)
  }

  /// Of the check. Who knows it can pretend to be alive: it is secret.
  private let url: Secret
  private let occasion: Occasion
  private let pauses: [Duration]
  /// How long one try may take.
  private static let patience = Duration.seconds(10)

  package init(_ occasion: Occasion, to url: Secret, pauses: [Duration] = [.seconds(1), .seconds(3)]) {
    self.url = url
    self.occasion = occasion
    self.pauses = pauses
  }

  /// Sends it, with as many tries as it takes and the time allows.
  ///
  /// - Returns: how it went; of the URL host and port alone.
  package func send(by deadline: ContinuousClock.Instant) async -> NoticeDelivery {
    let address = address
    let tries = DeliveryTries(
      pauses: pauses, masking: SecretMasking(url.withParts + Secret(address).withParts), deadline: deadline)
    return await tries.deliver(to: WebRequest.server(of: address)) { () async throws(DeliveryError) in
      let request = WebRequest(method: "GET", url: address, body: [])
      let answer = try await request.answer(by: min(deadline, .now + Self.patience))
      try answer.checkStatus()
      // healthchecks.io answers 200 to a check that there is not, and if it is asked too often.
      guard !answer.body.lowercased().hasPrefix("ok (") else {
        let isRate = answer.body.lowercased().contains("rate")
        throw DeliveryError(
          isRate ? "notify.rateLimited" : "notify.refused",
          "\(answer.server) answered \(answer.status), and not OK: \(answer.body.asAnswer).",
          advice: isRate ? "Check how often this is pinged." : "Check that this check still exists.",
          answer: answer.body, isTemporary: isRate)
      }
      return ChannelAcceptance(receipt: nil, answer: "\(answer.status) \(answer.body)")
    }
  }

  /// URL/start, URL or URL/EXITCODE, a query left behind it.
  private var address: String {
    let text = url.revealText()
    let end = text.firstIndex { $0 == "?" || $0 == "#" } ?? text.endIndex
    var path = text[..<end]
    let part =
      switch occasion {
      case .start: "/start"
      case .end(exitCode: 0): ""
      case .end(let exitCode): "/\(exitCode)"
      }
    if !part.isEmpty { path = path.withoutTrailingSlashes }
    return path + part + text[end...]
  }
}
