import Docker
import Glibc
import Journal
import Processes
import Schema
import Steps
import Synchronization

/// ssh(1), which brings the socket of an engine on another host to a socket here that nobody else can open. It is ended with the last
/// reference to it, and at the latest at the deadline of its step.
final class DockerTunnel: Sendable {
  let socket: String
  private let folder: CredentialFolder
  private let child: Task<Void, Never>
  private let process: TunnelProcess

  /// Waits until the socket is there.
  ///
  /// - Throws: `tunnelFailed`, with ssh's own words.
  init(to destination: DockerEndpoint.SSHDestination, by deadline: ContinuousClock.Instant) async throws(DockerError) {
    do throws(StepError) { folder = try CredentialFolder([:]) } catch {
      throw DockerError(.tunnelFailed, error.finding.sentence, advice: error.finding.advisory ?? "")
    }
    let socket = "\(folder.path)/s"
    self.socket = socket
    let command = Self.command(to: destination, socket, by: deadline)
    let process = TunnelProcess()
    self.process = process
    child = Task {
      do throws(ProcessError) {
        let result = try await command.run(started: { process.begin($0.pid) })
        process.end(result.standardError.text)
      } catch {
        process.end(error.message)
      }
    }
    while access(socket, F_OK) != 0 {
      if let words = process.words {
        throw Self.failure(destination, words)
      }
      guard .now < deadline else {
        child.cancel()
        throw Self.failure(destination, "no connection in time")
      }
      do { try await Task.sleep(for: .milliseconds(20)) } catch {
        child.cancel()
        throw DockerError(.interrupted, "ssh to \(destination.host) was not waited for", advice: "")
      }
    }
  }

  deinit {
    // At once: this process may be about to exit, and the task's own way takes a while.
    process.terminate()
    child.cancel()
  }

  /// What has the kernel end ssh if this process is killed.
  private static let guardian = "/usr/bin/setpriv"

  private static func command(
    to destination: DockerEndpoint.SSHDestination, _ socket: String, by deadline: ContinuousClock.Instant
  ) -> Command {
    var arguments = [
      "-nNT", "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-o", "ConnectTimeout=10", "-o",
      "StreamLocalBindMask=0177", "-o", "ControlMaster=no", "-o", "ControlPath=none", "-L",
      "\(socket):\(destination.socket)",
    ]
    if let port = destination.port { arguments += ["-p", "\(port)"] }
    if let user = destination.user { arguments += ["-l", user] }
    arguments += ["--", destination.host]
    var command =
      access(guardian, X_OK) == 0
      ? Command(guardian, ["--pdeathsig", "TERM", "--", "ssh"] + arguments) : Command("ssh", arguments)
    command.timeout = ContinuousClock.now.duration(to: deadline)
    command.terminationGrace = .seconds(1)
    if let agent = getenv("SSH_AUTH_SOCK") { command.environment["SSH_AUTH_SOCK"] = String(cString: agent) }
    return command
  }

  private static func failure(_ destination: DockerEndpoint.SSHDestination, _ words: String) -> DockerError {
    let last = words.split(separator: "\n").last.map { String($0.prefix(300)) } ?? "ssh ended without a word"
    return DockerError(
      .tunnelFailed, "no way to the Docker engine on \(destination.host) through ssh: \(last)",
      advice: """
        Try it by hand as the same user: ssh \(destination.host) docker version. The host's key must be known, and the login must need no \
        password.
        """)
  }
}

/// The process of ssh, and what it said when it ended.
private final class TunnelProcess: Sendable {
  private let state = Mutex<(pid: pid_t?, words: String?)>((nil, nil))

  /// Nil while it runs.
  var words: String? { state.withLock { $0.words } }

  func begin(_ pid: pid_t) { state.withLock { $0.pid = pid } }

  func end(_ words: String) { state.withLock { $0 = (nil, words) } }

  func terminate() {
    state.withLock { state in
      if let pid = state.pid { kill(pid, SIGTERM) }
    }
  }
}
