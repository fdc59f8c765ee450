import Backups
import Journal
import Language
import Processes
import Runs
import Schema
import Steps

/// What runbooks and checks need of this host, taken from their steps and from what the modules declare.
struct ProjectNeeds {
  /// A program, and who needs it.
  private struct Program {
    var command: Command
    /// The package that has it; nil if nobody says.
    var package: String?
    /// The process beside which alone it is needed; nil if it always is.
    var process: String?
    /// Whether runs can pass without: the step may be left out or does not count, or one before it may bring the program.
    var isTolerated: Bool
    var users: [String]
  }

  private var programs: [String: Program] = [:]
  private var order: [String] = []
  private(set) var secretItems: [Diagnosis.Item] = []
  /// The documents that need a target.
  private(set) var targetUsers: [String] = []
  /// The documents that tell people through channels.
  private(set) var channelUsers: [String] = []
  /// The steps that send something.
  private(set) var networkUsers: [String] = []
  /// Sockets that steps connect to, and who does.
  private var unixSockets: [String: [String]] = [:]
  private var socketOrder: [String] = []
  /// Steps that need the vault.
  private var vaultUsers: [String] = []
  /// The backup sets that steps name, and who does.
  private var setUsers: [String: [String]] = [:]
  /// A step before may have changed what is there.
  private var mayHaveChanged = false

  var usesNetwork: Bool { !networkUsers.isEmpty }

  /// - Parameter params: what a run without `-p` takes for the document's parameters, as far as that is known.
  mutating func add(_ document: CheckedDocument, named name: String, params: [Value.Member]) {
    mayHaveChanged = false
    var scope = Scope()
    scope.params = .members(params)
    add(document.steps, in: scope, isTolerated: false)
    if document.usesTarget() == true { targetUsers.append(name) }
    if document.tellsPeople { channelUsers.append(name) }
    for secret in document.secrets {
      let item = Diagnosis.Item(secret: secret, neededBy: [secret.range.place])
      // One secret that several documents name is one thing to set.
      let same = secretItems.firstIndex { known in
        known.name == item.name && known.state == item.state && known.reason == item.reason && known.fix == item.fix
      }
      if let same {
        for place in item.neededBy { note(place, in: &secretItems[same].neededBy) }
      } else {
        secretItems.append(item)
      }
    }
  }

  private mutating func add(_ steps: [PlannedStep], in scope: Scope, isTolerated: Bool) {
    for step in steps {
      let isTolerated = isTolerated || step.condition != nil || step.isDiagnostic
      if case .call(let call) = step.body {
        if let range = call.programRange, let command = Command(literalOf: call.input) {
          need(command, package: nil, isTolerated: isTolerated || mayHaveChanged, by: range.place)
        }
        for program in call.module.programs {
          guard let isCertain = call.isGiven(program.field) else { continue }
          need(
            Command(program.name), package: program.package, beside: program.process,
            isTolerated: isTolerated || !isCertain || program.isOptional, by: step.range.place)
        }
        if call.module.input.namesServer { note(step.range.place, in: &networkUsers) }
        if case .string(let path)? = try? call.input.member("unixSocket")?.value(in: scope) {
          if unixSockets[path] == nil { socketOrder.append(path) }
          note(step.range.place, in: &unixSockets[path, default: []])
        }
        if call.module.services.contains(.vault) { needVault(call, in: scope, by: step.range.place) }
        if call.effect == .change { mayHaveChanged = true }
      }
      var inner = scope
      if case .check(let check) = step.body {
        inner = Scope()
        inner.inputs = (try? check.input.value(in: scope)) ?? .members([])
      }
      add(step.body.steps, in: inner, isTolerated: isTolerated)
    }
  }

  private mutating func needVault(_ call: ModuleCall, in scope: Scope, by place: String) {
    note(place, in: &vaultUsers)
    if case .string(let set)? = try? call.input.member("set")?.value(in: scope) {
      note(place, in: &setUsers[set, default: []])
    }
  }

  /// Looks at the vault, if a step needs it.
  func vaultItems(_ settings: @autoclosure () -> VaultSettings) async -> [Diagnosis.Item] {
    guard !vaultUsers.isEmpty else { return [] }
    return await VaultLook(settings: settings(), setUsers: setUsers, neededBy: vaultUsers).items()
  }

  private func note(_ place: String, in places: inout [String]) {
    if !places.contains(place) { places.append(place) }
  }

