import Addresses
import CCurl
import Connections
import Glibc
import Names
import Processes
package import Schema

/// A mail to hand to a server by SMTP (RFC 5321), and how.
package struct MailRequest: Sendable {
  /// How the connection is encrypted. There is no way down: what is asked for comes about, or nothing is sent.
  package enum Security: String, Hashable, Sendable, CaseIterable {
    /// TLS from the first byte (RFC 8314).
    case implicit
    /// TLS by STARTTLS (RFC 3207), before anything else is said.
    case starttls
    /// In the clear.
    case none
  }

  package var host: String
  package var port: UInt16
  package var security: Security
  package var username: String?
  package var password: String?
  /// PEM; nil takes the system's authorities.
  package var authorityFile: String?
  package var sender: String
  package var recipients: [String]
  /// Header fields and body, with CR LF.
  package var message: [UInt8]

  package init(host: String, port: UInt16, security: Security, sender: String, recipients: [String], message: [UInt8]) {
    self.host = host
    self.port = port
    self.security = security
    self.sender = sender
    self.recipients = recipients
    self.message = message
  }

  /// Hands the mail to the server, and returns what the server said of it: `250 2.0.0 Ok: queued as 12345`.
  ///
  /// - Throws: also if the task is cancelled. The mail may have been taken all the same if the connection broke behind its end.
  package func send(by deadline: ContinuousClock.Instant) async throws(MailError) -> String {
    if let problem = await onBlockingThread({ runbook_curl_load().map { String(cString: $0) } }) {
      throw MailError(.unavailable, "libcurl cannot be used: \(problem).", advice: "Install it (Debian: libcurl4).")
    }
    guard let ascii = IPAddress(host) == nil ? asciiHostName(host) : host, !recipients.isEmpty,
      (recipients + [sender]).allSatisfy({ $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3C && $0 != 0x3E } })
    else {
      throw MailError(
        .invalid, "The mail cannot be sent: its server or one of its addresses is none.",
        advice: "Look at the server's name, at the sender and at the recipients.")
    }
    let addresses: [TransportAddress]
    do throws(ResolutionError) {
      let found = try await SystemResolver.addresses(of: ascii, .any, by: deadline)
      addresses = ConnectionAttempts.alternating(found).map { TransportAddress(ip: $0, port: port) }
    } catch {
      throw MailError(
        error.code == .notFound ? .invalid : .unreachable, "The name \(host) has no address (\(error.reason)).",
        advice: "Look at the server's name, and at /etc/resolv.conf.")
    }
    let transfer = MailTransfer(request: self, host: ascii, addresses: addresses, deadline: deadline)
    let interruption = StopSignal()
    let outcome = await withTaskCancellationHandler {
      await onBlockingThread { transfer.run(interruption: interruption) }
    } onCancel: {
      interruption.announce()
    }
    return try outcome.get()
  }
}

/// Why a mail was not taken.
package struct MailError: Error, Sendable {
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// The mail, its server's name or an address cannot be used.
    case invalid
    /// libcurl is not there.
    case unavailable
    /// No connection.
    case unreachable
    /// No TLS came about, or the server offers none.
    case tlsFailed
    case certificateUntrusted
    /// The server does not take user name and password.
    case authenticationFailed
    /// The server refuses the mail or an address for good (5yz).
    case refused
    /// The server takes it later (4yz).
    case deferred
    /// What answers is no mail server, or broke off.
    case noAnswer
    case timedOut
    case cancelled
  }

  package let code: Code
  package let message: Sentence
  package let advice: Sentence
  /// The server's last reply; empty if there is none.
  package internal(set) var reply = ""

  init(_ code: Code, _ message: Sentence, advice: Sentence = "") {
    self.code = code
    self.message = message
    self.advice = advice
  }

  /// Whether another try may go better.
  package var isTemporary: Bool {
    switch code {
    case .unreachable, .deferred, .noAnswer, .timedOut: true
    case .invalid, .unavailable, .tlsFailed, .certificateUntrusted, .authenticationFailed, .refused, .cancelled: false
    }
  }
}

/// What a mail server replied that counts: the last reply that takes something, and the last that refuses something. A client says
/// goodbye after either, and the reply to that tells nothing.
final class MailReplies {
  private(set) var acceptance = ""
  private(set) var refusal = ""

  func take(_ bytes: UnsafeRawBufferPointer) {
    let line = String(decoding: bytes.prefix(1000), as: UTF8.self).filter { $0 != "\r\n" && $0 != "\n" && $0 != "\r" }
    switch line.first {
    case "2" where !line.hasPrefix("221"): acceptance = line
    case "4", "5": refusal = line
    default: return
    }
  }
}

/// One exchange with a mail server over a connection of its own, carried out on one thread.
private struct MailTransfer: Sendable {
  let request: MailRequest
  /// As name servers write it.
  let host: String
  let addresses: [TransportAddress]
  let deadline: ContinuousClock.Instant

  private var server: String { "\(host.contains(":") ? "[\(host)]" : host):\(request.port)" }

  func run(interruption: StopSignal) -> Result<String, MailError> {
    let attempts = ConnectionAttempts(to: addresses, .first(delay: ConnectionAttempts.recommendedDelay))
    let (end, _) = attempts.run(by: deadline, interruption: interruption)
    guard case .connected(var socket) = end else {
      return .failure(
        end == .interrupted
          ? MailError(.cancelled, "The mail to \(server) was stopped.")
          : MailError(
            end == .outOfTime ? .timedOut : .unreachable, "No connection to the mail server \(server).",
            advice: "Look whether it runs, at which port it listens, and at firewalls on the way."))
    }
    return withUnsafeMutablePointer(to: &socket) { socket in
      defer { if socket.pointee >= 0 { close(socket.pointee) } }
      return carry(over: socket, interruption)
    }
  }

