import HTTP
import Notices
import Schema

/// What a channel's server answered to one request.
struct WebAnswer: Sendable {
  var status: Int
  var body: String
  /// What the server asks for by Retry-After, in seconds.
  var retryAfter: Duration?
  var redirect: String?
  /// Host and port.
  var server: String

  var json: JSON? { try? JSON(parsing: body) }

  /// Throws for every status but 2xx. A redirect is none: the notice, and the secrets with it, are for the server that was named.
  func checkStatus() throws(DeliveryError) {
    guard !(200...299).contains(status) else { return }
    if let redirect {
      // The rest may be what is secret of the channel's own URL.
      let scheme = redirect.firstRange(of: "://").map { String(redirect[..<$0.upperBound]) }
      let place = scheme.map { $0 + WebRequest.server(of: redirect) } ?? "another page"
      throw DeliveryError(
        "notify.redirected", "\(server) answered \(status): it redirects to \(place), and redirects are not followed.",
        advice: "Look where the service has moved to, and give its URL.", answer: body)
    }
    if status == 429 {
      throw DeliveryError(
        "notify.rateLimited", "\(server) answered 429: it takes no more notices for now.",
        advice: "Look how many notices go there, and at the limits of the service.", answer: body, isTemporary: true,
        retryAfter: retryAfter)
    }
    throw DeliveryError(
      "notify.refused", "\(server) answered \(status).",
      advice: status >= 500
        ? "Look at the service's own status page, or at its log."
        : "Look at the channel's URL and secret, and at the answer.",
      answer: body, isTemporary: status >= 500 || status == 408, retryAfter: retryAfter)
  }
}

/// A request of a channel.
struct WebRequest: Sendable {
  /// The most that is read of an answer.
  private static let largestAnswer = 64 << 10

  var method = "POST"
  var url: String
  var headers: [(name: String, value: String)] = []
  var credentials: [(name: String, value: String)] = []
  var body: [UInt8]
  var authorityFile: String?

  func answer(by deadline: ContinuousClock.Instant) async throws(DeliveryError) -> WebAnswer {
    var request = HTTPRequest(url)
    request.method = method
    request.headers = headers.map { HTTPHeader($0.name, $0.value) }
    request.credentials = credentials.map { HTTPHeader($0.name, $0.value) }
    request.body = body
    request.tls.authorityFile = authorityFile
    request.limits.body = Self.largestAnswer
    do throws(HTTPError) {
      let response = try await request.response(by: deadline)
      let after = response.values(of: "Retry-After").first.flatMap { Int($0) }.flatMap { $0 >= 0 ? $0 : nil }
      return WebAnswer(
        status: response.status, body: String(decoding: response.body, as: UTF8.self),
        retryAfter: after.map { .seconds(min($0, 86_400)) }, redirect: response.hops.last?.redirect,
        server: Self.server(of: url))
    } catch {
      throw DeliveryError(error)
    }
  }

  /// The credentials of Bearer authentication (RFC 6750).
  static func bearer(_ token: Secret) -> [(name: String, value: String)] {
    [("Authorization", "Bearer \(token.revealText())")]
  }

  /// Those of Basic authentication (RFC 7617).
  static func basic(_ username: String, _ password: Secret) -> [(name: String, value: String)] {
    [("Authorization", "Basic \(Secret.basicCredentials(username, password).revealText())")]
  }

  /// Host and port of a URL: all else of it may be secret.
  static func server(of url: String) -> String {
    let rest = url.firstRange(of: "://").map { url[$0.upperBound...] } ?? url[...]
    return String(rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" })
  }
}

extension DeliveryError {
  fileprivate init(_ error: HTTPError) {
    let isTemporary: Bool
    let code: String
    switch error.code {
    case .invalidRequest, .unavailable: (code, isTemporary) = ("notify.cannotSend", false)
    case .nameNotFound, .nameUnanswered, .connectionRefused, .connectionTimedOut, .unreachable, .proxyFailed:
      (code, isTemporary) = ("notify.unreachable", true)
    case .tlsFailed, .certificateUntrusted: (code, isTemporary) = ("notify.tlsFailed", false)
    case .bodyTooLarge, .headersTooLarge: (code, isTemporary) = ("notify.answerTooLarge", false)
    case .noResponse, .responseBroken, .bodyUndecodable: (code, isTemporary) = ("notify.noAnswer", true)
    case .tooManyRedirects, .redirectRefused: (code, isTemporary) = ("notify.redirected", false)
    case .timedOut: (code, isTemporary) = ("notify.timedOut", true)
    case .cancelled: (code, isTemporary) = ("notify.stopped", false)
    }
    self.init(
      code, error.message, advice: error.advice.isEmpty ? nil : error.advice, isTemporary: isTemporary)
  }
}
