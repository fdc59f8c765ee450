package import ArgumentParser
import Journal
import Language
import Notices
import Notify
import Processes
import Schema
import TerminalText

/// `runbook notify test`.
package struct NotifyTestCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Send one notice through a channel, and show what it answered.",
    discussion: """
      The notice says that it is a test. Only this channel is told, whatever its level: no other takes its place if it fails. The exit code is 0 \
      if the channel took the notice by its own word, 1 if it did not, and 2 if there is no such channel or its secret is missing.

        runbook notify test oncall-mail
        runbook notify test pager --level critical
        runbook notify test team --format json
      """)

  @Argument(help: "The channel's name in runbook.yaml.", completion: ProjectCompletion.channels) var channel: String

  @Option(help: ArgumentHelp("How urgent the notice is: info, warning or critical.", valueName: "level"))
  var level: NoticeLevel = .info

  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() async throws {
    let project = try options.load()
    guard project.channelNames.contains(channel) else {
      let names = project.channelNames
      throw CommandFailure(
        .invalid, "there is no channel \"\(channel)\"",
        advice: names.isEmpty
          ? "declare it under `channels` in runbook.yaml: see docs/guides/notifications.md"
          : "there are \(names.joined(separator: ", "))")
    }
    let routes: ChannelRoutes
    do throws(Issues) { routes = try project.channelRoutes(only: channel) } catch {
      throw Diagnostics(root: project.root).failure(error.all)
    }
    guard let settings = routes[channel] else { return }
    let now = Moment.now().wall
    let notice = OutgoingNotice(
      key: "test-\(ULID.next())", level: level, title: "Test of the channel \(channel) of \(project.name)",
      text: "Somebody tried this channel by hand. There is nothing to do.", time: now,
      origin: OutgoingNotice.Provenance(run: nil, runbook: nil, target: nil, host: hostName(), project: project.root))
    let delivery = await Dispatcher().deliver(notice, to: settings, by: .now + .seconds(60))
    show(delivery)
    guard delivery.isDelivered else { throw CommandFailure(.failed, isAfterOutput: true) }
  }

  private func show(_ delivery: NoticeDelivery) {
    switch format {
    case .text:
      var lines = ["\(delivery.channel): \(delivery.isDelivered ? "delivered" : "not delivered")"]
      lines[0] +=
        " (\(delivery.tries) \(delivery.tries == 1 ? "try" : "tries"), \(durationLiteral(delivery.elapsed.inMilliseconds)))"
      if let finding = delivery.finding {
        lines.append("  \(finding.message)")
        if let advice = finding.advice { lines.append("  next: \(advice)") }
      }
      if let answer = delivery.answer, !answer.isEmpty { lines.append("  answer: \(answer)") }
      if let receipt = delivery.receipt { lines.append("  receipt: \(receipt)") }
      Terminal.standardOutput.write(lines.map { terminalSafe($0) + "\n" }.joined())
    case .json:
      let json: JSON = [
        "schema": "runbook.delivery/1", "channel": .string(delivery.channel), "delivered": .bool(delivery.isDelivered),
        "tries": .int(Int64(delivery.tries)), "elapsed": .string(durationLiteral(delivery.elapsed.inMilliseconds)),
        "receipt": delivery.receipt.map(JSON.string) ?? .null, "answer": delivery.answer.map(JSON.string) ?? .null,
        "code": delivery.finding.map { .string($0.code) } ?? .null,
        "reason": delivery.finding.map { .string($0.message) } ?? .null,
      ]
      Terminal.standardOutput.write(json.text(.indented) + "\n")
    }
  }
}

extension Duration {
  /// Rounded up to whole milliseconds.
  fileprivate var inMilliseconds: Duration {
    let parts = components
    return .milliseconds(parts.seconds * 1000 + (parts.attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}

extension NoticeLevel: ExpressibleByArgument {}