  private func carry(over socket: UnsafeMutablePointer<Int32>, _ interruption: StopSignal) -> Result<String, MailError>
  {
    guard let handle = CurlHandle() else {
      return .failure(MailError(.unavailable, "libcurl cannot begin a mail: out of memory."))
    }
    let replies = MailReplies()
    return request.message.withUnsafeBytes { bytes in
      var upload = runbook_curl_upload(
        bytes: bytes.baseAddress?.assumingMemoryBound(to: CChar.self), count: bytes.count, sent: 0)
      return withUnsafeMutablePointer(to: &upload) { upload in
        withExtendedLifetime(replies) {
          configure(handle)
          handle.receiveReplies(into: Unmanaged.passUnretained(replies).toOpaque())
          runbook_curl_set_socket(handle.raw, socket)
          runbook_curl_set_upload(handle.raw, upload)
          var error: MailError
          switch handle.isRefused ? .refused : perform(handle, interruption) {
          case .finished(CURLE_OK): return .success(replies.acceptance)
          case .finished(let code):
            error = failure(code, handle, reply: replies.refusal)
          case .outOfTime:
            error = MailError(
              .timedOut, "The mail server \(server) did not finish in time.", advice: "Look at its load and its log.")
          case .interrupted: error = MailError(.cancelled, "The mail to \(server) was stopped.")
          case .refused:
            error = MailError(
              .unavailable, "This libcurl (\(String(cString: runbook_curl_version()))) cannot send mail.",
              advice: "Install one with SMTP.")
          }
          error.reply = replies.refusal
          return .failure(error)
        }
      }
    }
  }

  private enum End {
    case finished(CURLcode)
    case outOfTime
    case interrupted
    case refused
  }

  private func perform(_ handle: CurlHandle, _ interruption: StopSignal) -> End {
    guard let session = runbook_curl_begin(handle.raw) else { return .refused }
    defer { runbook_curl_end(session, handle.raw) }
    while true {
      var code = CURLE_OK
      if runbook_curl_work(session, &code) != 0 { return .finished(code) }
      guard ContinuousClock.now < deadline else { return .outOfTime }
      if runbook_curl_wait(session, interruption.descriptor, waitingTime(until: deadline)) != 0 { return .interrupted }
    }
  }

  private func configure(_ handle: CurlHandle) {
    handle.set(CURLOPT_NOSIGNAL, true)
    handle.set(CURLOPT_PROTOCOLS, Int(CURLPROTO_SMTP | CURLPROTO_SMTPS))
    handle.set(CURLOPT_URL, "\(request.security == .implicit ? "smtps" : "smtp")://\(server)")
    handle.set(CURLOPT_PROXY, "")
    // The connection is there: this keeps libcurl from looking up the name again.
    handle.setConnectTo("::127.0.0.1:\(request.port)")
    handle.set(
      CURLOPT_USE_SSL, request.security == .none ? Int(CURLUSESSL_NONE.rawValue) : Int(CURLUSESSL_ALL.rawValue))
    handle.set(CURLOPT_SSL_VERIFYPEER, true)
    handle.set(CURLOPT_SSL_VERIFYHOST, 2)
    if let file = request.authorityFile {
      handle.set(CURLOPT_CAINFO, file)
      handle.set(CURLOPT_CAPATH, nil as String?)
    }
    if let username = request.username { handle.set(CURLOPT_USERNAME, username) }
    if let password = request.password { handle.set(CURLOPT_PASSWORD, password) }
    handle.set(CURLOPT_MAIL_FROM, "<\(request.sender)>")
    handle.setRecipients(request.recipients)
  }

  private func failure(_ code: CURLcode, _ handle: CurlHandle, reply: String) -> MailError {
    let reason = handle.detail.isEmpty ? String(cString: runbook_curl_meaning(code)) : handle.detail
    switch code {
    case CURLE_USE_SSL_FAILED:
      return MailError(
        .tlsFailed, "The mail server \(server) offers no STARTTLS: nothing was sent.",
        advice: "Look at the port: 587 speaks STARTTLS, 465 implicit TLS. Nothing is sent in the clear in its place.")
    case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND:
      return MailError(
        .tlsFailed, "No TLS with the mail server \(server) (\(reason)).",
        advice: "Look at the port: 587 speaks STARTTLS, 465 implicit TLS.")
    case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR:
      return MailError(
        .certificateUntrusted, "The certificate of the mail server \(server) is not accepted (\(reason)).",
        advice: "Look at its end, its names and its chain; a private authority is named by `ca`.")
    case CURLE_SSL_CACERT_BADFILE:
      return MailError(
        .invalid, "The file of certificate authorities cannot be used (\(reason)).",
        advice: "It must be readable and hold certificates as PEM.")
    case CURLE_LOGIN_DENIED:
      return MailError(
        .authenticationFailed, "The mail server \(server) refuses user name and password: \(reply).",
        advice: "Look at the user name, and whether the password is still the right one.")
    default: break
    }
    switch reply.first {
    case "5":
      return MailError(
        .refused, "The mail server \(server) refuses the mail: \(reply).",
        advice: "Look at the sender, at the recipients, and at what the server asks for.")
    case "4":
      return MailError(
        .deferred, "The mail server \(server) does not take the mail now: \(reply).", advice: "Look at its log.")
    default:
      return MailError(
        .noAnswer, "The exchange with the mail server \(server) broke off (\(reason)).",
        advice: "Look which service listens there, whether it wants TLS (`tls`), and at its log.")
    }
  }
}
