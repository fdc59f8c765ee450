import COpenSSL
import STUN

/// OpenSSL's error queue. It belongs to the thread: read it in the same function as the call that failed.
enum OpenSSLErrors {
  /// The reasons in the queue, oldest first, without repetition; the queue is empty afterwards.
  static func take() -> [String] {
    var reasons: [String] = []
    while case let code = ERR_get_error(), code != 0 {
      guard let text = ERR_reason_error_string(code) else { continue }
      let reason = String(cString: text)
      if !reasons.contains(reason) { reasons.append(reason) }
    }
    return reasons
  }

  static func failure(_ kind: TLSFailure.Kind, _ what: String) -> TLSFailure {
    TLSFailure(kind, ([what] + take()).joined(separator: ": "))
  }

  /// What a failed handshake means, from the reasons that the library left.
  static func handshakeFailure() -> TLSFailure {
    let reasons = take()
    let text = reasons.isEmpty ? "the handshake failed" : reasons.joined(separator: ", ")
    let kind: TLSFailure.Kind =
      if reasons.contains(where: { $0.contains("wrong version number") || $0.contains("record layer failure") }) {
        .notTLS
      } else if reasons.contains(where: {
        $0.contains("unsupported protocol") || $0.contains("protocol version") || $0.contains("no protocols available")
      }) {
        .noCommonVersion
      } else if reasons.contains(where: { $0.contains("alert") }) {
        .refused
      } else {
        .other
      }
    return TLSFailure(kind, text)
  }
}
