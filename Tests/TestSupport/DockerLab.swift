import Foundation
import Glibc
import Synchronization

/// A real Docker engine of the tests' own, with an image of coturn that is made from this host's files.
///
/// There is one for each test process: it takes a second to start. It needs root. Its containers are on the host's network, on loopback, or on
/// none. Tests that use it are in suites that are `.serialized`, and each names its containers by ``uniqueName(_:)``.
package final class DockerLab: Sendable {
  /// What every container is made from: turnserver, a shell, and a few small programs.
  package static let image = "coturn:lab"

  /// The engine's socket.
  package let socket: String
  /// As `DOCKER_HOST` names it.
  package var engine: String { "unix://\(socket)" }
  /// Files of the engine, removed with it.
  package let folder: String

  package struct Failure: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
  }

  private static let shared = Mutex<DockerLab?>(nil)

  /// The engine of this test process, started when it is first asked for. Blocks until it is ready.
  ///
  /// Throws if this process is not root, if the engine is not installed, or if it does not come up.
  package static func engine() throws -> DockerLab {
    try shared.withLock { lab in
      if let lab { return lab }
      let new = try DockerLab()
      lab = new
      return new
    }
  }

  private init() throws {
    guard getuid() == 0 else { throw Failure(description: "a Docker engine of the tests' own needs root") }
    folder = "/tmp/runbook-docker-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    socket = "\(folder)/docker.sock"
    let image = "\(folder)/image"
    try FileManager.default.createDirectory(atPath: image, withIntermediateDirectories: true)
    // A guard of its own ends the engine, its containers and their mounts once this process is gone, however it ends.
    let script = """
      folder=$1 parent=$2
      dockerd --storage-driver=vfs --iptables=false --ip6tables=false --bridge=none --data-root "$folder/data" \
        --exec-root "$folder/exec" -H "unix://$folder/docker.sock" --pidfile "$folder/docker.pid" \
        >"$folder/dockerd.log" 2>&1 </dev/null &
      engine=$!
      while kill -0 "$parent" 2>/dev/null && kill -0 "$engine" 2>/dev/null; do sleep 0.5; done
      if kill -0 "$engine" 2>/dev/null; then
        export DOCKER_HOST="unix://$folder/docker.sock"
        ids=$(timeout 20 docker ps -aq)
        [ -z "$ids" ] || timeout 60 docker rm -f $ids
        kill "$engine"
        wait "$engine"
      fi
      for place in $(awk -v f="$folder/" 'index($2, f) == 1 {print $2}' /proc/mounts | sort -r); do umount -l "$place"; done
      rm -rf "$folder"
      """
    let guardian = Process()
    guardian.executableURL = URL(filePath: "/usr/bin/setsid")
    // It waits: as a zombie that nobody reaps it would hang the tests that wait for any child (exit tests).
    guardian.arguments = ["--wait", "/bin/sh", "-c", script, "sh", folder, "\(getpid())"]
    guardian.standardInput = FileHandle.nullDevice
    guardian.standardOutput = FileHandle.nullDevice
    guardian.standardError = FileHandle.nullDevice
    try guardian.run()
    try ImageRoot.make(at: image)
    let end = ContinuousClock.now + .seconds(60)
    while true {
      if try run(["version"], allowsFailure: true).status == 0 { break }
      guard guardian.isRunning, .now < end else {
        let log = (try? String(contentsOfFile: "\(folder)/dockerd.log", encoding: .utf8)) ?? ""
        throw Failure(description: "dockerd does not come up: \(log.suffix(2000))")
      }
      usleep(50_000)
    }
    try Self.shell("tar -C '\(image)' -c . | docker -H '\(engine)' import - \(Self.image)")
  }

  private static func shell(_ script: String) throws {
    let result = try start("/bin/sh", ["-c", script], [:])
    guard result.status == 0 else { throw Failure(description: result.text) }
  }

  private static func start(
    _ program: String, _ arguments: [String], _ environment: [String: String]
  ) throws -> (status: Int32, text: String) {
    let process = Process()
    let output = Pipe()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  /// Runs `docker` with this engine; gives its exit code and what it printed. Throws if it fails, unless that is allowed.
  @discardableResult
  package func run(_ arguments: [String], allowsFailure: Bool = false) throws -> (status: Int32, text: String) {
    let result = try Self.start("/usr/bin/env", ["docker"] + arguments, ["DOCKER_HOST": engine])
    guard result.status == 0 || allowsFailure else {
      throw Failure(description: "docker \(arguments.joined(separator: " ")): \(result.text)")
    }
    return result
  }

  /// A name that no other container has.
  package func uniqueName(_ word: String) -> String { "\(word)-\(UInt32.random(in: 0 ... .max))" }

  /// Starts a container, which is removed with the last reference to what is given back.
  ///
  /// - Parameters:
  ///   - options: of `docker run`, besides the name; on no network unless they say otherwise.
  ///   - command: the program in the container and its arguments.
  package func container(
    _ word: String = "c", image: String = DockerLab.image, options: [String] = [],
    command: [String] = ["/bin/sh", "-c", "exec sleep 600"]
  ) throws -> LabContainer {
    let name = uniqueName(word)
    let network = options.contains { $0.hasPrefix("--network") } ? [] : ["--network", "none"]
    try run(["run", "-d", "--name", name] + network + options + [image] + command)
    return LabContainer(self, name: name)
  }

  /// The command of a coturn on 127.0.0.1 that logs to its standard output.
  package static func turnserver(port: UInt16, hasTLS: Bool = false) -> [String] {
    [
      "/usr/bin/turnserver", "-n", "--user", "\(Coturn.username):\(Coturn.credential)", "--lt-cred-mech", "--realm",
      Coturn.realm, "--listening-ip", "127.0.0.1", "--relay-ip", "127.0.0.1", "--allow-loopback-peers",
      "--cli-password=x", "--no-cli", "--listening-port", "\(port)", "--log-file", "stdout", "--simple-log",
      "--pidfile", "/tmp/turnserver.pid", "-v",
    ] + (hasTLS ? [] : ["--no-tls", "--no-dtls"])
  }

  /// Starts coturn in a container on the host's network, at a free port of 127.0.0.1, and waits until it answers.
  ///
  /// - Parameters:
  ///   - options: of `docker run`, besides name and network.
  ///   - directives: further options of turnserver; with `hasTLS` those of its port and its certificate.
  package func coturn(
    image: String = DockerLab.image, options: [String] = [], directives: [String] = [], hasTLS: Bool = false
  ) throws -> LabContainer {
    let port = try freePort()
    let container = try container(
      "coturn", image: image, options: ["--network", "host"] + options,
      command: Self.turnserver(port: port, hasTLS: hasTLS) + directives)
    container.port = port
    guard container.answers(within: .seconds(30)) else {
      throw Failure(description: "coturn does not answer: \((try? container.log) ?? "")")
    }
    return container
  }
}

