import Coturn
import Foundation
import Journal
import Probe
import Processes
package import Schema
package import Steps

/// Asks everything that can tell which version of coturn is there.
package struct CoturnVersionModule: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer?
    package var binary: String
    package var packageName: String
    package var log: String?
    package var pid: Int?
  }

  package struct Output: Sendable {
    var version: String
    var agree: Bool
    var process: String?
    var software: String?
    var log: String?
    var binary: String?
    var packageVersion: String?
    var revision: String?
    var processes: [RunningServer]
  }

  package static let declaration = ModuleDeclaration(
    "coturn.version", "Finds out which version of coturn runs and which is installed.",
    discussion: """
      Looks at the processes of the program, at the program's file, at the package's entry in dpkg's database, at the last start in
      the log and, with `server`, at SOFTWARE in a Binding response. Nothing is started: a program is asked for its version by
      reading its file. What is not there is absent. The step warns if a process runs a file that has been replaced since, and if
      the versions disagree; it is an error if nothing tells a version. A distribution's package keeps its version and gets
      fixes of newer ones: `revision` is what the distribution added, and its change log says what was mended.
      """,
    effect: .observe, judges: true,
    programs: [RequiredProgram("dpkg-query", package: "dpkg", isOptional: true)], deadline: .seconds(20),
    input: Record(
      Input.init,
      Field(
        "server", \.server, .optional(.turnServer), "A server to ask what it calls itself; it may call itself nothing."),
      Field(
        "binary", \.binary, .path, default: "/usr/bin/turnserver",
        "The program's file; processes are found by its name."),
      Field("packageName", \.packageName, .string, default: "coturn", "The package's name."),
      Field("log", \.log, .optional(.path), "The server's log."),
      Field("pid", \.pid, .optional(.int), "The one process to look at; absent: all of the program's.")
    ),
    output: Record(
      Output.init,
      Field(
        "version", \.version, .string, "What runs, or else the first that is there in the order of the fields below."),
      Field("agree", \.agree, .bool, "Whether all that was found is of one version."),
      Field("process", \.process, .optional(.string), "What the running program calls itself."),
      Field("software", \.software, .optional(.string), "What the server calls itself in responses."),
      Field("log", \.log, .optional(.string), "What the last start in the log says."),
      Field("binary", \.binary, .optional(.string), "What the installed program calls itself."),
      Field("packageVersion", \.packageVersion, .optional(.string), "The version of the package."),
      Field(
        "revision", \.revision, .optional(.string),
        "What the distribution added to the version: fixes may be backported."),
      Field("processes", \.processes, .list(.record(RunningServer.record)), "The processes of the program.")
    ),
    examples: [
      .init(
        "What is installed is what runs", with: "server: ${target}\nlog: /var/log/turnserver.log",
        expect: ["output.agree"])
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let package = await Self.version(ofPackage: input.packageName, in: context)
    let software = try await Self.software(of: input.server, in: context)
    let looked = await onAbandonedThread { Files(input) }
    guard let looked else {
      throw StepError(
        .interrupted, Finding("coturn.interrupted", "The step was stopped before it had finished looking at coturn."))
    }
    if let error = Self.hidden(looked, software: software) { throw error }
    var evidence = looked.processes.compactMap { process in
      process.version.flatMap { VersionEvidence(.process, $0) }
    }
    func add(_ source: VersionEvidence.Source, _ text: String?) {
      if let text, let found = VersionEvidence(source, text) { evidence.append(found) }
    }
    add(.software, software)
    add(.log, looked.log)
    add(.binary, looked.binary)
    add(.package, package)
    guard let first = evidence.first else {
      throw .broken(
        "coturn.versionUnknown",
        "Nothing tells a version of coturn: no process, no \(input.binary), no package \(input.packageName).",
        advice: "Give `binary` and `packageName` as they are on this host, `log`, or a `server` that tells what it is.")
    }
    func text(_ source: VersionEvidence.Source) -> String? { evidence.first { $0.source == source }?.text }
    let output = Output(
      version: first.version.description, agree: Set(evidence.map(\.version)).count == 1, process: text(.process),
      software: text(.software), log: text(.log), binary: text(.binary), packageVersion: text(.package),
      revision: evidence.compactMap(\.revision).first, processes: looked.processes)
    let objections = [Self.outdated(looked.processes), Self.disagreement(evidence)].compactMap(\.self)
    return Finding.joined(objections).map { .warned(output, $0) } ?? .done(output)
  }

  /// What lies on this host.
  private struct Files: Sendable {
    let processes: [RunningServer]
    let hidden: [ProcessEntry]
    let binary: String?
    let log: String?

    init(_ input: Input) {
      let running = RunningServer.all(named: input.binary, pid: input.pid)
      processes = running.seen
      hidden = running.hidden
      binary = ProgramFile.name(in: input.binary)
      log = input.log.flatMap { ProgramFile.name(in: $0) }
    }
  }

  private static func version(ofPackage name: String, in context: StepContext) async -> String? {
    var command = Command("dpkg-query", ["--show", "--showformat=${db:Status-Status} ${Version}", "--", name])
    command.timeout = min(.seconds(5), context.remaining)
    guard let result = try? await command.run(), result.isSuccess else { return nil }
    let words = result.standardOutput.text.split(separator: " ")
    return words.count == 2 && words[0] == "installed" ? String(words[1]) : nil
  }

  private static func software(of server: TURNServer?, in context: StepContext) async throws(StepError) -> String? {
    guard let server else { return nil }
    var probe = BindingProbe(server: try ProbedServer(server))
    probe.requests = 1
    let report = try await context.probing(probe.server) { [probe] (deadline) async throws(ProbeFailure) in
      try await probe.run(deadline: deadline)
    }
    return report.software
  }

  /// What runs is the first thing to be told: without a look at it nothing agrees.
  private static func hidden(_ looked: Files, software: String?) -> StepError? {
    let what: Sentence
    if let process = looked.hidden.first {
      what = "This user may not see the program of the process \(process.name) (PID \(process.pid))."
    } else if looked.processes.isEmpty, software == nil, !ProcessFacts.areOthersVisible {
      what = "This user may not see the processes of others (`hidepid` of /proc)."
    } else {
      return nil
    }
    return .broken(
      "process.hidden", "Which version of coturn runs cannot be told. \(what)",
      advice: "Run this as root, or as the user of the service.")
  }

  private static func outdated(_ processes: [RunningServer]) -> Finding? {
    let old = processes.filter { !$0.isInstalled }
    guard let first = old.first else { return nil }
    let numbers = old.map { "\($0.pid)" }.joined(separator: ", ")
    return Finding(
      "coturn.processOutdated",
      "Process \(numbers) still runs a \(first.path) that has been replaced since it was started.",
      advice: "Restart the server when its calls allow it: until then an update has no effect.")
  }

  private static func disagreement(_ evidence: [VersionEvidence]) -> Finding? {
    guard Set(evidence.map(\.version)).count > 1 else { return nil }
    let list = evidence.map { "\($0.source.rawValue) \($0.version)" }.reduce(into: [String]()) {
      if !$0.contains($1) { $0.append($1) }
    }
    return Finding(
      "coturn.versionsDisagree", "The versions disagree: \(list.joined(separator: ", ")).",
      advice: "A process of before an update needs a restart; a log or a server of another host needs to be left out.")
  }
}
