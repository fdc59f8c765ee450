import Engine
import Foundation
import Journal
import Language
import Modules
import Reports
import Schema
import Testing

/// Runs that were recorded in every form that was handed out, in `Tests/Fixtures/journals`: each comes to what it came to then.
@Suite struct ReleasedJournalTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "Fixtures/journals").path

  /// `v2/failed`: the form, and what the run is an example of.
  private static let names: [String] = {
    let forms = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return forms.sorted().flatMap { form in
      ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(form)")) ?? []).sorted().map {
        "\(form)/\($0)"
      }
    }
  }()

  @Test("There are journals of the form that this version writes")
  func present() {
    #expect(Self.names.contains { $0.hasPrefix("v2/") })
  }

  @Test("A kept run replays to the outcome that it had, and to the report that it had", arguments: names)
  func replays(name: String) throws {
    let folder = RunFolder("\(Self.folder)/\(name)")
    let run = try RecordedRun.read(folder)
    #expect(run.doubts.isEmpty)
    let surroundings = Project.Surroundings(environment: [:], workingFolder: folder.path)
    let project = try Project.load(at: folder.path, asKeptIn: folder.sources, in: surroundings)
    let params = try Array(Data(contentsOf: URL(filePath: folder.params)))
    let plan = try project.document(run.started.runbook, catalog: .standard).plan(
      given: GivenParameters(file: ("params.json", params)), target: nil, only: nil)
    #expect(
      run.events.contains { if case .runPlanned(let planned) = $0.event { planned.steps == plan.facts } else { false } }
    )
    let replay = RunReplay(Array(run.events.dropLast()), plan: plan, run: run.id)
    var machine = replay.machine
    guard case .finish(let outcome, _) = machine.next(at: replay.elapsed) else {
      Issue.record("the replayed run has not ended")
      return
    }
    #expect(outcome == run.finished?.outcome)

    let kept = try JSON(parsing: Array(Data(contentsOf: URL(filePath: "\(folder.path)/report.json"))))
    #expect(Self.difference(RunReport(run).json, kept) == nil)
  }

  /// Where a report lacks what an earlier one had, or says something else; members that are new do not count.
  private static func difference(_ new: JSON?, _ old: JSON, at place: String = "") -> String? {
    switch (old, new) {
    case (.object(let members), .object?):
      // Where the journal lies now.
      return members.filter { $0.name != "journal" }.lazy
        .compactMap { difference(new?[$0.name], $0.value, at: "\(place).\($0.name)") }.first
    case (.array(let elements), .array(let others)?):
      guard elements.count == others.count else { return place }
      return zip(others, elements).enumerated().lazy
        .compactMap { difference($1.0, $1.1, at: "\(place)[\($0)]") }.first
    default: return new == old ? nil : place
    }
  }
}
