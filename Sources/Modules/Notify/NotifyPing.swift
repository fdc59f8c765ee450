import Journal
import Notify
package import Schema
package import Steps

/// Gives a sign of life to a service that tells people if it does not come.
package struct NotifyPing: StepModule {
  package enum PingMoment: String, Sendable, CaseIterable {
    case start
    case end
  }

  package struct Input: Sendable {
    package var url: Secret
    package var moment: PingMoment
    package var exitCode: Int
  }

  package struct Output: Sendable {
    package var tries: Int
    package var elapsed: Duration
    package var answer: String
  }

  package static let declaration = ModuleDeclaration(
    "notify.ping", "Pings a service that tells people if no ping comes.",
    discussion: """
      A host that is down tells nobody. A service elsewhere, such as healthchecks.io or one of your own, knows when to expect a ping, and
      tells people if it does not come (a dead man's switch).

      `at: start` asks for `URL/start`; without it, exit code 0 asks for the URL itself, and another one for `URL/EXITCODE`, which such
      services take as a failure. The answer must be 2xx; `OK (not found)` and `OK (rate limited)`, which healthchecks.io sends with 200, are
      failures too. A redirect is not followed. What may be better soon is tried three times.

      A ping at the end belongs into `finally`, so that it is sent however the steps end. Who knows the URL can ping: it is a secret.
      """,
    effect: .notify, judges: true, deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("url", \.url, .secret, "The URL of the check, with http or https."),
      Field("at", \.moment, .enumeration(PingMoment.self), default: .end, "Whether something begins, or ended."),
      Field(
        "exitCode", \.exitCode, .int.within(0...255), default: 0,
        "How it ended: 0 is success, all else failure. Not used at the start.")
    ),
    output: Record(
      Output.init,
      Field("tries", \.tries, .int, "How often it was tried."),
      Field("elapsed", \.elapsed, .duration, "How long all tries took."),
      Field("answer", \.answer, .string, "What the service answered, shortened, its URL masked.")
    ),
    examples: [
      .init("The service knows that a backup begins", with: "url: ${secrets.backupCheck}\nat: start"),
      .init(
        "The service hears how it ended",
        with: "url: ${secrets.backupCheck}\nexitCode: \"${run.outcome in ['pass', 'warn'] ? 0 : 1}\""),
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    guard (try? ValueType.url.parse(input.url.revealText())) != nil else {
      throw .notStarted(
        "notify.noURL", "The secret `url` is not a URL.", advice: "Set it to the check's URL; it begins with https://.")
    }
    let sign = LifeSign(input.moment == .start ? .start : .end(exitCode: input.exitCode), to: input.url)
    let delivery = await sign.send(by: context.deadline - min(.seconds(1), context.remaining / 10))
    let output = Output(tries: delivery.tries, elapsed: delivery.elapsed, answer: delivery.answer ?? "")
    guard let finding = delivery.finding else { return .done(output) }
    guard !Task.isCancelled else { throw StepError(.interrupted, finding) }
    return .failed(output, finding)
  }
}
