import Foundation
import Glibc

/// A real database server of one test's own on a free port of 127.0.0.1, ended with the last reference to it.
///
/// Each has a user `turn` with the password ``password``, and a database `coturn`.
package final class DatabaseServer: Sendable {
  package static let user = "turn"
  package static let password = "pass-phrase-of-9-words"

  package let port: UInt16
  private let folder: MemoryFolder
  private let process: Process
  /// What ends it without leaving anything behind.
  private let ending: Int32

  struct NotStarted: Error {
    let text: String
  }

  /// Starts `redis-server`, with the password for everybody.
  package static func redis() throws -> DatabaseServer {
    let folder = try MemoryFolder()
    let port = try freePort()
    return try DatabaseServer(
      folder, port: port,
      ["/usr/bin/redis-server", "-"], ready: "Ready to accept connections",
      input: """
        port \(port)
        bind 127.0.0.1
        save ""
        dir \(folder.path)
        requirepass \(password)

        """)
  }

  /// Starts PostgreSQL; it refuses to run as root, and runs as `postgres` then.
  package static func postgresql() throws -> DatabaseServer {
    let folder = try MemoryFolder(owner: "postgres")
    let port = try freePort()
    let versions = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql").sorted {
      $0.compare($1, options: .numeric) == .orderedAscending
    }
    let programs = "/usr/lib/postgresql/\(versions.last ?? "")/bin"
    try folder.write(password, to: "password")
    try run(
      asUser("postgres") + [
        "\(programs)/initdb", "-D", "\(folder.path)/data", "-A", "scram-sha-256", "--pwfile=\(folder.path)/password",
        "--no-sync", "--no-locale", "-E", "UTF8", "-U", user,
      ])
    let server = try DatabaseServer(
      folder, port: port,
      asUser("postgres") + [
        "\(programs)/postgres", "-D", "\(folder.path)/data", "-p", "\(port)", "-k", folder.path, "-h", "127.0.0.1",
        "-F",
      ], ready: "ready to accept connections", ending: SIGQUIT)
    return server
  }

  /// Starts MariaDB; as root it runs as `mysql`.
  package static func mariadb() throws -> DatabaseServer {
    let folder = try MemoryFolder(owner: "mysql")
    let port = try freePort()
    let tables = try ["mysql_system_tables.sql", "mysql_system_tables_data.sql"].map {
      try String(contentsOfFile: "/usr/share/mysql/\($0)", encoding: .utf8)
    }
    try folder.write("create database mysql;\nuse mysql;\n" + tables.joined(), to: "tables.sql")
    try folder.write(
      """
      CREATE DATABASE coturn;
      CREATE USER '\(user)'@'127.0.0.1' IDENTIFIED BY '\(password)';
      GRANT ALL ON coturn.* TO '\(user)'@'127.0.0.1';

      """, to: "accounts.sql")
    let program =
      [
        "/usr/sbin/mariadbd", "--no-defaults", "--datadir=\(folder.path)", "--innodb-log-file-size=4M",
        "--innodb-buffer-pool-size=8M", "--skip-log-bin", "--tmpdir=\(folder.path)",
      ] + (getuid() == 0 ? ["--user=mysql"] : [])
    try run(program + ["--bootstrap"], input: "\(folder.path)/tables.sql")
    return try DatabaseServer(
      folder, port: port,
      program + [
        "--port=\(port)", "--bind-address=127.0.0.1", "--socket=\(folder.path)/s", "--skip-name-resolve",
        "--init-file=\(folder.path)/accounts.sql",
      ], ready: "ready for connections")
  }

  private init(
    _ folder: MemoryFolder, port: UInt16, _ command: [String], ready: String, input: String? = nil,
    ending: Int32 = SIGKILL
  ) throws {
    (self.folder, self.port, self.ending) = (folder, port, ending)
    process = Process()
    let output = Pipe()
    let standardInput = Pipe()
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.currentDirectoryURL = URL(filePath: folder.path)
    (process.standardInput, process.standardOutput, process.standardError) = (standardInput, output, output)
    try process.run()
    if let input { try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8)) }
    try standardInput.fileHandleForWriting.close()
    let text = Self.text(of: output.fileHandleForReading, until: ready)
    guard text.contains(ready) else {
      end()
      throw NotStarted(text: text)
    }
    // Nobody reads what it says later, and a full pipe would stop it.
    output.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
  }

  deinit { end() }

  private func end() {
    kill(process.processIdentifier, ending)
    process.waitUntilExit()
  }

  /// What it says until it is ready; until it ends, or a minute has passed, if it never is.
  private static func text(of output: FileHandle, until ready: String) -> String {
    var text = ""
    let end = ContinuousClock.now + .seconds(60)
    while !text.contains(ready), ContinuousClock.now < end {
      var event = pollfd(fd: output.fileDescriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&event, 1, 100) > 0 else { continue }
      let data = output.availableData
      if data.isEmpty { break }
      text += String(decoding: data, as: UTF8.self)
    }
    return text
  }

  /// The words before a command that let it run as a user, if this process is root.
  private static func asUser(_ name: String) -> [String] {
    getuid() == 0 ? ["/usr/bin/setpriv", "--reuid=\(name)", "--regid=\(name)", "--clear-groups", "--"] : []
  }

  private static func run(_ command: [String], input: String? = nil) throws {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: command[0])
    process.arguments = Array(command.dropFirst())
    process.standardInput = try input.map { try FileHandle(forReadingFrom: URL(filePath: $0)) } ?? FileHandle.nullDevice
    (process.standardOutput, process.standardError) = (output, output)
    try process.run()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw NotStarted(text: String(decoding: text, as: UTF8.self)) }
  }
}

/// A folder in memory, since a database writes through to the disk while it is set up; on the disk if there is none in memory.
private final class MemoryFolder: Sendable {
  let path: String

  /// - Parameter owner: to whom it belongs, if this process is root.
  init(owner: String? = nil) throws {
    let memory = "/dev/shm"
    let place = access(memory, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory.path
    path = "\(place)/runbook-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    if let owner, getuid() == 0, let entry = getpwnam(owner) { chown(path, entry.pointee.pw_uid, entry.pointee.pw_gid) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
  }
}
