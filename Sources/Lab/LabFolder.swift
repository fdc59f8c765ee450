import Files
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

  /// What was noted down of the lab; nil if nothing was, or nothing readable.
  var state: LabState? {
    guard let content = try? File.read(statePath, limit: 1 << 20) else { return nil }
    return try? JSONDecoder().decode(LabState.self, from: Data(content.bytes))
  }

  func save(_ state: LabState) throws(LabError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let data: Data
    do { data = try encoder.encode(state) } catch { throw LabError(.system, "cannot encode the lab's state: \(error)") }
    try writePrivately(String(decoding: data, as: UTF8.self) + "\n", to: statePath)
  }

  /// Calls `body` while no other process does the same. The lock is the outer folder itself: nothing is left of it.
  func withLock<R>(_ body: () throws(LabError) -> R) throws(LabError) -> R {
    let outer = parentFolder(of: path)
    let lock = try onDisk { () throws(FileError) in
      try Folder.makeAll(outer, .masked(0o777))
      let folder = try Folder(outer, followingLinks: true)
      try folder.lock()
      return folder
    }
    return try withExtendedLifetime(lock) { () throws(LabError) in try body() }
  }

  /// Makes the folder and starts both servers in it. If that fails nothing of it is left.
  func start(for holder: LabHolder) throws(LabError) -> LabState {
    do throws(LabError) {
      try makePrivate(path)
      var state = LabState(folder: resolved)
      state.add(holder)
      // Noted down before there is anything to be noted: who finds the folder knows from here whose it is.
      try save(state)
      let certificate = try ServerCertificate.issue()
      try writePrivately(certificate.authority, to: state.folder + "/ca.pem")
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
    try writePrivately(certificate.certificate, to: own + "/server.pem")
    try writePrivately(certificate.key, to: own + "/server-key.pem")
    let realm = "\(name).example"
    let secret = randomSecret()
    let username = name == "lab" ? "runbook" : nil
    let server = try LabServer.start(program, in: own) { port, tlsPort in
      var settings = LabServerSettings(
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
    try removeTree(leavings)
    try onDisk { () throws(FileError) in
      let outer = try Folder(parentFolder(of: path), followingLinks: true)
      do throws(FileError) { try outer.rename(lastName(of: path), to: lastName(of: leavings)) } catch {
        guard error.number == ENOENT else { throw error }
      }
    }
    try removeTree(leavings)
  }

  private var leavings: String { "\(parentFolder(of: path))/\(lastName(of: path)).removed" }

  private func removeTree(_ folder: String) throws(LabError) {
    do throws(FileError) { try Folder.remove(folder) } catch {
      guard error.number == ENOENT else { throw LabError(.system, error.message) }
    }
  }

  /// The folder's absolute path without symbolic links, as the kernel tells processes' working directories.
  private var resolved: String {
    if let real = try? resolvedPath(path) { return real }
    guard let outer = try? resolvedPath(parentFolder(of: path)) else { return path }
    return "\(outer)/\(lastName(of: path))"
  }

  /// Whether it holds no more than a starter may have left that died in the act of noting itself down.
  private var isEmpty: Bool {
    guard let names = try? Folder.names(in: path) else { return false }
    return names.allSatisfy(PendingFile.isAside)
  }

  private func makePrivate(_ folder: String) throws(LabError) {
    do throws(FileError) { try Folder.make(folder, Permissions(0o700, owner: .ofProcess)) } catch {
      guard error.number == EEXIST else { throw LabError(.system, error.message) }
    }
  }

  /// 192 random bits, as 48 hexadecimal digits.
  private func randomSecret() -> String {
    let digits = Array("0123456789abcdef")
    return String((0..<48).map { _ in digits[Int.random(in: 0..<16)] })
  }
}
