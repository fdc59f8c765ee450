import Addresses
import Age
import Backups
import Coturn
import Files
import Glibc
import Isolation
import Journal
import Processes
import Schema
import Steps
import Vault

/// An isolated host on which a backup lies in its own place, and nothing of production's that the backup should bring.
struct DrillGround: Sendable {
  let host: IsolatedHost
  /// What the server is started from; this host's own files, if nil.
  let image: DrillImage?
  let context: StepContext

  /// - Parameter folder: of an image, from which the server is started.
  init(size: Int, image folder: String? = nil, in context: StepContext) async throws(StepError) {
    self.context = context
    do throws(IsolationError) {
      host = try await onBlockingThread { () throws(IsolationError) in try IsolatedHost(size: size, image: folder) }
    } catch { throw StepError(error) }
    image = folder == nil ? nil : DrillImage(host: host)
  }

  /// Where a backup is put first, out of reach of what is there.
  static let staging = "/run/restored"

  // MARK: Commands in it

  /// Runs a program in it and returns what it says; `broken` if it fails.
  @discardableResult
  func run(
    _ program: String, _ arguments: [String], as account: ServiceAccount? = nil
  ) async throws(StepError) -> [UInt8] {
    var command = host.command(program, arguments, as: account)
    command.timeout = context.remaining
    command.outputLimit = 16 << 20
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch {
      throw .notStarted(
        "drill.notIsolated", "nothing can be run on the isolated host: \(error.message)",
        advice: "Install util-linux, which has nsenter and setpriv.")
    }
    if result.interruption != nil {
      throw StepError(.interrupted, Finding.drillInterrupted)
    }
    guard result.isSuccess else {
      let words = result.standardError.text.split(separator: "\n").last ?? ""
      if words.contains("No space left") {
        throw .broken(
          "drill.noSpace", "the isolated host has no room for the backup", advice: "Give `size` a larger value.")
      }
      throw .broken(
        "drill.commandFailed", "\(program) failed on the isolated host: \(words)",
        advice: "Look at what it names; nothing outside the isolated host was changed.")
    }
    return result.standardOutput.bytes
  }

  // MARK: The backup's files in their place

  /// Moves the staged files to their places, from which everything of this host was removed.
  ///
  /// - Parameters:
  ///   - members: what the backup has, by its manifest.
  ///   - others: further paths that only the backup may bring.
  func place(_ members: [BackupManifest.Member], removing others: [String]) async throws(StepError) {
    let paths = members.compactMap { $0.path.map { String(decoding: $0, as: UTF8.self) } }
    try await remove(Self.roots(of: paths) + others)
    // Folders that the backup does not tell the mode of are as a package makes them.
    let folders = Set(
      members.compactMap { $0.kind == .directory ? $0.path : nil }.map { String(decoding: $0, as: UTF8.self) })
    let parents = Set(paths.flatMap(Self.ancestors)).subtracting(folders)
    let staged = Self.staging + "/files"
    if !paths.isEmpty {
      try await run("chmod", ["0755", "--", staged] + parents.sorted().map { staged + $0 })
      try await run("tar", ["--create", "--file=\(Self.staging).tar", "--directory=\(staged)", "."])
      try await run(
        "tar",
        [
          "--extract", "--file=\(Self.staging).tar", "--directory=/", "--preserve-permissions", "--same-owner",
          "--numeric-owner", "--keep-directory-symlink", "--no-overwrite-dir",
        ])
    }
    // The server must not find them a second time.
    try await run("rm", ["-rf", "--", Self.staging, Self.staging + ".tar"])
  }

  /// Removes paths of this host's from it, and what they lead to.
  func remove(_ paths: [String]) async throws(StepError) {
    let all = Set(paths + paths.compactMap { try? resolvedPath($0) }).subtracting(["/", ""])
    guard !all.isEmpty else { return }
    try await run("rm", ["-rf", "--"] + all.sorted())
  }

  /// Removes what links lead to there, unless it is one of these paths: what a backup only points to it does not have.
  func removeTargets(of links: [String], without paths: Set<String>) async throws(StepError) {
    guard !links.isEmpty else { return }
    let told = try await run("sh", ["-c", "for link; do readlink -f -- \"$link\" || :; done", "sh"] + links)
    let targets = String(decoding: told, as: UTF8.self).split(separator: "\n").map(String.init)
    try await remove(targets.filter { !paths.contains($0) })
  }

  /// Those that lie below none of the others.
  static func roots(of paths: [String]) -> [String] {
    let all = Set(paths)
    return paths.filter { path in !ancestors(of: path).contains(where: all.contains) }
  }

  /// `/etc` and `/etc/coturn` of `/etc/coturn/x`.
  private static func ancestors(of path: String) -> [String] {
    var found: [String] = []
    var rest = path[...]
    while let slash = rest.lastIndex(of: "/"), slash > path.startIndex {
      rest = rest[..<slash]
      found.append(String(rest))
    }
    return found
  }

  /// Puts what was placed on the isolated host into the image too, in place of what the image has there.
  func place(_ members: [BackupManifest.Member], in image: DrillImage) async throws(StepError) {
    for path in Self.roots(of: members.compactMap { $0.path.map { String(decoding: $0, as: UTF8.self) } }).sorted() {
      let place = try image.place(ofNew: path)
      let script = "umask 022; mkdir -p -- \"$3\" && rm -rf -- \"$2\" && cp -a --no-target-directory -- \"$1\" \"$2\""
      try await run("sh", ["-c", script, "sh", path, place, parentFolder(of: place)])
    }
  }

  /// Makes the folders in which the server writes, if they are missing: as packages and units make them.
  func makeFolders(of files: [RestoredConfiguration.ConfiguredFile], for account: ServiceAccount)
    async throws(StepError)
  {
    for file in files {
      let name = parentFolder(of: file.path)
      let folder = try image?.place(of: name) ?? name
      try await run(
        "sh",
        [
          "-c", "test -d \"$1\" || install -d -o \"$2\" -g \"$3\" -- \"$1\"", "sh", folder, "\(account.user)",
          "\(account.group)",
        ])
    }
  }

  /// Those of the files that the account cannot read there, or in the image.
  func unreadable(
    _ files: [RestoredConfiguration.ConfiguredFile], for account: ServiceAccount, in image: DrillImage? = nil
  ) async throws(StepError) -> [RestoredConfiguration.ConfiguredFile] {
    guard !files.isEmpty else { return [] }
    let script = "for file; do test -r \"$file\" || echo \"$file\"; done"
    var places: [String] = []
    for file in files { places.append(try image?.place(of: file.path) ?? file.path) }
    let told = try await run("sh", ["-c", script, "sh"] + places, as: account)
    let names = Set(String(decoding: told, as: UTF8.self).split(separator: "\n").map(String.init))
    return zip(files, places).filter { names.contains($1) }.map(\.0)
  }
}

extension Finding {
  static var drillInterrupted: Finding {
    Finding(
      "drill.interrupted", "the drill was stopped before its end",
      advice: "Nothing of it is left. Run it again, and give the step a longer `timeout` if it was its deadline.")
  }
}

extension StepError {
  init(_ error: IsolationError) {
    let kind: Kind = error.kind == .system ? .broken : .notStarted
    self.init(
      kind,
      Finding(
        "drill.notIsolated", "the drill needs a host of its own, and there is none: \(error.message)",
        advice: "\(error.advice)"))
  }
}