/// A container of ``DockerLab``.
package final class LabContainer: Sendable {
  private let lab: DockerLab
  package let name: String
  private let listeningPort = Mutex<UInt16>(0)

  /// Where a coturn in it listens; 0 for other containers.
  package fileprivate(set) var port: UInt16 {
    get { listeningPort.withLock(\.self) }
    set { listeningPort.withLock { $0 = newValue } }
  }

  fileprivate init(_ lab: DockerLab, name: String) {
    self.lab = lab
    self.name = name
  }

  deinit { _ = try? lab.run(["rm", "-f", name], allowsFailure: true) }

  /// A field of `docker inspect`, by its template: `{{.State.Pid}}`.
  package func field(_ template: String) throws -> String {
    try lab.run(["inspect", "--format", template, name]).text.split(separator: "\n").first.map(String.init) ?? ""
  }

  /// Its whole id.
  package var id: String { get throws { try field("{{.Id}}") } }

  /// The number of its first process on this host; 0 if it does not run.
  package var pid: Int32 { get throws { Int32(try field("{{.State.Pid}}")) ?? 0 } }

  /// What it has logged so far.
  package var log: String { get throws { try lab.run(["logs", name]).text } }

  /// Whether its coturn answers a Binding, within a time.
  package func answers(within time: Duration) -> Bool { stunBinding(port: port, within: time) }
}
