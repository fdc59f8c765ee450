import COpenSSL
import STUN

/// What was in OpenSSL's error queue. It belongs to the thread: take it in the same function as the call that failed.
///
/// What an error means is told by its numbers: the words of an error differ between releases, and may be left out of a
/// library.
struct OpenSSLErrors {
  /// Oldest first; a later one may only say what an earlier one led to.
  private let errors: [OpenSSLError]

  /// Empties the queue.
  static func take() -> OpenSSLErrors {
    var errors: [OpenSSLError] = []
    while case let code = ERR_get_error(), code != 0 { errors.append(OpenSSLError(code)) }
    return OpenSSLErrors(errors: errors)
  }

  /// For people, without repetition.
  var words: [String] {
    errors.compactMap(\.words).reduce(into: []) { words, next in if !words.contains(next) { words.append(next) } }
  }

  /// The alert that the server ended the session with (RFC 8446, section 6).
  var alert: CInt? { errors.lazy.compactMap(\.alert).first }

  func contains(anyOf kinds: Set<OpenSSLError.Kind>) -> Bool { errors.contains { kinds.contains($0.kind) } }

  static func failure(_ kind: TLSFailure.Kind, _ what: String) -> TLSFailure {
    TLSFailure(kind, ([what] + take().words).joined(separator: ": "))
  }

  /// What they mean where a handshake failed.
  var handshakeFailure: TLSFailure {
    let kind: TLSFailure.Kind =
      if contains(anyOf: Self.noTLS) {
        .notTLS
      } else if contains(anyOf: Self.noVersionHere) {
        .configuration
      } else if contains(anyOf: Self.otherVersion) || alert == SSL_AD_PROTOCOL_VERSION {
        .noCommonVersion
      } else if alert != nil {
        .refused
      } else {
        .other
      }
    if alert == SSL_AD_NO_APPLICATION_PROTOCOL {
      return TLSFailure(.refused, "\(words.joined(separator: ", ")): it speaks another protocol there, perhaps HTTPS")
    }
    return TLSFailure(kind, words.isEmpty ? "the handshake failed" : words.joined(separator: ", "))
  }

  /// The first bytes are of no record; the library knows HTTP when it sees it.
  private static let noTLS: Set<OpenSSLError.Kind> = [
    .tls(SSL_R_WRONG_VERSION_NUMBER), .tls(SSL_R_HTTP_REQUEST), .tls(SSL_R_HTTPS_PROXY_REQUEST),
  ]
  private static let noVersionHere: Set<OpenSSLError.Kind> = [.tls(SSL_R_NO_PROTOCOLS_AVAILABLE)]
  private static let otherVersion: Set<OpenSSLError.Kind> = [
    .tls(SSL_R_UNSUPPORTED_PROTOCOL), .tls(SSL_R_WRONG_SSL_VERSION), .tls(SSL_R_BAD_PROTOCOL_VERSION_NUMBER),
  ]
}

/// One error that OpenSSL reported.
struct OpenSSLError: Sendable {
  /// The part of the library (`ERR_LIB_…`), and the reason as this part counts them.
  struct Kind: Hashable, Sendable {
    let library: CInt
    let reason: CInt

    static func tls(_ reason: CInt) -> Kind { Kind(library: ERR_LIB_SSL, reason: reason) }
  }

  let kind: Kind
  private let code: UInt

  init(_ code: UInt) {
    self.code = code
    kind = Kind(library: ERR_GET_LIB(code), reason: ERR_GET_REASON(code))
  }

  /// The number of an alert that was received.
  var alert: CInt? {
    let number = kind.reason - SSL_AD_REASON_OFFSET
    return kind.library == ERR_LIB_SSL && (0...255).contains(number) ? number : nil
  }

  /// nil if the library has none.
  var words: String? {
    if let text = ERR_reason_error_string(code) { return unsafe String(cString: text) }
    return alert.map { "alert number \($0)" }
  }
}
