import FoundationEssentials
import Glibc
import Processes

/// The folder of a lab, and the acts on it that have to be done under its lock. All of them block.
struct LabFolder: Sendable {
  private let path: String
  private let program: String

  /// - Parameters:
  ///   - path: as the caller names it, absolute or relative to the working directory.
  ///   - program: coturn's, by name or path.
  init(path: String, program: String) {
    self.path = path
    self.program = program
  }

  private var statePath: String { path + "/state.json" }

  var exists: Bool { access(path, F_OK) == 0 }

  /// What was noted down of the lab; nil where nothing was, or nothing readable.
  var state: LabState? {
    guard let data = try? Data(contentsOf: URL(filePath: statePath)) else { return nil }
    return try? JSONDecoder().decode(LabState.self, from: data)
  }

  func save(_ state: LabState) throws(LabError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data: Data
    do { data = try encoder.encode(state) } catch { throw LabError(.system, "cannot encode the lab's state: \(error)") }
    try PrivateFile.write(String(decoding: data, as: UTF8.self) + "\n", to: statePath)
  }

  /// Calls `body` while no other process does the same. The lock is the outer folder itself: nothing is left of it.
  func withLock<R>(_ body: () throws(LabError) -> R) throws(LabError) -> R {
    let outer = URL(filePath: path).deletingLastPathComponent().path
    var isFolder = false
    if (try? FileManager.default.createDirectory(atPath: outer, withIntermediateDirectories: true)) == nil {
      guard FileManager.default.fileExists(atPath: outer, isDirectory: &isFolder), isFolder else {
        throw LabError(.system, "cannot make the folder \(outer): \(String(errorNumber: errno))")
      }
    }
    let lock = open(outer, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard lock >= 0 else { throw LabError(.system, "cannot open \(outer): \(String(errorNumber: errno))") }
    defer { close(lock) }
    while flock(lock, LOCK_EX) != 0 {
      guard errno == EINTR else { throw LabError(.system, "cannot lock \(outer): \(String(errorNumber: errno))") }
    }
    return try body()
  }

  /// Makes the folder and starts both servers in it. Where that fails nothing of it is left.
  func start(for holder: LabHolder) throws(LabError) -> LabState {
    do throws(LabError) {
      try makePrivate(path)
      var state = LabState(folder: resolved)
      state.add(holder)
      // Noted down before there is anything to be noted: who finds the folder knows from here whose it is.
      try save(state)
      let certificate = try ServerCertificate.issue()
      try PrivateFile.write(certificate.authority, to: state.folder + "/ca.pem")
      for name in ["lab", "lab-rest"] {
        state.targets.append(try startServer(name, in: state.folder, with: certificate))
        try save(state)
      }
      return state
    } catch {
      try? sweep()
      throw error
    }
  }

  private func startServer(
    _ name: String, in folder: String, with certificate: ServerCertificate
  ) throws(LabError) -> LabTarget {
    let own = folder + "/" + name
    try makePrivate(own)
    try PrivateFile.write(certificate.certificate, to: own + "/server.pem")
    try PrivateFile.write(certificate.key, to: own + "/server-key.pem")
    let realm = "\(name).example"
    let secret = randomSecret()
    let username = name == "lab" ? "runbook" : nil
    let server = try TurnServer.start(program, in: own) { port, tlsPort in
      var settings = TurnServerSettings(
        realm: realm,
        authentication: username.map { .longTerm(username: $0, credential: secret) } ?? .sharedSecret(secret),
        port: port)
      settings.tls = (tlsPort, .init(chain: "server.pem", key: "server-key.pem"))
      return settings
    }
    return LabTarget(
      name: name, server: server, realm: realm, username: username, credential: username == nil ? nil : secret,
      secret: username == nil ? secret : nil, authority: folder + "/ca.pem")
  }

  /// Ends every server of the lab, those too of which nothing was noted down before their starter died, and removes the
  /// folder. A process that is none of them is never touched, whatever the state says its number is.
  func sweep() throws(LabError) {
    let state = state
    let servers = Set(
      (state?.targets.map(\.server.process) ?? []) + ProcessIdentity.running(program, in: resolved))
    guard exists || !servers.isEmpty else { return try removeTree(leavings) }
    if exists, access(statePath, F_OK) != 0, !isEmpty {
      throw LabError(.foreignFolder, "\(path) is no lab's folder: it holds other things and is left as it is")
    }
    for server in servers { server.signal(SIGTERM) }
    for server in servers where !server.end(grace: .seconds(2)) {
      throw LabError(.stillRunning, "the lab's server with process number \(server.pid) cannot be ended")
    }
    try remove()
  }

  /// Removes the folder. It is moved aside first: a process that is killed meanwhile leaves no half of a lab in its place,
  /// and what it leaves aside is removed by the next.
  private func remove() throws(LabError) {
    if exists, rename(path, leavings) != 0, errno == ENOTEMPTY || errno == EEXIST {
      try removeTree(leavings)
      guard rename(path, leavings) == 0 else {
        throw LabError(.system, "cannot move \(path) aside: \(String(errorNumber: errno))")
      }
    }
    try removeTree(leavings)
    try removeTree(path)
  }

  private var leavings: String { path + ".removed" }

  private func removeTree(_ folder: String) throws(LabError) {
    guard access(folder, F_OK) == 0 else { return }
    guard (try? FileManager.default.removeItem(atPath: folder)) == nil else { return }
    throw LabError(.system, "cannot remove \(folder): \(String(errorNumber: errno))")
  }

  /// The folder's absolute path without symbolic links, as the kernel tells processes' working directories.
  private var resolved: String {
    let url = URL(filePath: path)
    let outer = url.deletingLastPathComponent().path
    guard let real = realpath(exists ? path : outer, nil) else { return path }
    defer { free(real) }
    return exists ? String(cString: real) : String(cString: real) + "/" + url.lastPathComponent
  }

  /// Whether it holds no more than a starter may have left that died in the act of noting itself down.
  private var isEmpty: Bool {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.allSatisfy { $0 == PrivateFile.aside("state.json") }
  }

  private func makePrivate(_ folder: String) throws(LabError) {
    guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
      throw LabError(.system, "cannot make the folder \(folder): \(String(errorNumber: errno))")
    }
  }

  /// 192 random bits, as 48 hexadecimal digits.
  private func randomSecret() -> String {
    let digits = Array("0123456789abcdef")
    return String((0..<48).map { _ in digits[Int.random(in: 0..<16)] })
  }
}
