import Journal
package import Notices
import Notify
import Processes
package import Schema
package import Steps

/// Tells people through the project's channels.
package struct NotifyModule: StepModule {
  package struct Input: Sendable {
    package var level: NoticeLevel
    package var title: String?
    package var text: String
    package var look: String?
    package var since: Timestamp?
    package var channels: [String]
  }

  package struct Output: Sendable {
    package var delivered: [String]
    package var failed: [String]
    package var deliveries: [DeliveryRecord]
    package var suppressed: [SuppressionRecord]
  }

  package static let declaration = ModuleDeclaration(
    "notify", "Tells people through the channels of the project.",
    discussion: """
      `channels` of `runbook.yaml` says who hears a notice of which level. The channels that take its level are tried in the order in which they
      are declared until one takes it; those with `copy: true` are told as well. A channel that fails is tried again if that may
      help, then the next one is told. If none takes the notice, the step fails; if one that failed was replaced by another, it warns.

      The notice names the runbook, its target, the run, and the command that shows more. Every try says the same and has the same key,
      so that a receiver can tell a repetition: a mail's Message-ID, the header field Idempotency-Key of a webhook. A run that
      is resumed does not tell a channel again that took the notice.

      In a window of the project's `silence`, nobody is told of what can wait. As long as people know of a runbook of severity P1 that fails on
      the same target, a less severe one tells nobody of what is not critical. A channel with a `limit` is passed over once it had its number of
      notices. `suppressed` says who was not told, and why. If nobody was told for such a reason, the step passes; because of a limit, it warns.

      What stands in `text` goes out as it is: mind what a step's output may hold. Secrets cannot get there.
      """,
    effect: .notify, judges: true, services: [.channels], deadline: .seconds(60),
    input: Record(
      Input.init,
      Field("level", \.level, .enumeration(NoticeLevel.self), default: .info, "How urgent it is."),
      Field(
        "title", \.title, .optional(.string),
        "What failed on what, in one line; the first line of `text`, if not given."),
      Field("text", \.text, .string, "What people must know."),
      Field("look", \.look, .optional(.string), "The first thing to look at."),
      Field("since", \.since, .optional(.timestamp), "Since when it is so."),
      Field(
        "channels", \.channels, .list(.string), default: [],
        "The channels to try, in this order, in place of those of the level.")
    ),
    output: Record(
      Output.init,
      Field("delivered", \.delivered, .list(.string), "The channels that took it."),
      Field("failed", \.failed, .list(.string), "The channels that did not."),
      Field("deliveries", \.deliveries, .list(.record(DeliveryRecord.record)), "Each channel that was told, in order."),
      Field(
        "suppressed", \.suppressed, .list(.record(SuppressionRecord.record)),
        "The channels that were not told on purpose, and why.")
    ),
    examples: [
      .init(
        "Whoever is on call hears of it",
        with: """
          level: critical
          title: TURN relay is down
          text: Relaying through the server failed three times in a row.
          look: "is turnserver running: systemctl status coturn"
          """),
      .init("The team's log has it", with: "text: The configuration was changed.\nchannels: [log]"),
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard let routes = context.services.channels else {
      throw .notStarted(
        "notify.noChannels", "This project declares no channels", advice: "Declare `channels` in runbook.yaml.")
    }
    for name in input.channels where routes[name] == nil {
      throw .notStarted(
        "notify.unknownChannel", "There is no channel \(name)",
        advice: "There are \(routes.channels.map(\.name).joined(separator: ", ")).")
    }
    let route = input.channels.isEmpty ? routes.route(input.level) : routes.route(input.channels)
    guard !route.isEmpty else {
      let output = Output(delivered: [], failed: [], deliveries: [], suppressed: [])
      let finding = Finding(
        "notify.noChannel", "no channel takes notices of the level \(input.level.rawValue): nobody was told",
        advice: "Lower the `level` of a channel in runbook.yaml.")
      return input.level == .info ? .warned(output, finding) : .failed(output, finding)
    }
    let notice = Self.notice(input, context, project: routes.project)
    let (open, held) = routes.suppressing(
      notice, along: route, taken: context.deliveredTo, outage: Self.outage(holdingBack: notice, context))
    for suppression in held {
      for channel in suppression.channels { context.delivered(.suppressed(channel, suppression.finding)) }
    }
    let deliveries = await Dispatcher(state: context.services.state).deliver(
      notice, along: open, taken: context.deliveredTo, isRepetition: context.isRepetition,
      by: context.deadline - min(.seconds(1), context.remaining / 10)
    ) { delivery in
      context.delivered(
        ChannelAnswer(
          channel: delivery.channel, receipt: delivery.receipt, answer: delivery.answer, finding: delivery.finding,
          isSuppressed: delivery.isSuppressed))
    }
    let told = context.deliveredTo.sorted() + deliveries.filter(\.isDelivered).map(\.channel)
    let failed = deliveries.filter { !$0.isDelivered && !$0.isSuppressed }
    let limited = deliveries.filter(\.isSuppressed)
    let output = Output(
      delivered: told, failed: failed.map(\.channel),
      deliveries: deliveries.filter { !$0.isSuppressed }.map(DeliveryRecord.init),
      suppressed: held.flatMap(SuppressionRecord.of)
        + limited.compactMap { SuppressionRecord($0.channel, $0.finding) })
    guard !told.isEmpty || !Task.isCancelled else {
      throw StepError(
        .interrupted,
        Finding(
          "notify.stopped", "nobody was told: the step was ended before",
          advice: "Tell them by hand, or let the step have more time."))
    }
    guard let first = failed.first, let reason = first.finding else {
      guard told.isEmpty, let limit = limited.first?.finding else { return .done(output) }
      return .warned(output, limit)
    }
    guard !told.isEmpty else {
      return .failed(
        output,
        Finding(
          "notify.nobodyTold", "nobody was told: \(first.channel): \(reason.sentence)", advice: reason.advisory))
    }
    return .warned(
      output,
      Finding(
        "notify.channelFailed",
        "\(first.channel) did not take the notice, \(told.joined(separator: ", ")) did: \(reason.sentence)",
        advice: reason.advisory))
  }

  /// What of severity P1 fails on the same target, if a less severe runbook tells of something that is not critical.
  private static func outage(holdingBack notice: OutgoingNotice, _ context: StepContext) -> String? {
    guard let severity = context.origin.severity, severity != "P1", notice.level < .critical,
      let target = context.origin.target, let runbook = context.origin.runbook
    else { return nil }
    return context.services.outages?.outage(on: target, besides: runbook).map { "\($0) fails on \(target)" }
  }

  private static func notice(_ input: Input, _ context: StepContext, project: String?) -> OutgoingNotice {
    let first = input.text.plain.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: true)
    let fallback = first.first.map(String.init) ?? "(no text)"
    let isFirstWhole = fallback.onOneLine.count <= OutgoingNotice.longestTitle
    let rest = input.title == nil && isFirstWhole ? first.dropFirst().first.map(String.init) ?? "" : input.text
    return OutgoingNotice(
      key: context.idempotencyKey, level: input.level, title: input.title ?? fallback, text: rest, look: input.look,
      since: input.since, time: Moment.now().wall,
      origin: OutgoingNotice.Provenance(
        run: context.run, runbook: context.origin.runbook, target: context.origin.target, step: context.path,
        host: hostName(), project: project))
  }
}

