import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// A project with one runbook, of which the real program dies, and is gone on with. What its steps do is counted in a file outside
/// of all state.
struct CrashStory {
  let project: CommandLineProject
  let fails: Bool
  /// The folder that gets what a loss of power would leave; nil if that is not kept.
  var durable: String?
  private let folder: TemporaryFolder
  private let library: String

  struct NeverEnded: Error {}

  /// What is done once: branches, elements, a phase, a service, a question, a wait, a step with an undo, and in the end what takes back.
  init(fails: Bool) async throws {
    self.fails = fails
    folder = try TemporaryFolder()
    library = try await Self.build(in: folder)
    project = try CommandLineProject(isEmpty: true)
    let root = project.root
    try project.write("runbook.yaml", "project: test\n")
    func act(_ id: String) -> String {
      "{id: \(id), use: command.run, with: {command: [sh, -c, 'echo \(id) >> \(root)/world']}}"
    }
    let look = "use: command.run, effect: observe"
    try project.write(
      "runbooks/story.yaml",
      """
      runbook: story
      title: Story
      allow: [change]
      rollback: onFailure
      hypothesis: [{id: holds, \(look), with: {command: ["true"]}}]
      steps:
        - {id: again, \(look), retry: {times: 2, backoff: \(Self.wait.components.attoseconds / 1_000_000_000_000_000)ms},
           with: {command: [sh, -c, 'test -e \(root)/seen || { touch \(root)/seen; false; }']}}
        - id: first
          use: command.run
          with: {command: [sh, -c, 'echo first >> \(root)/world']}
          undo: [\(act("unfirst"))]
        - id: sides
          parallel:
            steps: [\(act("left")), \(act("right"))]
        - {id: large, \(look), with: {command: [seq, "20000"]}}
        - id: serve
          use: process.start
          with: {pidFile: \(root)/pid, command: [/bin/sh, \(root)/service], directory: /, settle: 0s}
        - {id: ok, use: manual.confirm, with: {question: "Go on?"}, timeout: 1h}
        - id: each
          forEach: {in: "['a', 'b']", as: item}
          steps: [{id: inner, use: command.run, with: {command: [sh, -c, 'echo "inner$I" >> \(root)/world'], env: {I: "${item}"}}}]
        - id: stage
          phase: {deadline: 1h, steps: [\(act("within"))]}
        - {id: last, \(look), with: {command: ["\(fails ? "false" : "true")"]}}
      finally:
        - \(act("tidy"))
        - {id: stop, use: process.stop, with: {pidFile: \(root)/pid, program: /bin/sh}}

      """)
    // What is asked how a beginning ended is a process that counts itself.
    try project.write(
      "service",
      """
      trap 'trap "" TERM; echo stopped >> \(root)/world; kill $!; exit' TERM
      echo served >> \(root)/world
      echo $$ > \(root)/pid
      sleep 600 & wait

      """)
  }

  /// Between the two tries of `again`.
  static let wait = Duration.milliseconds(150)

  var expected: [String] {
    let always = ["first", "left", "right", "served", "innera", "innerb", "within", "tidy", "stopped"]
    return (always + (fails ? ["unfirst"] : [])).sorted()
  }

  var world: [String] { ((try? project.read("world")) ?? "").split(separator: "\n").map(String.init) }

