import ArgumentParser
import FoundationEssentials
import Journal
import Language
import Ledger
import Modules
import Schema
import Steps

/// What the project offers for the word that is being typed. If it cannot be read nothing is offered, and nothing said:
/// a message would stand in the line that is typed.
struct ProjectCompletion {
  /// The line so far, the name of the program first.
  private let words: [String]

  /// Runbooks, and checks as `checks/NAME`.
  static var documents: CompletionKind { offering { $0.documents } }
  /// What `--target` takes.
  static var targets: CompletionKind { offering { $0.targets } }
  /// The channels of the project.
  static var channels: CompletionKind { offering { $0.project?.channelNames ?? [] } }
  /// Inputs of the probe that the line names, as `NAME=`.
  static var probeInputs: CompletionKind { offering { $0.probeInputs } }
  /// Steps of the runbook that the line names.
  static var steps: CompletionKind { offering { $0.steps } }
  /// The runs that wait for an answer.
  static var waitingRuns: CompletionKind { offering { $0.waitingRuns } }
  /// The steps that wait for an answer, of the run that the line names.
  static var waitingSteps: CompletionKind { offering { $0.waitingSteps } }
  /// `last`, and the newest runs.
  static var runs: CompletionKind { offering { $0.runs } }

  private static let maximumRuns = 20

  private static func offering(_ candidates: @escaping @Sendable (Self) -> [String]) -> CompletionKind {
    .custom { words, _, _ in candidates(Self(words: words)).filter { $0.utf8.allSatisfy(isPlain) } }
  }

  /// Whether every shell takes a byte as it is. bash expands the words it is offered, `$(…)` too, and a project may be
  /// somebody else's.
  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "_-./:=@%+,".utf8.contains(byte)
    }
  }

  private var project: Project? {
    let surroundings = Project.Surroundings(
      environment: ProcessInfo.processInfo.environment, workingFolder: FileManager.default.currentDirectoryPath)
    guard let root = try? Project.find(value(of: "--project"), in: surroundings) else { return nil }
    return try? Project.load(at: root, in: surroundings)
  }

  /// What an option of the line has for its value.
  private func value(of option: String) -> String? {
    if let word = words.first(where: { $0.hasPrefix("\(option)=") }) { return String(word.dropFirst(option.count + 1)) }
    guard let index = words.firstIndex(of: option), index + 1 < words.count else { return nil }
    return words[index + 1]
  }

  private var documents: [String] { project?.documentNames ?? [] }

  private var targets: [String] {
    words.contains("--lab") ? ["lab", "lab-rest", "all"] : project?.targetSelections ?? []
  }

  private var probeInputs: [String] {
    let kinds = words.lazy.filter(ProbeKind.names.contains).compactMap { try? ProbeKind(named: $0) }
    return kinds.first?.inputs.map { "\($0.name)=" } ?? []
  }

  private var steps: [String] {
    guard let project, let name = words.first(where: project.runbookNames.contains) else { return [] }
    return (try? project.outline(name, catalog: .standard))?.steps.flatMap(\.choices) ?? []
  }

  private var waiting: [AskedQuestion] {
    guard let runs = try? project?.ledger.runsThatGoOn() else { return [] }
    return runs.prefix(Self.maximumRuns).compactMap { try? RecordedRun.read($0) }.flatMap(AskedQuestion.all)
  }

  private var waitingRuns: [String] {
    waiting.flatMap { [$0.reference] + ($0.run.started.parent.map { [$0] } ?? []) }
  }

  private var waitingSteps: [String] {
    let named = waiting.filter { question in
      words.contains { $0 == question.reference || $0 == question.run.id || $0 == question.run.started.parent }
    }
    return (named.isEmpty ? waiting : named).map(\.path)
  }

  private var runs: [String] {
    guard let entries = try? project?.ledger.entries(limit: Self.maximumRuns), !entries.isEmpty else { return [] }
    return ["last"] + entries.map(\.folder.id)
  }
}

extension Project {
  /// What `run` and `show` take.
  var documentNames: [String] { runbookNames + checkNames.map { "checks/\($0)" } }
}