/// A channel that was not told of a notice on purpose, as an output.
package struct SuppressionRecord: Hashable, Sendable {
  package var channel: String
  package var code: String
  package var reason: String

  static let record = Record(
    Self.init,
    Field("channel", \.channel, .string, "Name of the channel."),
    Field("code", \.code, .string, "The code of the reason: `notify.silenced`, `notify.muted` or `notify.limited`."),
    Field("reason", \.reason, .string, "Why it was not told.")
  )
}

extension SuppressionRecord {
  fileprivate init?(_ channel: String, _ finding: Finding?) {
    guard let finding else { return nil }
    self.init(channel: channel, code: finding.code, reason: finding.message)
  }

  fileprivate static func of(_ suppression: Suppression) -> [SuppressionRecord] {
    suppression.channels.compactMap { SuppressionRecord($0, suppression.finding) }
  }
}

extension ChannelAnswer {
  fileprivate static func suppressed(_ channel: String, _ finding: Finding) -> ChannelAnswer {
    ChannelAnswer(channel: channel, receipt: nil, answer: nil, finding: finding, isSuppressed: true)
  }
}

/// What became of a notice at one channel, as an output.
package struct DeliveryRecord: Hashable, Sendable {
  package var channel: String
  package var delivered: Bool
  package var tries: Int
  package var elapsed: Duration
  package var receipt: String?
  package var answer: String?
  package var reason: String?

  static let record = Record(
    Self.init,
    Field("channel", \.channel, .string, "Name of the channel."),
    Field("delivered", \.delivered, .bool, "Whether it took the notice, by its own word."),
    Field("tries", \.tries, .int, "How often it was tried."),
    Field("elapsed", \.elapsed, .duration, "How long all tries took."),
    Field("receipt", \.receipt, .optional(.string), "What the channel calls the notice."),
    Field("answer", \.answer, .optional(.string), "What the channel answered, shortened, its secrets masked."),
    Field("reason", \.reason, .optional(.string), "Why it did not take it.")
  )
}

extension DeliveryRecord {
  init(_ delivery: NoticeDelivery) {
    self.init(
      channel: delivery.channel, delivered: delivery.isDelivered, tries: delivery.tries, elapsed: delivery.elapsed,
      receipt: delivery.receipt, answer: delivery.answer, reason: delivery.finding?.message)
  }
}
