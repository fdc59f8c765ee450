import CCurl
import Connections
import Glibc
import Schema

extension HTTPError {
  /// No address answered.
  init(unconnected url: HTTPURL, _ tries: [ConnectionTry], outOfTime: Bool) {
    let all = tries.map { "\($0.address) \($0.inWords)" }.joined(separator: ", ")
    if outOfTime || tries.contains(where: { $0.answer == .silent }) {
      self.init(
        .connectionTimedOut, "No connection to \(url.server): \(all).",
        advice: "Look at firewalls on the way, and whether the host is up.")
    } else if tries.contains(where: { $0.answer == .refused }) {
      self.init(
        .connectionRefused, "No connection to \(url.server): \(all).",
        advice: "Look whether the service runs, and at which address and port it listens.")
    } else {
      self.init(
        .unreachable, "No connection to \(url.server): \(all).", advice: "Look at this host's addresses and routes.")
    }
  }

  init(socket path: String, errorNumber: Int32) {
    let number = path.utf8.count > 107 ? ENAMETOOLONG : errorNumber
    let reason = number == 0 ? "it was not connected" : String(cString: strerror(number))
    self.init(
      number == ECONNREFUSED ? .connectionRefused : .unreachable,
      "The unix socket \(path) cannot be used: \(reason).",
      advice: "Look whether its service runs, whether this user may open it, and at the path.")
    socketError = number == 0 ? nil : number
  }

  init(notHTTP url: HTTPURL) {
    self.init(
      .noResponse, "\(url.server) accepted the connection and gave no HTTP response.",
      advice: "Look which service listens there, and whether it wants https.")
  }

  init(_ excess: TransferSink.Excess, _ url: HTTPURL, _ limits: HTTPRequest.Limits) {
    switch excess {
    case .head:
      self.init(
        .headersTooLarge, "\(url.server) sent more than \(byteSizeLiteral(Int64(limits.head))) of header fields.",
        advice: "Look which service answers there.")
    case .body:
      self.init(
        .bodyTooLarge, "\(url.server) sent a body of more than \(byteSizeLiteral(Int64(limits.body))), decoded.",
        advice: "Look which service answers there, or raise the limit.")
    }
  }

  /// The time was over once there was a connection.
  init(outOfTime url: HTTPURL, _ outcome: Transfer.Ending) {
    let state: Sentence =
      if outcome.phases.firstByte != nil {
        "\(url.server) began its response and did not end it in time."
      } else if outcome.phases.connect == nil {
        "No connection to \(url.server) in time."
      } else if url.usesTLS, outcome.phases.tls == nil {
        "\(url.server) did not finish the TLS handshake in time."
      } else {
        "\(url.server) gave no response in time."
      }
    self.init(.timedOut, state, advice: "Look at the server's load and log.")
  }

  /// libcurl gave up.
  init(
    _ code: CURLcode, _ url: HTTPURL, _ outcome: Transfer.Ending, detail: String
  ) {
    let reason = detail.isEmpty ? String(cString: runbook_curl_meaning(code)) : detail
    switch code {
    case CURLE_GOT_NOTHING, CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
      self.init(
        .noResponse, "\(url.server) accepted the connection and gave no HTTP response (\(reason)).",
        advice: "Look which service listens there, and whether it wants https.")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
      self.init(
        .certificateUntrusted, "The certificate of \(url.server) is not accepted (\(reason)).",
        advice: "Look at its end, its names and its chain, for example with the module tls.certificate.")
    case CURLE_SSL_CACERT_BADFILE:
      self.init(
        .invalidRequest, "The file of certificate authorities cannot be used (\(reason)).",
        advice: "It must be readable and hold certificates as PEM.")
    case CURLE_SSL_CERTPROBLEM:
      self.init(
        .invalidRequest, "The client certificate or its key cannot be used (\(reason)).",
        advice: "Both must be readable, PEM, and belong together.")
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND, CURLE_USE_SSL_FAILED:
      self.init(
        .tlsFailed, "No TLS with \(url.server) (\(reason)).",
        advice: "Look whether the port speaks TLS, and at the server's versions and ciphers.")
    case CURLE_BAD_CONTENT_ENCODING:
      self.init(
        .bodyUndecodable, "The body that \(url.server) sent is not coded as it says (\(reason)).",
        advice: "Look at the server's compression, and at proxies that change it.")
    case CURLE_COULDNT_RESOLVE_PROXY, CURLE_PROXY:
      self.init(
        .proxyFailed, "The proxy of the environment cannot be used (\(reason)).",
        advice: "Look at http_proxy, https_proxy and no_proxy.")
    case CURLE_COULDNT_RESOLVE_HOST:
      self.init(
        .nameNotFound, "The name \(url.origin.host) has no address (\(reason)).",
        advice: "Look at the spelling, and at the name's A and AAAA records.")
    case CURLE_COULDNT_CONNECT:
      self.init(
        .connectionRefused, "No connection to \(url.server), or to the proxy before it (\(reason)).",
        advice: "Look whether the service runs, and at http_proxy, https_proxy and no_proxy.")
    default:
      self.init(
        outcome.head.status > 0 ? .responseBroken : .noResponse,
        "The exchange with \(url.server) broke off (\(reason)).",
        advice: "Look at the server's log, and at proxies between.")
    }
  }
}

extension ConnectionTry {
  fileprivate var inWords: String {
    switch answer {
    case .connected: "is connected"
    case .refused: "refused it"
    case .silent: "is silent"
    case .unreachable: "cannot be reached"
    case .passedOver: "was passed over"
    case .failed: "failed (\(errorNumber.map { String(cString: strerror($0)) } ?? "no reason given"))"
    }
  }
}
