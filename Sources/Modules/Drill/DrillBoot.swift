import Addresses
import Age
import Backups
import Coturn
import Files
import Glibc
import Isolation
package import Journal
import Processes
package import Schema
package import Steps
import Vault

/// Boots a server from a backup, beside production.
package struct DrillBoot: StepModule {
  package struct Input: Sendable {
    package var vault: String?
    package var set: String
    package var backup: String?
    package var random: Bool
    package var identity: Secret
    package var keyFile: String?
    package var server: TURNServer
    package var configuration: String
    package var binary: String
    package var image: String?
    package var arguments: [String]
    package var user: String
    package var emptied: Bool
    package var patience: Duration
    package var size: Int
  }

  package struct Output: Sendable {
    package var drill: String
    package var server: TURNServer
    package var backup: String
    package var created: Timestamp
    package var current: Timestamp
    package var recoveryPoint: Duration
    package var files: Int
    package var bytes: Int
    package var restoreTime: Duration
    package var bootTime: Duration
    package var version: String
    package var configuration: String
    package var root: String
    package var listening: [String]
    package var hooks: [String]
  }

  package static let declaration = ModuleDeclaration(
    "drill.boot", "Boots the server from a backup on an isolated host beside production, so that probes can prove it.",
    discussion: """
      The isolated host has processes and a network of its own, an empty `/run`, and the addresses of production on its loopback interface.
      It sees this host's file systems; what is written there stays in memory, at most `size`, and is gone with it. No route leads out of it.
      So it may be run while production serves on the same ports: neither hears of the other. It needs root.

      The backup is held against both manifests while it is restored. What it has is removed from the isolated host first, and so is
      what its configuration names: a file that the backup lacks is missing, as it would be on a new machine, and fails the step by name. Then
      the installed program is started with the restored configuration, as the service's user, and must listen on the ports that the configuration says.
      A unit of the backup is not run; what it would run before the server is told as `hooks`.

      `server` of the output is the server that was given, reached on the isolated host: every `stun.*`, `turn.*` and `tls.*` step takes it. The
      isolated host ends with `drill.stop`, and with the run, however that ends; nothing is left then.

      With `image` the server is another one: the folder's own program, with its own libraries and files, and no other file of this host than the
      restored ones. The folder itself is not written to. Owners of files and the user of the service are numbers there, those of this host.

      A configuration whose users are in a database of another program (PostgreSQL, MariaDB, MongoDB, Redis) is an error: whether its credentials
      would work cannot be known.
      """,
    effect: .change, repetition: .atMostOnce, judges: true,
    programs: [
      RequiredProgram("nsenter", package: "util-linux"), RequiredProgram("setpriv", package: "util-linux"),
      RequiredProgram("tar", package: "tar"),
    ], deadline: .seconds(300),
    input: Record(
      Input.init,
      Field("vault", \.vault, .optional(.path), "The vault; the project's, if not given."),
      Field("set", \.set, .string, "The set."),
      Field("backup", \.backup, .optional(.string), "The backup's name; the newest complete one, if not given."),
      Field(
        "random", \.random, .bool, default: false,
        "Whether any of the complete backups is taken, in place of the newest."),
      Field("identity", \.identity, .secret, "The age identity that decrypts, as its key file has it."),
      Field(
        "keyFile", \.keyFile, .optional(.path), "The host's key, with which the manifest beside the archive is checked."
      ),
      Field("server", \.server, .turnServer, "Production, as clients reach it: whose place the restored server takes."),
      Field(
        "configuration", \.configuration, .path, default: "/etc/turnserver.conf",
        "The configuration that the server is started with."),
      Field(
        "binary", \.binary, .string, default: "turnserver",
        "The program: a path, or a name. With `image`, in the image."),
      Field(
        "image", \.image, .optional(.path),
        "A folder with the unpacked root file system of an image, whose program is booted in place of this host's."),
      Field("arguments", \.arguments, .list(.string), default: [], "Its arguments behind `-c`."),
      Field("user", \.user, .string, default: "turnserver", "The user that the service runs as: a name or UID."),
      Field(
        "emptied", \.emptied, .bool, default: false,
        "Whether the configuration is emptied after the restore, to see that a drill finds that."),
      Field("patience", \.patience, .duration, default: .seconds(20), "How long the server may take to listen."),
      Field(
        "size", \.size, .byteSize.within(1 << 20...1 << 40), default: 1 << 30,
        "The most that may be written on the isolated host.")
    ),
    output: Record(
      Output.init,
      Field("drill", \.drill, .string, "Its name, for `drill.stop`: the number of the process that holds it."),
      Field("server", \.server, .turnServer, "The restored server, for probes."),
      Field("backup", \.backup, .string, "The backup's name."),
      Field("created", \.created, .timestamp, "When the set began to be read."),
      Field("current", \.current, .timestamp, "When the set was last read and found equal to this backup."),
      Field(
        "recoveryPoint", \.recoveryPoint, .duration,
        "How much would be lost: the time from then to the drill's start (RPO)."),
      Field("files", \.files, .int, "How many files were restored."),
      Field("bytes", \.bytes, .byteSize, "What they have together."),
      Field("restoreTime", \.restoreTime, .duration, "From the start until the files were in their place."),
      Field("bootTime", \.bootTime, .duration, "From then until the server listened."),
      Field("version", \.version, .string, "The version that the program tells."),
      Field("configuration", \.configuration, .path, "The restored configuration, as this host reaches it."),
      Field("root", \.root, .path, "The root that the server has, as this host reaches it."),
      Field("listening", \.listening, .list(.string), "The ports on which the server listens."),
      Field(
        "hooks", \.hooks, .list(.string),
        "What units of the backup would run before or after the server, and was not run.")
    ),
    examples: [
      .init(
        "The newest backup boots, and no more than a month would be lost",
        with: """
          set: coturn-config
          identity: ${secrets.backupIdentity}
          server: ${target}
          """, expect: ["output.recoveryPoint <= duration('744h')"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.random, input.backup != nil else { return nil }
    return Finding(
      "drill.twoBackups", "`random` and `backup` both say which backup is taken", advice: "Give one of both.")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    guard let account = ServiceAccount(input.user) else {
      throw .notStarted(
        "drill.userMissing", "this host has no user \(input.user)",
        advice: "Install coturn here as production has it, or give `user`.")
    }
    let (start, clock) = (Moment.now().wall, ContinuousClock.now)
    let image: String?
    if let folder = input.image { image = try DrillImage.folder(folder) } else { image = nil }
    let ground = try await DrillGround(size: input.size, image: image, in: context)
    var input = input
    if let image = ground.image { input.binary = try image.program(input.binary) }
    context.progress("restoring")
    let restored = try await ground.restore(input)
    let version = try await ground.version(of: input.binary, account)
    let configuration = try await ground.place(restored, for: input, account, version)
    let hooks = try await ground.hooks(of: restored.members)
    let restoreTime = ContinuousClock.now - clock
    let effective = input.emptied ? RestoredConfiguration([], version) : configuration
    let (address, all) = try ground.giveAddresses(configuration, input.server)
    // coturn passes over the loopback interface, which has them all, unless it is told them.
    let listeners = effective.listeningAddresses.isEmpty ? all.flatMap { ["-L", $0.description] } : []

    context.progress("starting \(input.binary)")
    let booted = ContinuousClock.now
    let drill = try ground.start(input, listeners, account, began: clock)
    drill.keep()
    let listening: [RestoredConfiguration.Listener]
    do throws(StepError) {
      listening = try await ground.awaitListeners(effective.listeners, of: drill, within: input.patience)
    } catch {
      _ = drill.end()
      throw error
    }
    var server = input.server
    server.namespace = drill.host.networkNamespace
    server.address = address.description
    let root = ground.image?.root ?? drill.host.root
    let placed = try ground.image?.place(of: input.configuration) ?? input.configuration
    let output = Output(
      drill: drill.name, server: server, backup: restored.backup, created: restored.created, current: restored.current,
      recoveryPoint: max(.zero, start.duration(since: restored.current)), files: restored.files, bytes: restored.bytes,
      restoreTime: restoreTime, bootTime: ContinuousClock.now - booted, version: version.description,
      configuration: drill.host.root + placed, root: root,
      listening: listening.map(\.description), hooks: hooks)
    guard let hook = hooks.first else { return .done(output) }
    return .warned(
      output,
      Finding(
        "drill.hooksNotRun",
        "units of the backup run \(String(hooks.count)) \(hooks.count == 1 ? "command" : "commands") beside the server, which the drill did not: \(hook)",
        advice: "Make sure that a new machine has what they need."))
  }
}

/// A backup that lies on the isolated host, not yet in its place.
struct StagedBackup: Sendable {
  let backup: String
  let created: Timestamp
  /// When the set was last found equal to it.
  let current: Timestamp
  let members: [BackupManifest.Member]
  let files: Int
  let bytes: Int
  /// What the set names on this host.
  let setPaths: [String]

  /// Its symbolic links.
  var links: Set<String> {
    Set(
      members.compactMap { member in
        guard case .symbolicLink = member.kind else { return nil }
        return member.path.map { String(decoding: $0, as: UTF8.self) }
      })
  }

  var paths: Set<String> { Set(members.compactMap { $0.path.map { String(decoding: $0, as: UTF8.self) } }) }
}

extension DrillGround {
  /// Reads the backup and holds it against its manifests.
  fileprivate func restore(_ input: DrillBoot.Input) async throws(StepError) -> StagedBackup {
    let identities = try VaultWork.identities(input.identity) ?? []
    let hostDigest = try VaultWork.hostDigest(input.keyFile)
    let path = try context.vaultPath(input.vault)
    let limit = VaultWork.limit(nil, of: input.set, in: context)
    let set = context.services.vault?.sets[input.set]
    let target = host.root + Self.staging
    return try await VaultWork.run { checkpoint in
      let vault = try VaultRepository(opening: path)
      var backup = try VaultWork.choose(input.backup, of: input.set, in: vault)
      if input.random, let any = try vault.backups(of: input.set).filter(\.isComplete).randomElement() { backup = any }
      let tree = try StagedTree(at: target, isReplacing: false)
      try tree.requireRoom(for: backup.manifest.contentSize)
      let manifest = try withoutActuallyEscaping(checkpoint) { checkpoint in
        try vault.read(
          backup,
          BackupReading(
            identities: identities, hostDigest: hostDigest, limit: limit, allowsOutwardLinks: true,
            progress: { _ in try checkpoint() }), into: tree)
      }
      _ = try tree.putInPlace(keeping: "kept")
      let check = try vault.lastCheck(of: input.set)
      return StagedBackup(
        backup: backup.name, created: backup.created,
        current: max(backup.created, check.flatMap { $0.backup == backup.name ? $0.checked : nil } ?? backup.created),
        members: manifest.members, files: tree.filesWritten, bytes: manifest.contentSize,
        setPaths: (set?.paths ?? []) + (set?.optionalPaths ?? []))
    }
  }

  /// A command of the server's program, where it finds its libraries.
  private func server(_ binary: String, _ arguments: [String], as account: ServiceAccount) -> Command {
    image == nil
      ? host.command(binary, arguments, as: account) : host.imageCommand(binary, arguments, as: account)
  }

  /// What the program says of itself, asked where it can do nothing.
  fileprivate func version(of binary: String, _ account: ServiceAccount) async throws(StepError) -> CoturnVersion {
    var command = server(binary, ["--version"], as: account)
    command.timeout = min(.seconds(5), context.remaining)
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch {
      throw .notStarted(
        "drill.notIsolated", "nothing can be run on the isolated host: \(error.message)",
        advice: "Install util-linux, which has nsenter and setpriv.")
    }
    if let version = result.standardOutput.text.split(separator: "\n").lazy.compactMap({ CoturnVersion($0) }).first {
      return version
    }
    let words = result.standardError.text.split(separator: "\n").last.map(String.init) ?? "it says nothing"
    if image != nil {
      // The program was found in it; so what is not found is what it needs to run at all.
      let isUnloadable = words.hasSuffix("No such file or directory")
      throw DrillImage.unfit(
        "its \(binary) does not tell its version: \(words)\(isUnloadable ? ": the loader or interpreter that it names is missing" : "")"
      )
    }
    throw .notStarted(
      "drill.programMissing", "\(binary) does not tell its version: \(words)",
      advice: "Install coturn on this host, or give `binary` its path. It must be 4.6 or newer.")
  }

  /// Puts the backup in its place and looks whether the configuration finds there what it names.
  fileprivate func place(
    _ restored: StagedBackup, for input: DrillBoot.Input, _ account: ServiceAccount, _ version: CoturnVersion
  ) async throws(StepError) -> RestoredConfiguration {
    if let program = Self.program(in: restored.paths, meaning: input.binary, isImage: image != nil) {
      throw .failed(
        "drill.programInBackup",
        "the backup \(restored.backup) brings \(program): what would run is not what this host has installed",
        advice: "Take it out of the set. If the program belongs to the backup, give its path as `binary`.")
    }
    try await place(
      restored.members, removing: restored.setPaths + RestoredConfiguration.usualDatabases + [input.configuration])
    guard restored.paths.contains(input.configuration) else {
      throw .failed(
        "drill.configurationMissing", "the backup \(restored.backup) has no \(input.configuration)",
        advice: "Add it to `paths` of backups/\(input.set).yaml, or give `configuration`.")
    }
    let bytes = try await run("cat", ["--", input.configuration])
    let configuration = RestoredConfiguration(bytes, version)
    if let users = UserSources(configuration: bytes).users, users.kind != .sqlite {
      throw .broken(
        "drill.usersElsewhere",
        "the users are in \(users.kind.title) (\(users.option)), which the isolated host cannot reach: whether their credentials work cannot be known",
        advice:
          "Drill with a set whose users are in the configuration or in SQLite, or restore the database by its own means."
      )
    }
    let read = configuration.filesRead
    try await remove(read.map(\.path).filter { !restored.paths.contains($0) })
    try await removeTargets(of: read.map(\.path).filter(restored.links.contains), without: restored.paths)
    let missing = try await unreadable(read + [.init(option: "-c", path: input.configuration)], for: account)
    if let first = missing.first {
      let isThere = restored.paths.contains(first.path) && !restored.links.contains(first.path)
      throw .failed(
        isThere ? "drill.fileUnreadable" : "drill.fileNotInBackup",
        "\(missing.map { "\($0.path) (\($0.option))" }.joined(separator: ", ")) \(isThere ? "cannot be read by \(input.user) after the restore" : "is not in the backup \(restored.backup), and the configuration names it")",
        advice: isThere
          ? "Look at its owner and mode, and at the folders above it: the backup has them as they were."
          : "Add it to `paths` of backups/\(input.set).yaml: a new machine would not have it.")
    }
    if input.emptied { try await run("truncate", ["--size=0", "--", input.configuration]) }
    if let image {
      // What the image brings of them would stand in for what the backup lacks.
      let others = restored.setPaths + RestoredConfiguration.usualDatabases + [input.configuration]
      var places: [String] = []
      for path in others where !restored.paths.contains(path) {
        places += [try image.place(of: path), try image.place(ofNew: path)]
      }
      try await run("rm", ["-rf", "--"] + places)
      try await place(restored.members, in: image)
      let hidden = try await unreadable(
        read + [.init(option: "-c", path: input.configuration)], for: account, in: image)
      if let first = hidden.first {
        throw .failed(
          "drill.fileUnreadable", "\(first.path) (\(first.option)) cannot be read by \(input.user) in the image",
          advice: "Look at the owners and modes of the folders above it in the image.")
      }
    }
    try await makeFolders(of: configuration.filesWritten, for: account)
    return configuration
  }

  /// A program or library in the backup by which something else would run than this host's own server.
  ///
  /// - Parameter isImage: whether an image's own program is booted: the backup may not bring that either.
  private static func program(in paths: Set<String>, meaning binary: String, isImage: Bool) -> String? {
    let name = lastName(of: binary)
    return paths.sorted().first { path in
      if path.hasPrefix("/etc/ld.so.") || path.hasSuffix("/ld.so.preload") { return true }
      let isLibrary = ["/lib", "/usr/lib", "/usr/local/lib"].contains { path.hasPrefix($0) } && path.contains(".so")
      let isProgram = lastName(of: path) == name && lastName(of: parentFolder(of: path)).hasSuffix("bin")
      return isLibrary || isProgram && (isImage || path != binary)
    }
  }

  /// The commands that units of the backup run besides the server.
  fileprivate func hooks(of members: [BackupManifest.Member]) async throws(StepError) -> [String] {
    let units = members.compactMap { $0.path.map { String(decoding: $0, as: UTF8.self) } }.filter {
      $0.hasSuffix(".service") || $0.contains(".service.d/")
    }
    guard !units.isEmpty else { return [] }
    let script = "grep -hE '^[[:space:]]*Exec(Condition|StartPre|StartPost)[[:space:]]*=' -- \"$@\" || true"
    let told = try await run("sh", ["-c", script, "sh"] + units)
    return String(decoding: told, as: UTF8.self).split(separator: "\n").map {
      String($0.drop { $0 == " " || $0 == "\t" }).trimmedEnd
    }
  }

  /// Gives the isolated host the addresses that the server takes for its own, and says at which one it is reached.
  fileprivate func giveAddresses(
    _ configuration: RestoredConfiguration, _ server: TURNServer
  ) throws(StepError) -> (reached: IPAddress, all: [IPAddress]) {
    let literal = IPAddress(server.host)
    let listening = configuration.listeningAddresses
    var addresses = configuration.addresses
    if listening.isEmpty {
      // It listens on every address that its host has.
      addresses += ([literal].compactMap(\.self) + Self.ownAddresses()).filter {
        !addresses.contains($0) && $0.isAssignable
      }
    }
    let loopback = IPAddress.v4(0x7F00_0001)
    let reached =
      if let literal, listening.isEmpty || listening.contains(literal) {
        literal
      } else { listening.first ?? addresses.first ?? loopback }
    do throws(IsolationError) {
      try host.add(addresses: addresses, client: configuration.client(of: reached))
    } catch { throw StepError(error) }
    return (reached, addresses.isEmpty ? [loopback] : addresses)
  }

  /// The addresses of this host's interfaces that others can use.
  private static func ownAddresses() -> [IPAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: [IPAddress] = []
    for entry in sequence(first: list, next: { $0?.pointee.ifa_next }).prefix(while: { $0 != nil }) {
      guard let address = entry?.pointee.ifa_addr else { continue }
      var text = [CChar](repeating: 0, count: 64)
      let length =
        address.pointee.sa_family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
      guard [sa_family_t(AF_INET), sa_family_t(AF_INET6)].contains(address.pointee.sa_family),
        getnameinfo(address, socklen_t(length), &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0,
        let ip = IPAddress(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)),
        ip.isAssignable, !found.contains(ip)
      else { continue }
      found.append(ip)
    }
    return found
  }

  fileprivate func start(
    _ input: DrillBoot.Input, _ listeners: [String], _ account: ServiceAccount, began: ContinuousClock.Instant
  ) throws(StepError) -> RunningDrill {
    let command = server(input.binary, ["-c", input.configuration] + listeners + input.arguments, as: account)
    do throws(ProcessError) {
      let server = try command.startDetached(log: host.root + RunningDrill.log)
      return RunningDrill(host, server, run: context.run, began: began)
    } catch {
      throw .broken(
        "drill.notStarted", "the server could not be started: \(error.message)",
        advice: "Install util-linux, which has nsenter and setpriv, and look whether `binary` can be executed.")
    }
  }

  /// Waits until the server listens on all that its configuration says.
  fileprivate func awaitListeners(
    _ expected: [RestoredConfiguration.Listener], of drill: RunningDrill, within patience: Duration
  ) async throws(StepError) -> [RestoredConfiguration.Listener] {
    let end = ContinuousClock.now + min(patience, context.remaining)
    while true {
      let found = ListeningPorts(ofProcess: host.holder.pid).listeners
      let missing = expected.filter { !found.contains($0) }
      if missing.isEmpty, !expected.isEmpty {
        return found.sorted { ($0.port, $0.transport) < ($1.port, $1.transport) }
      }
      if Task.isCancelled {
        throw StepError(.interrupted, Finding.drillInterrupted)
      }
      // One that has forked away runs on without its parent.
      let isGone = !drill.server.isRunning && host.processes().isEmpty
      if isGone || ContinuousClock.now >= end {
        let words = RunningDrill.lastWords(of: host, 3).joined(separator: " | ")
        let last: Sentence = words.isEmpty ? "It has logged nothing to its output." : "Its last words: \(words)"
        guard isGone else {
          let ports = missing.map(\.description).joined(separator: ", ")
          throw .failed(
            "drill.notListening",
            "the restored server does not listen on \(ports), which its configuration names, \(durationLiteral(patience)) after it was started",
            advice: "A certificate or key that does not fit leaves coturn without TLS. \(last)")
        }
        throw .failed("drill.serverEnded", "the restored server ended before it listened", advice: last)
      }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension String {
  fileprivate var trimmedEnd: String {
    var text = self
    while text.last?.isWhitespace == true { text.removeLast() }
    return text
  }
}
