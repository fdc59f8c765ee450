import Journal
import Schema

/// One delivery, tried again if that may help.
struct DeliveryTries: Sendable {
  /// How long to wait behind the first failed try, behind the second, and so on; there is one try more than pauses.
  var pauses: [Duration]
  /// Of what is told.
  var masking: SecretMasking
  /// When it is given up.
  var deadline: ContinuousClock.Instant

  /// - Parameters:
  ///   - name: of the channel.
  ///   - take: one try.
  func deliver(
    to name: String, _ take: () async throws(DeliveryError) -> ChannelAcceptance
  ) async -> NoticeDelivery {
    let start = ContinuousClock.now
    var delivery = NoticeDelivery(channel: name, isDelivered: false, tries: 0, elapsed: .zero)
    var pauses = pauses[...]
    while true {
      delivery.tries += 1
      do throws(DeliveryError) {
        let accepted = try await take()
        delivery.isDelivered = true
        delivery.receipt = accepted.receipt.map { masking.masked($0.asAnswer) }
        delivery.answer = accepted.answer.map { masking.masked($0).asAnswer }
        delivery.finding = nil
        break
      } catch {
        delivery.answer = error.answer.map { masking.masked($0).asAnswer }
        delivery.finding = Finding(
          error.code, masking.masked(error.message).withoutFullStop,
          advice: error.advice.map(masking.masked))
        guard error.isTemporary, let pause = pauses.popFirst() else { break }
        let wait = max(pause, error.retryAfter ?? .zero)
        // A channel that asks for more time than there is leaves it to the next one.
        guard .now + wait < deadline, (try? await Task.sleep(for: wait)) != nil else { break }
      }
    }
    delivery.elapsed = start.duration(to: .now)
    return delivery
  }
}
