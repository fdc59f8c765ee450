package import Schema

/// Why there is no response.
package struct HTTPError: Error, Sendable {
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The request cannot be sent as it is.
    case invalidRequest
    /// libcurl is not there.
    case unavailable
    case nameNotFound
    case nameUnanswered
    case connectionRefused
    /// No address answered.
    case connectionTimedOut
    /// There is no way there, or the socket cannot be used.
    case unreachable
    /// No TLS came about.
    case tlsFailed
    case certificateUntrusted
    /// What came back is no HTTP, or nothing.
    case noResponse
    /// The connection ended, or the server broke the protocol, in the middle.
    case responseBroken
    case headersTooLarge
    case bodyTooLarge
    /// The body is not coded as the server says.
    case bodyUndecodable
    case tooManyRedirects
    /// A redirect leads to where it must not be followed.
    case redirectRefused
    case proxyFailed
    /// The time was over.
    case timedOut
    case cancelled
  }

  package let code: Code
  package let message: Sentence
  package let advice: Sentence
  /// Each request that was sent, the failed one last, with what is known of it.
  package internal(set) var hops: [HTTPHop] = []
  package internal(set) var elapsed = Duration.zero
  /// errno(3) of a unix socket that cannot be connected to; nil for every other error, and where it is not known.
  package internal(set) var socketError: Int32?

  init(_ code: Code, _ message: Sentence, advice: Sentence = "") {
    self.code = code
    self.message = message
    self.advice = advice
  }
}

extension HTTPError: CustomStringConvertible {
  /// Code, message and advice, in one line.
  package var description: String { "\(code.rawValue): \(message)" + (advice.isEmpty ? "" : " \(advice)") }
}