  private static func build(in folder: TemporaryFolder) async throws -> String {
    let source = CommandLineProject.repositoryURL.appending(path: "Tests/Fixtures/crash-points.c").path
    let path = folder.path + "/crash-points.so"
    let command = Command(
      "sh", ["-ec", #"$(command -v clang || command -v cc) -shared -fPIC -O1 -o "$1" "$2" -ldl"#, "sh", path, source])
    let built = try await command.run()
    try #require(built.ending == .exited(0), "\(built.standardError.text)")
    return path
  }

  // MARK: The program

  /// What has the library look at a program.
  ///
  /// - Parameters:
  ///   - how: as `crash-points.c` tells; nil for nothing but what is kept.
  ///   - durable: the folder for what is kept; nil for none.
  func hook(_ how: String? = nil, at point: Int = 0, durable: String?) -> [String: String] {
    var environment: [String: String] = [:]
    if let how {
      environment = ["CRASH_HOW": how, "CRASH_AT": "\(point)", "CRASH_COUNT": "\(project.root)/count"]
    }
    if let durable {
      environment["CRASH_DURABLE"] = durable
      environment["CRASH_ROOT"] = project.root
    }
    if !environment.isEmpty { environment["LD_PRELOAD"] = library }
    return environment
  }

  /// Runs `runbook`, and has somebody answer what it asks meanwhile.
  func runbook(
    _ arguments: [String], _ how: String? = nil, at point: Int = 0
  ) async throws -> CommandLineProject.Output {
    async let output = project.runbook(arguments, environment: hook(how, at: point, durable: durable))
    let person = Task { try await answer() }
    let ended: Result<CommandLineProject.Output, any Error>
    do { ended = .success(try await output) } catch { ended = .failure(error) }
    person.cancel()
    do { try await person.value } catch is CancellationError {}
    return try ended.get()
  }

  func run(_ how: String? = nil, at point: Int = 0) async throws -> CommandLineProject.Output {
    try await runbook(["run", "story", "--quiet"], how, at: point)
  }

  /// Answers the question whenever it waits, until nobody asks for that any more.
  private func answer() async throws {
    while true {
      try await Task.sleep(for: .milliseconds(20))
      guard let journal = try? journal(), journal.contains("person.asked"), !journal.contains("person.answered") else {
        continue
      }
      _ = try await project.runbook(
        ["approve", "last", "ok", "--reason", "looked at it"], environment: hook(durable: durable))
    }
  }

  private func journal() throws -> String {
    let folder = try project.runFolders().last ?? ""
    return try String(contentsOfFile: "\(folder)/journal.jsonl", encoding: .utf8)
  }

  /// At how many calls a run changes its state.
  func points() async throws -> Int {
    let output = try await run("none")
    #expect(output.status == (fails ? 1 : 0), "\(output.stderr)")
    try await checkEnd("a run to which nothing happens")
    let points = try #require(Int(try project.read("count")))
    #expect(points > 60)
    return points
  }

  func reset() async throws {
    try await endService()
    for name in ["world", "seen", ".runbook", "count", "pid"] {
      let path = "\(project.root)/\(name)"
      if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }
  }

  /// Ends what a run has started that nobody went on with.
  private func endService() async throws {
    let limit = ContinuousClock.now + .seconds(20)
    while true {
      let services = try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { Int32($0) }.filter {
        let line = (try? String(contentsOfFile: "/proc/\($0)/cmdline", encoding: .utf8)) ?? ""
        return line.hasPrefix("/bin/sh\0\(project.root)/service\0")
      }
      if services.isEmpty { return }
      try #require(ContinuousClock.now < limit)
      for pid in services { kill(pid, SIGTERM) }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Until nothing works in the project's folder any more: what a killed run had started may go on for a moment.
  func quiet() async throws {
    let limit = ContinuousClock.now + .seconds(20)
    while try FileManager.default.contentsOfDirectory(atPath: "/proc").contains(where: { name in
      guard Int(name) != nil else { return false }
      return (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(name)/cwd")) == project.root
    }) {
      try #require(ContinuousClock.now < limit)
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  // MARK: What comes of it

  /// Goes on with the run until it has ended; a person tells what nobody else can, as it is.
  ///
  /// - Parameter point: where the first going on is killed in turn; nil for nowhere.
  func goOn(killedAt point: Int? = nil) async throws {
    var point = point
    for _ in 0..<24 {
      try await quiet()
      let output = try await runbook(["resume", "last", "--quiet"], point == nil ? nil : "kill", at: point ?? 0)
      point = nil
      if output.status == 2 {
        // Nothing was begun: it is begun now. Or it had ended.
        guard output.stderr.contains("there are no runs yet") else {
          try #require(output.stderr.contains("has ended"), "\(output.stderr)")
          return
        }
        #expect(world.isEmpty)
        _ = try await run()
      } else if output.status == 3, output.stderr.contains("it is not known whether a step took effect") {
        for line in output.stderr.split(separator: "\n") where line.hasPrefix("step ") {
          let path = String(line.dropFirst("step ".count).prefix { $0 != " " }.dropLast())
          var name = path.split { $0 == "/" || $0 == ":" }.last.map(String.init) ?? ""
          if name == "inner" { name += path.contains("[0]") ? "a" : "b" }
          // Their modules find it out.
          #expect(!["serve", "stop"].contains(name), "\(output.stderr)")
          let ending = world.contains(name) ? "done" : "not-done"
          let told = try await runbook(["resolve", "last", path, ending, "--reason", "seen"])
          #expect(told.status == 0, "\(path): \(told.stderr)")
        }
      }
    }
    throw NeverEnded()
  }

  /// Has one call go wrong, goes on, and holds what came of it against a run that nothing happened to.
  func check(_ how: String, at point: Int, thenKilledAt second: Int? = nil) async throws {
    try await reset()
    let hurt = try await run(how, at: point)
    let place = "\(how) at \(point)" + (second.map { ", then killed at \($0)" } ?? "")
    if how == "kill" || how == "torn" {
      #expect([0, 1, 128 + SIGKILL].contains(hurt.status), "\(place): \(hurt.stderr)")
    } else {
      #expect([0, 1, 3].contains(hurt.status), "\(place): \(hurt.stderr)")
    }
    try await goOn(killedAt: second)
    try await checkEnd(place)
  }

  /// Holds it that all was done once, that there is one run, and that its report is true.
  func checkEnd(_ place: String) async throws {
    #expect(world.sorted() == expected, "\(place)")
    let folders = try project.runFolders()
    #expect(folders.count == 1, "\(place)")
    let report = try await project.runbook("report", "last", "--format", "json")
    #expect(report.status == 0, "\(place): \(report.stderr)")
    #expect(try report.json["outcome"]?.string == (fails ? "fail" : "pass"), "\(place)")
    #expect(try report.json["number"]?.int == 1, "\(place)")
    try checkWait(place)
  }

  /// The second try of `again` comes no sooner than the wait behind the first is over, whoever died meanwhile.
  private func checkWait(_ place: String) throws {
    var failedAt: Int64?
    for line in try journal().split(separator: "\n") {
      let event = try JSON(parsing: String(line))
      guard event["path"] == "again", let time = event["monoNs"]?.string.flatMap({ Int64($0) }) else { continue }
      if event["type"] == "step.result", event["attempt"] == 1, event["outcome"] == "fail" { failedAt = time }
      guard event["type"] == "step.intent", event["attempt"] == 2 else { continue }
      // It counts from the end of the try, which is recorded a moment later.
      let waited = Duration.nanoseconds(time - (try #require(failedAt, "\(place)")))
      #expect(waited > Self.wait / 2, "\(place)")
    }
  }
}
