import Docker
package import Journal
package import Schema
package import Steps
import Synchronization

/// The last lines that a container has logged.
package struct DockerLogs: StepModule {
  package struct Input: Hashable, Sendable {
    package var container: String?
    package var project: String?
    package var service: String?
    package var since: Duration?
    package var lines: Int
    package var limit: Int
    package var engine: String?
    package var certificates: String?

    fileprivate var target: DockerTarget {
      DockerTarget(
        container: container, project: project, service: service, engine: engine, certificates: certificates)
    }
  }

  package struct Output: Hashable, Sendable {
    package var name: String
    package var lines: [String]
    package var text: String
    package var bytes: Int
    package var truncated: Bool
    package var terminal: Bool
    package var driver: String
    package var from: Timestamp?
  }

  package static let declaration = ModuleDeclaration(
    "docker.logs", "The last lines that a container has logged.",
    discussion: """
      It reads as far as the log goes now, and does not wait for more. Standard output and standard error come in the order in which the
      engine got them. Whether the container has a terminal, and its output comes without frames, is asked of the container and not guessed.

      A log driver that keeps no log to be read (`none`, often `syslog`) is an error, and says where the log is.

      A line proves nothing: up to coturn 4.16 clients can put lines into its log. Look for patterns with `log.review`, and for what a coturn
      did with `coturn.log`; both take a `container`.
      """,
    effect: .observe, judges: false, deadline: .seconds(60),
    input: Record(
      Input.init,
      DockerFields.container(\.container),
      DockerFields.project(\.project),
      DockerFields.service(\.service),
      Field("since", \.since, .optional(.duration), "How far back from now; everything, if not given."),
      Field("lines", \.lines, .int.within(1...100_000), default: 200, "How many of the last lines."),
      Field(
        "limit", \.limit, .byteSize.within(1...64 << 20), default: 1 << 20, "How much of them is kept, from the start."),
      DockerFields.engine(\.engine),
      DockerFields.certificates(\.certificates)
    ),
    output: Record(
      Output.init,
      Field("name", \.name, .string, "The container's name."),
      Field("lines", \.lines, .list(.string), "The lines, the oldest first."),
      Field("text", \.text, .string, "The same as one text."),
      Field("bytes", \.bytes, .byteSize, "How much there was, before the limit."),
      Field("truncated", \.truncated, .bool, "Whether there was more than the limit."),
      Field("terminal", \.terminal, .bool, "Whether the container has a terminal: then both outputs are one."),
      Field("driver", \.driver, .string, "The log driver."),
      Field("from", \.from, .optional(.timestamp), "The start of the window, by the engine's clock.")
    ),
    examples: [
      .init(
        "The container has logged something in the last hour",
        with: "{container: coturn, since: 1h}", expect: ["output.lines.size() > 0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? { input.target.objection }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    do throws(DockerError) {
      let deadline = context.requestDeadline
      let look = try await input.target.look(by: deadline)
      var window = ContainerLogWindow()
      window.since = input.since.flatMap { (look.time ?? Moment.now().wall).earlier(by: $0) }
      window.lines = input.lines
      let kept = KeptText(limit: input.limit)
      try await look.engine.log(of: look.container, window, by: deadline) { _, text in kept.add(text) }
      let (bytes, count) = kept.all
      let text = String(decoding: bytes, as: UTF8.self)
      var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      if lines.last?.isEmpty == true { lines.removeLast() }
      return .done(
        Output(
          name: look.container.name, lines: lines, text: text, bytes: count, truncated: count > bytes.count,
          terminal: look.container.hasTerminal, driver: look.container.logDriver, from: window.since))
    } catch {
      throw StepError(error, .looking)
    }
  }
}

/// The start of a text that comes in parts, and how long all of it was.
final class KeptText: Sendable {
  private let limit: Int
  private let state = Mutex<(bytes: [UInt8], count: Int)>(([], 0))

  init(limit: Int) { self.limit = limit }

  func add(_ text: ArraySlice<UInt8>) {
    state.withLock { state in
      state.bytes += text.prefix(limit - state.bytes.count)
      state.count += text.count
    }
  }

  var all: (bytes: [UInt8], count: Int) { state.withLock { ($0.bytes, $0.count) } }
}
