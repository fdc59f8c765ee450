import Glibc
import Schema

/// The files of a new project, which validates and runs in the lab as it is.
///
/// Its runbooks and checks are this repository's own, all of them: the package manager puts their bytes into the executable.
struct FirstProject {
  /// The project's folder; made where it is not there.
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
  /// Throws where one of them is there already or its folder is a link, naming all such, and where one cannot be written.
  func write() throws(CommandFailure) -> [File] {
    try makeFolders(folder)
    let files = Self.files(named: try name())
    let taken = files.map(\.path).filter { isTaken("\(folder)/\($0)") } + linkedFolders(of: files)
    guard taken.isEmpty else {
      throw CommandFailure(
        .invalid,
        "there is already \(taken.joined(separator: ", ")) in \(folder); nothing was written",
        advice:
          "init never writes over a file, nor through a folder that is a link: name another folder, as in runbook init FOLDER"
      )
    }
    var written: [String] = []
    do throws(CommandFailure) {
      for file in files {
        let path = "\(folder)/\(file.path)"
        if let slash = path.lastIndex(of: "/") { try makeFolders(String(path[..<slash])) }
        try create(file, at: path)
        written.append(path)
      }
    } catch {
      for path in written { unlink(path) }
      throw error
    }
    return files
  }

  /// The folder's own name.
  private func name() throws(CommandFailure) -> String {
    guard let resolved = realpath(folder, nil) else { throw failure("look at", folder) }
    defer { free(resolved) }
    return String(cString: resolved).split(separator: "/").last.map(String.init) ?? "runbooks"
  }

  /// Folders of the files that are links: what is behind them is no part of the project.
  private func linkedFolders(of files: [File]) -> [String] {
    let parents = Set(files.compactMap { file in file.path.lastIndex(of: "/").map { String(file.path[..<$0]) } })
    return parents.sorted().filter { parent in
      var status = stat()
      return lstat("\(folder)/\(parent)", &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }
  }

  private func isTaken(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// Makes a folder, and those above it that are missing.
  private func makeFolders(_ path: String) throws(CommandFailure) {
    var status = stat()
    guard stat(path, &status) != 0 else { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolders(String(path[..<slash])) }
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("make the folder", path) }
  }

  private func create(_ file: File, at path: String) throws(CommandFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, file.mode)
    guard descriptor >= 0 else { throw failure("create", path) }
    var problem: CommandFailure?
    if !writeWhole(file.bytes, to: descriptor) { problem = failure("write", path) }
    if close(descriptor) != 0, problem == nil { problem = failure("write", path) }
    guard let problem else { return }
    unlink(path)
    throw problem
  }

  /// The last call's failure, by `errno`.
  private func failure(_ act: String, _ path: String) -> CommandFailure {
    CommandFailure(.invalid, "cannot \(act) \(path): \(String(cString: strerror(errno)))")
  }
}
