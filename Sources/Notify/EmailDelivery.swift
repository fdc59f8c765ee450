import HTTP
import Notices
import Schema

extension Channel.Email {
  func take(_ notice: OutgoingNotice, by deadline: ContinuousClock.Instant) async throws(DeliveryError)
    -> ChannelAcceptance
  {
    let mail = MailMessage(notice, from: sender, to: recipients)
    var request = MailRequest(
      host: host, port: UInt16(clamping: port), security: request(security), sender: sender, recipients: recipients,
      message: mail.bytes)
    request.username = username
    request.password = password?.revealText()
    request.authorityFile = authorityFile
    do throws(MailError) {
      let reply = try await request.send(by: deadline)
      return ChannelAcceptance(receipt: mail.messageID, answer: reply)
    } catch {
      throw DeliveryError(
        Self.code(of: error), error.message, advice: error.advice.isEmpty ? nil : error.advice,
        answer: error.reply.isEmpty ? nil : error.reply, isTemporary: error.isTemporary)
    }
  }

  private static func code(of error: MailError) -> String {
    switch error.code {
    case .invalid, .unavailable: "notify.cannotSend"
    case .unreachable: "notify.unreachable"
    case .tlsFailed, .certificateUntrusted: "notify.tlsFailed"
    case .authenticationFailed: "notify.authenticationFailed"
    case .refused: "notify.refused"
    case .deferred: "notify.deferred"
    case .noAnswer: "notify.noAnswer"
    case .timedOut: "notify.timedOut"
    case .cancelled: "notify.stopped"
    }
  }

  private func request(_ security: MailSecurity) -> MailRequest.Security {
    switch security {
    case .implicit: .implicit
    case .starttls: .starttls
    case .none: .none
    }
  }
}
