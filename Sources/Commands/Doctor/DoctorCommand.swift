package import ArgumentParser
import Language
import Modules
import Reports
import Schema
import Steps

/// `runbook doctor`.
package struct DoctorCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Check that everything the runbooks need is here, and say what to type if it is not.",
    discussion: """
      What is needed is taken from the runbooks themselves: the programs that their steps start, the targets and secrets \
      that they use, the place where their runs are kept, and a clock that is right. A secret is looked for and never \
      shown. A target is asked for one answer (STUN, over the transport of its URI), three seconds at most for each look; \
      nothing is changed anywhere.

        runbook doctor
        runbook doctor daily-health
        runbook doctor --offline --format json

      Each thing is ok, a warning, missing, or unknown if it could not be found out. Exit code 0 if nothing is missing or \
      unknown, 1 if something is.
      """)

  @Argument(
    help: "Look only at what this runbook needs, or checks/NAME; all of them, if none is given.",
    completion: ProjectCompletion.documents)
  var name: String?

  @Flag(help: "Send nothing: targets are not looked up and not asked.") var offline = false
  @Option(help: "text or json.") var format: OutputFormat = .text
  @OptionGroup var options: ProjectOptions

  package init() {}

  package func run() async throws {
    var diagnosis = Diagnosis(runbook: name, isOffline: offline)
    if let project = try project(&diagnosis) {
      try await look(at: project, &diagnosis)
    } else if name != nil {
      throw CommandFailure(
        .invalid, "there is no project that could have a runbook", advice: diagnosis.items.first?.fix)
    }
    diagnosis.add(HostLook.clock())
    diagnosis.add(HostLook.terminal())
    switch format {
    case .text:
      let terminal = Terminal.standardOutput
      terminal.write(diagnosis.text(isColored: terminal.hasColor, width: terminal.isInteractive ? terminal.width : 100))
    case .json: Terminal.standardOutput.write(diagnosis.json.text(.indented) + "\n")
    }
    guard diagnosis.isSound else { throw CommandFailure(.failed) }
  }

  /// The project; nil, with the reason among the items, if there is none or it cannot be read.
  private func project(_ diagnosis: inout Diagnosis) throws -> Project? {
    let surroundings = options.surroundings
    let root: String
    do throws(ProjectError) { root = try Project.find(options.project, in: surroundings) } catch {
      guard error.kind == .notFound else { throw CommandFailure(.invalid, error.message, advice: error.advice) }
      diagnosis.add(.init(.project, "runbook.yaml", .missing, error.message, fix: "runbook init"))
      return nil
    }
    diagnosis.project = root
    do throws(Issues) {
      let project = try Project.load(at: root, in: surroundings)
      diagnosis.add(.init(.project, "runbook.yaml", .ok, "project \(project.name) in \(root)"))
      for issue in project.warnings { diagnosis.add(.init(.project, issue)) }
      return project
    } catch {
      for issue in error.all { diagnosis.add(.init(.project, issue)) }
      return nil
    }
  }

  private func look(at project: Project, _ diagnosis: inout Diagnosis) async throws {
    if let name, !project.documentNames.contains(name) {
      throw Diagnostics(root: project.root).failure(project.document(name, catalog: .standard).issues)
    }
    let documents = (name.map { [$0] } ?? project.documentNames).map { name in
      (name: name, document: project.document(name, catalog: .standard))
    }
    var needs = ProjectNeeds()
    let look = StartLook(project)
    for (name, document) in documents {
      guard !document.hasErrors else {
        diagnosis.add(.init(problemsOf: document, named: name))
        continue
      }
      // A check by itself is looked at if it was asked for: runbooks give it what it needs.
      let start = look.start(document, named: name, asksForParams: self.name == nil && name.hasPrefix("checks/"))
      for item in start.items { diagnosis.add(item) }
      needs.add(document, named: name, params: start.params)
    }
    for item in await needs.programItems() { diagnosis.add(item) }
    for item in needs.secretItems { diagnosis.add(item) }
    // Without a name all that the project declares is looked at, as are its targets.
    if name == nil || !needs.channelUsers.isEmpty {
      for secret in project.channelSecrets {
        diagnosis.add(.init(secret: secret, neededBy: [secret.range.place] + needs.channelUsers))
      }
    }
    if needs.usesNetwork { diagnosis.add(HostLook.sockets(neededBy: needs.networkUsers)) }
    for item in await needs.socketItems() { diagnosis.add(item) }
    if !needs.targetUsers.isEmpty {
      let look = TargetLook(project: project, isOffline: offline, neededBy: needs.targetUsers)
      for item in await look.items() { diagnosis.add(item) }
    }
    for item in await needs.vaultItems(project.vaultSettings) { diagnosis.add(item) }
    for item in await StateLook(project: project).items() { diagnosis.add(item) }
  }
}

extension Diagnosis.Item {
  /// A problem of the project's own files.
  fileprivate init(_ subject: Diagnosis.Subject, _ issue: Issue) {
    let place = issue.range.line > 1 || issue.range.column > 1 ? "\(issue.range.file):\(issue.range.line)" : ""
    self.init(
      subject, issue.range.file, issue.severity == .error ? .missing : .warning,
      issue.message + (place.isEmpty ? "" : " (\(place))"), fix: issue.suggestion)
  }

  /// A document that cannot be run at all.
  fileprivate init(problemsOf document: CheckedDocument, named name: String) {
    let file = name.hasPrefix("checks/") ? "\(name).yaml" : "runbooks/\(name).yaml"
    let errors = document.issues.count { $0.severity == .error }
    self.init(
      .runbook, name, .unknown,
      "it has \(errors == 1 ? "a problem" : "\(errors) problems"), so that what it needs is not known",
      fix: "runbook validate \(shellQuoted(file))")
  }
}
