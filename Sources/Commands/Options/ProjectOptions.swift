package import ArgumentParser
import Files
import FoundationEssentials
import Glibc
import Journal
import Lab
import Language
import Ledger
import Probe
import Schema
import Steps
import TerminalText

/// Which project a command works in, and from where it takes the environment.
package struct ProjectOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The project's folder.",
      discussion: "Else RUNBOOK_PROJECT, the nearest parent folder with runbook.yaml, or /etc/runbook.",
      valueName: "dir"),
    completion: .directory)
  package var project: String?

  @Option(
    help: ArgumentHelp("Read this file instead of the project's .env.", valueName: "file"), completion: .file())
  package var envFile: String?

  package init() {}

  /// Reads the project.
  ///
  /// - Parameter isLab: neither the environment nor `.env` is asked then; targets and secrets come from the lab alone.
  /// - Throws: `CommandFailure` if there is no project, with the problems printed if it cannot be read.
  func load(isLab: Bool = false) throws -> Project { try read(try root, isLab: isLab) }

  /// The project's folder.
  var root: String {
    get throws(CommandFailure) {
      do throws(ProjectError) { return try Project.find(project, in: surroundings) } catch {
        throw CommandFailure(.invalid, error.message, advice: error.advice)
      }
    }
  }

  /// The project; nil if none was named, by the option or `RUNBOOK_PROJECT`, and none is there.
  ///
  /// - Throws: as ``load(isLab:)``.
  func loadIfThere() throws -> Project? {
    do throws(ProjectError) { _ = try Project.find(project, in: surroundings) } catch {
      if error.kind == .notFound { return nil }
    }
    return try load()
  }

  /// The project, if there is one that can be read; nothing is said otherwise.
  var projectIfReadable: Project? {
    guard let root = try? root else { return nil }
    return try? Project.load(at: root, in: surroundings)
  }

  var surroundings: Project.Surroundings {
    Project.Surroundings(
      environment: ProcessInfo.processInfo.environment, environmentFile: envFile,
      workingFolder: FileManager.default.currentDirectoryPath, judgeCertificates: { $0.problems })
  }

  private func read(_ root: String, isLab: Bool) throws -> Project {
    var surroundings = surroundings
    surroundings.readsEnvironment = !isLab
    DebugLog.shared.tell("project", ["folder": root, "environment": isLab ? "none" : envFile ?? ".env"])
    do throws(Issues) { return try Project.load(at: root, in: surroundings) } catch {
      throw Diagnostics(root: root).failure(error.all)
    }
  }
}

/// Prints problems of documents with their source.
struct Diagnostics: Sendable {
  let root: String

  /// Prints the problems on standard error and gives the failure with which to end.
  func failure(_ issues: [Issue]) -> CommandFailure {
    show(issues)
    return CommandFailure(.invalid, problems: issues)
  }

  func show(_ issues: [Issue]) {
    let text = DiagnosticText(
      usesColour: Terminal.standardError.hasColor, hidingValuesOf: { !Self.isDocument($0) },
      reading: { [root] file in
        let path = file.hasPrefix("/") ? file : "\(root)/\(file)"
        // What a link out of the project leads to is not ours to show.
        guard file.hasPrefix("/") || lies(path, in: root) != false else { return nil }
        return FileManager.default.contents(atPath: path).map(Array.init)
      })
    Terminal.standardError.write(text.text(issues))
  }

  /// False for what may be an environment file, whatever it is called.
  private static func isDocument(_ file: String) -> Bool {
    [".yaml", ".yml", ".json"].contains { file.hasSuffix($0) }
  }
}

extension Project {
  /// The runs of this project, those that were kept in memory included.
  var ledger: Ledger {
    let inMemory = state.existingInMemory(runtimeFolder: environmentVariable("XDG_RUNTIME_DIR"))
    return Ledger([state] + [inMemory].compactMap(\.self))
  }

  /// What steps of this project's runbooks may need besides their input.
  var stepServices: Services { Services(history: ledger, vault: vaultIfAny, channels: channelRoutesIfAny) }

  /// Where runs are kept in memory.
  var volatileState: StateFolder {
    get throws(JournalError) {
      try state.inMemory(runtimeFolder: environmentVariable("XDG_RUNTIME_DIR"))
    }
  }

  /// Who owns the folder of the runs.
  var stateOwner: Int {
    let found = (try? FileMetadata.of(statePath, followingLinks: true)).flatMap(\.self)
    return Int(found?.owner ?? geteuid())
  }

  /// Where runs of this project are kept; one that is installed shares them with the group of its operators.
  var state: StateFolder {
    StateFolder(statePath, access: root == "/etc/runbook" ? .group : .owner)
  }
}

extension Project {
  /// What a file is to the project, as a sentence goes on: `it is the project's runbook.yaml`; nil for any other file.
  ///
  /// - Parameter path: of a file that need not be there, links followed.
  func role(ofFile path: String) -> String? {
    guard let folder = try? resolvedPath(parentFolder(of: path)) else { return nil }
    let file = (folder == "/" ? "" : folder) + "/" + lastName(of: path)
    if let state = try? resolvedPath(statePath), file.hasPrefix(state + "/") {
      return "it lies where the project's runs are kept"
    }
    guard let root = try? resolvedPath(root), file.hasPrefix(root + "/") else { return nil }
    let name = String(file.dropFirst(root.count + 1))
    if ["runbook.yaml", ".env"].contains(name) { return "it is the project's \(name)" }
    guard name.hasSuffix(".yaml"), ["runbooks", "checks"].contains(parentFolder(of: name)) else { return nil }
    return "it is a file of the project, \(name)"
  }
}

extension CertificateFiles {
  /// What would keep a probe from using these files.
  var problems: [Problem] {
    var options = TLSOptions()
    options.trustFile = ca
    if let certificate, let key {
      options.clientCertificate = TLSOptions.ClientCertificate(chainFile: certificate, keyFile: key)
    }
    return options.fileProblems().map { problem in
      switch problem.role {
      case .trust: Problem(.ca, problem.reason, advice: Self.form)
      case .chain: Problem(.certificate, problem.reason, advice: Self.form)
      case .key:
        Problem(.key, problem.reason, advice: "it must be the certificate's own key, in PEM, without a passphrase")
      }
    }
  }

  private static let form = "it must be a PEM file: -----BEGIN CERTIFICATE-----"
}
