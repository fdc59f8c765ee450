import Docker
import Journal
import Logs
package import Schema
import Steps

/// A container whose log is read.
package struct LogContainer: Hashable, Sendable {
  package var name: String?
  package var project: String?
  package var service: String?
  package var engine: String?
  package var certificates: String?

  package static let record = Record(
    Self.init,
    Field("name", \.name, .optional(.string), "Its exact name, or its id from 12 characters on."),
    DockerFields.project(\.project),
    DockerFields.service(\.service),
    DockerFields.engine(\.engine),
    DockerFields.certificates(\.certificates)
  )

  private var target: DockerTarget {
    DockerTarget(container: name, project: project, service: service, engine: engine, certificates: certificates)
  }

  /// Why none can be found by what is given; nil if one may be.
  var objection: Finding? { target.objection }

  var quietness: Sentence { "the container \(name ?? service ?? "") logged nothing" }

  /// Reviews what it has logged.
  ///
  /// Throws as the other `read` does.
  func read(
    _ patterns: [LogPattern], _ scope: LogReview.ReviewScope, in context: StepContext
  ) async throws(StepError) -> LogReading {
    let review: SharedSink<LogReview>
    do throws(LogPatternError) { review = SharedSink(try LogReview(patterns, scope)) } catch {
      throw .broken(
        "log.patternInvalid", "pattern \(error.pattern): \(error.message)",
        advice: "Write the pattern in the syntax of RE2, which has no look-ahead and no references back.")
    }
    let isQuiet = try await read(
      from: scope.from, until: scope.until, into: review, lines: { $0.account.lines }, in: context)
    var reading = review.use { LogReading($0) }
    if isQuiet { reading.quietSource = quietness }
    return reading
  }

  /// Gives what it has logged in a window to a sink. True if that is nothing, and it has logged before.
  ///
  /// Throws `broken` if its log cannot be read, or if it has never logged anything.
  ///
  /// - Parameter lines: how many lines the sink has read.
  func read<Sink: LogSink>(
    from: Timestamp?, until: Timestamp?, into sink: SharedSink<Sink>, lines: @Sendable (Sink) -> Int,
    in context: StepContext
  ) async throws(StepError) -> Bool {
    do throws(DockerError) {
      let deadline = context.requestDeadline
      let look = try await target.look(by: deadline)
      var window = ContainerLogWindow()
      window.since = from
      window.until = until
      window.hasTimes = true
      let before = sink.use(lines)
      sink.use { $0.begin(reference: look.time ?? Moment.now().wall, tail: []) }
      try await look.engine.log(of: look.container, window, by: deadline) { _, text in
        text.withUnsafeBytes { bytes in sink.use { $0.take(bytes) } }
      }
      sink.use { $0.end() }
      guard sink.use(lines) == before else { return false }
      guard try await look.hasLogged(by: deadline) else {
        throw DockerError(
          .logEmpty, "the container \(look.container.name) has never written anything to its log",
          advice:
            "A server with `log-file` writes into a file of the container: let it log to standard output (`log-file=stdout`)."
        )
      }
      return true
    } catch {
      throw StepError(error, .looking)
    }
  }
}

extension ContainerLook {
  /// Whether there is a line at all in the container's log.
  fileprivate func hasLogged(by deadline: ContinuousClock.Instant) async throws(DockerError) -> Bool {
    var window = ContainerLogWindow()
    window.lines = 1
    let seen = CancellationMark()
    try await engine.log(of: container, window, by: deadline) { _, _ in seen.set() }
    return seen.isSet
  }
}
