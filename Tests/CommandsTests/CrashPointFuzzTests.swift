import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// The real program, killed at each of the calls with which it changes its state, or that fails there, and gone on with. What the
/// steps do is counted in a file outside of all state.
///
/// `RUNBOOK_FUZZ_SECONDS` makes it look at every call.
@Suite(.serialized) struct CrashPointFuzzTests {
  private static let isWhole = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"] != nil

  /// A project with one runbook, and the library that ends it.
  private struct Story {
    let project: CommandLineProject
    let library: String
    let fails: Bool

    /// What is done once: branches, elements, a phase, a step with an undo, and in the end what takes back.
    init(fails: Bool, library: String) throws {
      self.fails = fails
      self.library = library
      project = try CommandLineProject(isEmpty: true)
      try project.write("runbook.yaml", "project: test\n")
      func act(_ id: String, _ word: String? = nil) -> String {
        "{id: \(id), use: command.run, with: {command: [sh, -c, 'echo \(word ?? id) >> \(project.root)/world']}}"
      }
      let look = "use: command.run, effect: observe, with: {command: [\"true\"]}"
      try project.write(
        "runbooks/story.yaml",
        """
        runbook: story
        title: Story
        allow: [change]
        rollback: onFailure
        hypothesis: [{id: holds, \(look)}]
        steps:
          - {id: again, use: command.run, effect: observe, retry: {times: 2, backoff: 5ms},
             with: {command: [sh, -c, 'test -e \(project.root)/seen || { touch \(project.root)/seen; false; }']}}
          - id: first
            use: command.run
            with: {command: [sh, -c, 'echo first >> \(project.root)/world']}
            undo: [\(act("unfirst"))]
          - id: sides
            parallel:
              steps: [\(act("left")), \(act("right"))]
          - id: each
            forEach: {in: "['a', 'b']", as: item}
            steps: [{id: inner, use: command.run, with: {command: [sh, -c, 'echo "inner$I" >> \(project.root)/world'], env: {I: "${item}"}}}]
          - id: stage
            phase: {deadline: 1h, steps: [\(act("within"))]}
          - {id: last, use: command.run, effect: observe, with: {command: ["\(fails ? "false" : "true")"]}}
        finally: [\(act("tidy"))]

        """)
    }

    var expected: [String] {
      (["first", "left", "right", "innera", "innerb", "within", "tidy"] + (fails ? ["unfirst"] : [])).sorted()
    }

    var world: [String] { ((try? project.read("world")) ?? "").split(separator: "\n").map(String.init) }

    func reset() throws {
      for name in ["world", "seen", ".runbook", "count"] {
        let path = "\(project.root)/\(name)"
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
      }
    }

    func runbook(_ arguments: [String], _ how: String? = nil, at point: Int = 0) async throws
      -> CommandLineProject.Output
    {
      var environment: [String: String] = [:]
      if let how {
        environment = [
          "LD_PRELOAD": library, "CRASH_HOW": how, "CRASH_AT": "\(point)", "CRASH_COUNT": "\(project.root)/count",
        ]
      }
      return try await project.runbook(arguments, environment: environment)
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

    /// Goes on with the run until it has ended; a person tells what nobody else can, as it is.
    ///
    /// - Parameter point: where the first going on is killed in turn; nil for nowhere.
    func goOn(killedAt point: Int?) async throws {
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
          _ = try await runbook(["run", "story", "--quiet"])
        } else if output.status == 3, output.stderr.contains("it is not known whether a step took effect") {
          for line in output.stderr.split(separator: "\n") where line.hasPrefix("step ") {
            let path = String(line.dropFirst("step ".count).prefix { $0 != " " }.dropLast())
            var name = path.split { $0 == "/" || $0 == ":" }.last.map(String.init) ?? ""
            if name == "inner" { name += path.contains("[0]") ? "a" : "b" }
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
      try reset()
      let hurt = try await runbook(["run", "story", "--quiet"], how, at: point)
      let place = "\(how) at \(point)"
      if how == "kill" || how == "torn" {
        #expect([0, 1, 128 + SIGKILL].contains(hurt.status), "\(place): \(hurt.stderr)")
      } else {
        #expect([0, 1, 3].contains(hurt.status), "\(place): \(hurt.stderr)")
      }
      try await goOn(killedAt: second)
      #expect(world.sorted() == expected, "\(place), then \(second ?? 0)")
      let report = try await runbook(["report", "last", "--format", "json"])
      #expect(report.status == (fails ? 1 : 0) || report.status == 0, "\(place): \(report.stderr)")
      #expect(try report.json["outcome"]?.string == (fails ? "fail" : "pass"), "\(place)")
    }
  }

  private struct NeverEnded: Error {}

  /// The library, built once for a test.
  private func library(in folder: TemporaryFolder) async throws -> String {
    let source = CommandLineProject.repositoryURL.appending(path: "Tests/Fixtures/crash-points.c").path
    let path = folder.path + "/crash-points.so"
    let command = Command(
      "sh", ["-ec", #"$(command -v clang || command -v cc) -shared -fPIC -O1 -o "$1" "$2" -ldl"#, "sh", path, source])
    let built = try await command.run()
    try #require(built.ending == .exited(0), "\(built.standardError.text)")
    return path
  }

  @Test(
    "Wherever the program is killed, or a line is torn, the run goes on: nothing is done twice, nothing is lost",
    arguments: [false, true])
  func killed(fails: Bool) async throws {
    let folder = try TemporaryFolder()
    let story = try Story(fails: fails, library: try await library(in: folder))
    let whole = try await story.runbook(["run", "story", "--quiet"], "none")
    #expect(whole.status == (fails ? 1 : 0), "\(whole.stderr)")
    #expect(story.world.sorted() == story.expected)
    let points = try #require(Int(try story.project.read("count")))
    #expect(points > 40)
    var looked = 0
    for point in stride(from: fails ? 1 : 3, through: points, by: Self.isWhole ? 1 : points / 6) {
      try await story.check("kill", at: point)
      looked += 1
      guard Self.isWhole || point % 2 == 0 else { continue }
      try await story.check("torn", at: point, thenKilledAt: 1 + point % 17)
      looked += 1
    }
    print("calls that change the state: \(points), deaths at them: \(looked)")
  }

  @Test("A sync that fails with EIO, a disk that is full: the run stops and says so, and goes on once that is mended")
  func failing() async throws {
    let folder = try TemporaryFolder()
    let story = try Story(fails: false, library: try await library(in: folder))
    _ = try await story.runbook(["run", "story", "--quiet"], "none")
    let points = try #require(Int(try story.project.read("count")))
    for point in stride(from: 9, through: points, by: Self.isWhole ? 1 : points / 3) {
      try await story.check("eio", at: point)
      try await story.check("full", at: point)
    }
  }

  @Test("Writes that do only half of what they were asked for lose nothing")
  func short() async throws {
    let folder = try TemporaryFolder()
    let story = try Story(fails: false, library: try await library(in: folder))
    let output = try await story.runbook(["run", "story", "--quiet"], "short")
    #expect(output.status == 0, "\(output.stderr)")
    #expect(story.world.sorted() == story.expected)
    #expect(try await story.runbook(["report", "last"]).status == 0)
  }
}
