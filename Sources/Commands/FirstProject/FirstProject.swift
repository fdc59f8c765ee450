import Files
import Glibc
import Schema

/// The files of a new project, which validates and runs in the lab as it is.
///
/// Its runbooks and checks are this repository's own, all of them: the package manager puts their bytes into the executable.
struct FirstProject {
  /// The project's folder; made if it is not there.
  let folder: String

  struct File {
    /// Relative to the folder.
    let path: String
    let bytes: [UInt8]
    /// Permission bits, before the umask.
    var mode: mode_t = 0o644
  }

  static let runbook = "daily-health"

  /// What is written, for a project of this name.
  static func files(named name: String) -> [File] {
    [
      File(path: "runbook.yaml", bytes: Array(projectFile(named: name).utf8)),
      File(path: "runbooks/\(runbook).yaml", bytes: PackageResources.daily_health_yaml),
      File(path: "runbooks/daily-log-review.yaml", bytes: PackageResources.daily_log_review_yaml),
      File(path: "runbooks/weekly-cert-expiry.yaml", bytes: PackageResources.weekly_cert_expiry_yaml),
      File(path: "checks/disk-space.yaml", bytes: PackageResources.disk_space_yaml),
      File(path: "checks/log-errors.yaml", bytes: PackageResources.log_errors_yaml),
      File(path: "checks/stun-binding.yaml", bytes: PackageResources.stun_binding_yaml),
      File(path: "checks/tls-expiry.yaml", bytes: PackageResources.tls_expiry_yaml),
      File(path: "checks/tls-files.yaml", bytes: PackageResources.tls_files_yaml),
      File(path: "checks/turn-relay.yaml", bytes: PackageResources.turn_relay_yaml),
      File(path: ".env", bytes: Array(environmentFile.utf8), mode: 0o600),
      File(path: ".gitignore", bytes: Array(".env\n.runbook\n".utf8)),
    ]
  }

  private static func projectFile(named name: String) -> String {
    let isPlain = name.first?.isLetter == true && name.utf8.allSatisfy { isPlainInYAML($0) }
    return """
      project: \(isPlain ? name : JSON.string(name).text())

      # Without targets, TURN_SERVER of .env is the one server. Several, with labels to choose them by:
      #
      # targets:
      #   frankfurt:
      #     server: turn:turn-fra.example.com:3478?transport=udp
      #     username: probe
      #     credential: {env: TURN_FRA_CREDENTIAL}
      #     labels: {region: eu}

      """
  }

  private static func isPlainInYAML(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }

  /// Every line is a comment: a made-up server or password would fail later, and less plainly than none.
  private static let environmentFile = """
    # The server that the runbooks are about. Only you can read this file, and git leaves it out. A variable of the
    # environment goes before its line here.
    #
    # TURN_SERVER=turn:turn.example.com:3478?transport=udp
    # TURN_USERNAME=
    # TURN_CREDENTIAL=

    # In place of user name and credential, where the server makes both from a shared secret (coturn: use-auth-secret):
    # TURN_SECRET=

    # The realm that it is expected to use; certificates to trust in place of the system's; one of your own, with its key:
    # TURN_REALM=
    # TURN_CA=
    # TURN_CERT=
    # TURN_KEY=
    # Where it speaks TLS, for the modules tls.* and `runbook probe turn --all-transports`:
    # TURN_TLS_SERVER=turns:turn.example.com:5349

    """

  /// Writes the files, or none of them, and gives what was written.
  ///
  /// Throws if one of them is there already or its folder is a link, naming all such, and if one cannot be written.
  func write() throws(CommandFailure) -> [File] {
    do throws(FileError) { try Folder.makeAll(folder, .masked(0o755)) } catch { throw Self.failure(error) }
    let files = Self.files(named: try name())
    let taken: [String]
    do throws(FileError) { taken = try obstacles(to: files) } catch { throw Self.failure(error) }
    guard taken.isEmpty else {
      throw CommandFailure(
        .invalid,
        "there is already \(taken.joined(separator: ", ")) in \(folder); nothing was written",
        advice:
          "init never writes over a file, nor through a folder that is a link: name another folder, as in runbook init FOLDER"
      )
    }
    var written: [String] = []
    do throws(FileError) {
      for file in files {
        try create(file)
        written.append("\(folder)/\(file.path)")
      }
    } catch {
      for path in written { try? Folder.remove(path) }
      throw Self.failure(error)
    }
    return files
  }

  /// The folder's own name.
  private func name() throws(CommandFailure) -> String {
    let resolved: String
    do throws(FileError) { resolved = try resolvedPath(folder) } catch { throw Self.failure(error) }
    return resolved == "/" ? "runbooks" : lastName(of: resolved)
  }

  /// Files that are there already, and folders that are links: what is behind them is no part of the project.
  private func obstacles(to files: [File]) throws(FileError) -> [String] {
    var obstacles: [String] = []
    for file in files where try FileMetadata.of("\(folder)/\(file.path)") != nil { obstacles.append(file.path) }
    for parent in Set(files.map { parentFolder(of: $0.path) }).subtracting(["."]).sorted()
    where try FileMetadata.of("\(folder)/\(parent)")?.kind == .link { obstacles.append(parent) }
    return obstacles
  }

  /// Writes a file that is not there yet, whole or not at all; the folder that it lies in is made.
  private func create(_ file: File) throws(FileError) {
    let path = "\(folder)/\(file.path)"
    try Folder.makeAll(parentFolder(of: path), .masked(0o755))
    let surroundings = try Folder(parentFolder(of: path), followingLinks: true)
    try surroundings.write(file.bytes, to: lastName(of: path), .masked(file.mode), replacing: .nothing)
  }

  private static func failure(_ error: FileError) -> CommandFailure { CommandFailure(.invalid, error.message) }
}