  private mutating func need(
    _ command: Command, package: String?, beside process: String? = nil, isTolerated: Bool, by place: String
  ) {
    let key = [command.executable, command.directory ?? "", command.environment["PATH"] ?? ""].joined(separator: "\0")
    if programs[key] == nil { order.append(key) }
    var program =
      programs[key] ?? Program(command: command, package: package, process: process, isTolerated: true, users: [])
    program.package = program.package ?? package
    // A step that always needs it outdoes one that needs it beside a process.
    if process == nil { program.process = nil }
    program.isTolerated = program.isTolerated && isTolerated
    note(place, in: &program.users)
    programs[key] = program
  }

  /// Looks at every socket whose path stands in a step.
  func socketItems() async -> [Diagnosis.Item] {
    var items: [Diagnosis.Item] = []
    for path in socketOrder {
      let users = unixSockets[path] ?? []
      let item = await ProgramLook.briefly { UnixSocketLook.look(at: path, neededBy: users) }
      items.append(
        item ?? .init(.sockets, path, .unknown, "the file system that holds it does not answer", neededBy: users))
    }
    return items
  }

  /// Looks for every program, in the `PATH` that its step would have.
  func programItems() async -> [Diagnosis.Item] {
    var items: [Diagnosis.Item] = []
    var look = ProgramLook()
    let running = Set(ProcessEntry.all().filter { !$0.isZombie }.map(\.name))
    for program in order.compactMap({ programs[$0] }) {
      let name = program.command.executable
      if let process = program.process, !running.contains(process) {
        items.append(.init(.program, name, .ok, "it is not needed: no \(process) runs", neededBy: program.users))
        continue
      }
      guard let error = await look.error(of: program.command) else {
        items.append(.init(.program, name, .ok, "it can be started", neededBy: program.users))
        continue
      }
      let reason = error.message + (program.isTolerated ? "; runs may pass without it" : "")
      items.append(
        .init(
          .program, name, program.isTolerated ? .warning : .missing, reason,
          fix: Self.fix(error, program.command, package: program.package), neededBy: program.users))
    }
    return items
  }

  private static func fix(_ error: ProcessError, _ command: Command, package: String?) -> String? {
    let name = command.executable
    switch error.code {
    case .notFound where package != nil: return "apt-get install \(package ?? "")"
    case .notFound where !name.contains("/"): return "apt-file search --regexp \(shellQuoted("/s?bin/\(name)$"))"
    case .notFound: return "put the program at \(name)"
    case .lineEnds: return "sed -i 's/\\r$//' \(shellQuoted(name))"
    case .notExecutable: return "ls -l \(shellQuoted(name)) (it needs chmod +x, and an interpreter that is there)"
    default: return nil
    }
  }
}

extension ModuleCall {
  /// Whether a field of the input is given a value: nil if it surely is not, false if that is known only in a run.
  fileprivate func isGiven(_ field: String?) -> Bool? {
    guard let field else { return true }
    switch field.split(separator: ".").reduce(input as Template?, { $0?.member(String($1)) }) {
    case nil, .literal(.null)?, .literal(.string(""))?: return nil
    case .expression?: return false
    default: return true
    }
  }
}

extension RecordType {
  /// Whether the input has a server in it, or an address of one, so that the step sends something.
  fileprivate var namesServer: Bool { fields.contains { $0.type.isAboutServer } }
}

extension ValueType {
  fileprivate var isAboutServer: Bool {
    switch self {
    case .turnServer, .turnURI, .url, .host: true
    case .optional(let wrapped), .list(let wrapped): wrapped.isAboutServer
    default: false
    }
  }
}

extension SourceRange {
  /// As people write it: `runbooks/daily-health.yaml:12`.
  var place: String { "\(file):\(line)" }
}

extension Diagnosis.Item {
  /// Whether a secret is there; of it only whence it comes.
  init(secret: SecretLook, neededBy: [String]) {
    let name = secret.subject.hasPrefix("the ") ? String(secret.subject.dropFirst(4)) : secret.subject
    if !secret.isExpected {
      self.init(.secret, name, .ok, "it is optional, and not set", neededBy: neededBy)
    } else if let problem = secret.problems.first(where: { $0.severity == .error }) ?? secret.problems.first {
      self.init(
        .secret, name, problem.severity == .error ? .missing : .warning, problem.message, fix: problem.suggestion,
        neededBy: neededBy)
    } else {
      self.init(.secret, name, .ok, "it is there, from \(secret.origin)", neededBy: neededBy)
    }
  }
}
