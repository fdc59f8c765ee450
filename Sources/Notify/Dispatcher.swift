package import Journal
package import Notices
import Schema

/// Delivers notices along their routes.
package struct Dispatcher: Sendable {
  /// How long to wait behind the first failed try of a channel, behind the second, and so on; there is one try more than pauses.
  private let pauses: [Duration]
  /// Nil if channels take any number of notices.
  private let counts: NoticeCounts?

  /// - Parameter state: where it is counted what channels with a limit took. Without it, limits do not count.
  package init(pauses: [Duration] = [.seconds(1), .seconds(3)], state: StateFolder? = nil) {
    self.pauses = pauses
    counts = state.map(NoticeCounts.init)
  }

  /// Tells the channels of a route: of those in turn, one after the other until one takes the notice, and each of the copies.
  ///
  /// The time is divided among the channels that are left, so that one that never answers leaves the next one its share.
  ///
  /// - Parameters:
  ///   - taken: channels that took this notice before: they are not told again.
  ///   - isRepetition: whether the notice may have been sent before, without a record of it.
  ///   - deadline: when it is given up.
  ///   - report: gets each delivery as soon as it has ended.
  /// - Returns: every delivery that was tried, in order.
  package func deliver(
    _ notice: OutgoingNotice, along route: ChannelRoutes.Route, taken: Set<String> = [], isRepetition: Bool = false,
    by deadline: ContinuousClock.Instant,
    report: (NoticeDelivery) async -> Void = { _ in }
  ) async -> [NoticeDelivery] {
    var deliveries: [NoticeDelivery] = []
    var copies = route.copies.filter { !taken.contains($0.name) }
    var inTurn = route.inTurn.contains { taken.contains($0.name) } ? [] : route.inTurn
    func tell(_ channel: Channel, others: Int) async -> Bool {
      let share = ContinuousClock.now.duration(to: deadline) / (others + 1)
      let delivery = await deliverWithinLimit(
        notice, to: channel, isRepetition: isRepetition, by: .now + max(.zero, share))
      deliveries.append(delivery)
      await report(delivery)
      return delivery.isDelivered
    }
    while let channel = inTurn.first, !Task.isCancelled {
      inTurn.removeFirst()
      if await tell(channel, others: inTurn.count + copies.count) { inTurn = [] }
    }
    while let channel = copies.first, !Task.isCancelled {
      copies.removeFirst()
      _ = await tell(channel, others: copies.count)
    }
    return deliveries
  }

  /// Tells a channel, unless it has had as many notices as its limit allows. What is over is told all the same.
  ///
  /// If nobody can tell how many it had, it is told: a notice too many is better than one that is lost.
  private func deliverWithinLimit(
    _ notice: OutgoingNotice, to channel: Channel, isRepetition: Bool, by deadline: ContinuousClock.Instant
  ) async -> NoticeDelivery {
    guard let counts, let limit = channel.limit, notice.status == .firing else {
      return await deliver(notice, to: channel, isRepetition: isRepetition, by: deadline)
    }
    var place: NoticeCounts.Place?
    var uncounted: NoticeCountError?
    // Half of the time is for what others are at, the other half for the channel.
    let end = ContinuousClock.now + ContinuousClock.now.duration(to: deadline) / 2
    do throws(NoticeCountError) {
      waiting: while true {
        switch try await counts.take(limit, of: channel.name, for: notice, isLast: .now >= end) {
        case .place(let found):
          place = found
          break waiting
        case .limited: return .limited(channel.name, limit, notice.level)
        case .undecided:
          guard (try? await Task.sleep(for: .milliseconds(200))) != nil else {
            return .limited(channel.name, limit, notice.level)
          }
        }
      }
    } catch { uncounted = error }
    var delivery = await deliver(
      notice.mentioning(place?.heldBack), to: channel, isRepetition: isRepetition, by: deadline)
    if let place {
      do throws(NoticeCountError) { try await counts.settle(place, isDelivered: delivery.isDelivered) } catch {
        uncounted = error
      }
    }
    if let uncounted {
      delivery.answer = [delivery.answer, uncounted.message].compactMap(\.self).joined(separator: "; ")
    }
    return delivery
  }

  /// Tells one channel, with as many tries as it takes and the time allows. Every try says the same and has the same key.
  ///
  /// - Parameter isRepetition: whether the notice may have been sent before, without a record of it.
  package func deliver(
    _ notice: OutgoingNotice, to channel: Channel, isRepetition: Bool = false, by deadline: ContinuousClock.Instant
  ) async -> NoticeDelivery {
    let tries = DeliveryTries(pauses: pauses, masking: SecretMasking(channel.secrets), deadline: deadline)
    // Whatever this run sent has its id in it, and is no older than it.
    let start = isRepetition ? notice.origin.run.flatMap(ULID.time(of:)) : nil
    var messages = SentMessages(since: start ?? notice.time)
    if isRepetition, case .twilio(let twilio) = channel.kind { messages.unclear = Set(twilio.recipients) }
    return await tries.deliver(to: channel.name) { () async throws(DeliveryError) in
      // Twilio's messages are mostly waited for: it takes a place for each of its requests.
      if case .twilio = channel.kind {
        return try await channel.take(notice, by: min(deadline, .now + channel.timeout), &messages)
      }
      // A file system that hangs ends at no deadline: it must not hold the places of others.
      let slots = if case .file = channel.kind { DeliverySlots.files } else { DeliverySlots.shared }
      return try await slots.use { () async throws(DeliveryError) in
        try await channel.take(notice, by: min(deadline, .now + channel.timeout), &messages)
      }
    }
  }
}

extension Channel {
  /// One try.
  ///
  /// - Parameter messages: what earlier tries have sent already.
  fileprivate func take(
    _ notice: OutgoingNotice, by deadline: ContinuousClock.Instant, _ messages: inout SentMessages
  ) async throws(DeliveryError) -> ChannelAcceptance {
    switch kind {
    case .email(let email): try await email.take(notice, by: deadline)
    case .slack(let slack): try await slack.take(notice, by: deadline)
    case .webhook(let webhook): try await webhook.take(notice, by: deadline)
    case .alertmanager(let alertmanager): try await alertmanager.take(notice, by: deadline)
    case .twilio(let twilio): try await twilio.take(notice, by: deadline, &messages)
    case .command(let words): try await takeByCommand(words, notice, by: deadline)
    case .file(let path): try await takeByFile(path, notice)
    }
  }
}
