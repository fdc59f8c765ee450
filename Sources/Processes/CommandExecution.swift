import CLinux
import Glibc

/// Which of a command's outputs.
package enum OutputStream: Hashable, Sendable {
  case standardOutput
  case standardError
}

extension Command {
  /// Called with each piece of output as it arrives, in order, within the output limit. It runs on the thread that reads:
  /// while it runs, nothing is read.
  package typealias OutputObserver = @Sendable (OutputStream, [UInt8]) -> Void

  /// Runs the command and returns when nothing of it is left.
  ///
  /// The child gets a session of its own, `CleanEnvironment` and what the command declares, end of file as its input, and
  /// no descriptor of ours. At the timeout, or when the task is cancelled, its session and whoever holds its outputs open
  /// get TERM, and KILL after `terminationGrace`; the result says so, with the output until then.
  ///
  /// A process that the command leaves behind has a second to finish, then it does not keep the call: see `LeakedProcess`.
  ///
  /// Throws if the command could not be started; nothing has run then.
  ///
  /// - Parameter started: called once, with the command's process, as soon as it is there.
  package func run(
    observer: OutputObserver? = nil, started: (@Sendable (ProcessIdentity) -> Void)? = nil
  ) async throws(ProcessError) -> ProcessResult {
    guard !Task.isCancelled else { throw ProcessError(.cancelled, "\(executable) was not started: cancelled before") }
    let cancellation = Cancellation(try Descriptor.event())
    // An async closure with typed throws is not to be had here; the result carries the error across.
    let result: Result<ProcessResult, ProcessError> = await withTaskCancellationHandler {
      do throws(ProcessError) {
        return .success(
          try await onBlockingThread { () throws(ProcessError) in
            try Supervision(of: self, cancellation: cancellation, observer: observer, started: started).finish()
          })
      } catch {
        return .failure(error)
      }
    } onCancel: {
      cancellation.announce()
    }
    return try result.get()
  }

  /// Looks whether the command can be started, and starts nothing: its folder can be entered, its program is there and may be
  /// executed. File systems are asked, any of which may hang.
  ///
  /// - Returns: the program's path, relative to `directory` if `executable` is.
  @discardableResult
  package func checkProgram() throws(ProcessError) -> String {
    if let directory { try Spawn.checkFolder(directory) }
    return try ExecutableSearch.path(of: executable, searchPath: variables["PATH"] ?? "", directory: directory)
  }

  /// What the child finds in its environment, credentials left out.
  private var variables: [String: String] {
    CleanEnvironment.variables().merging(environment) { _, declared in declared }
  }

  /// Starts a process that goes on without us: its outputs are appended to the file at `log` (made 0600), its input is
  /// end of file, its session is its own. Neither timeout nor output limit apply; whoever starts it has to `end` it.
  package func startDetached(log: String) throws(ProcessError) -> ProcessIdentity {
    let output = try Descriptor.open(log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode: 0o600)
    var identity: ProcessIdentity?
    _ = try start(standardOutput: output.number, standardError: output.number) { spawn throws(ProcessError) in
      try RunningCommands.exclusively { () throws(ProcessError) in
        let pid = try spawn()
        // It is there still, be it as a zombie: nobody reaps meanwhile.
        identity = ProcessIdentity(pid: pid)
        return pid
      }
    }
    guard let identity else { throw ProcessError(systemCall: "open") }
    return identity
  }

  /// Starts the process by `launch`: everything of it is as `run` describes it.
  func start(
    standardOutput: Int32, standardError: Int32, by launch: (Spawn) throws(ProcessError) -> pid_t
  ) throws(ProcessError) -> pid_t {
    let input = try Descriptor.open("/dev/null", O_RDONLY)
    var variables = variables
    var descriptors = [input.number, standardOutput, standardError]
    var files: [CredentialFile] = []
    for credential in credentials {
      switch credential.delivery {
      case .variable: variables[credential.variable] = String(decoding: credential.secret, as: UTF8.self)
      case .descriptor:
        let file = CredentialFile(try Descriptor.memory(holding: credential.secret))
        variables[credential.variable] = "/dev/fd/\(descriptors.count)"
        descriptors.append(file.descriptor.number)
        files.append(file)
      }
    }
    let path = try ExecutableSearch.path(
      of: executable, searchPath: variables["PATH"] ?? "", directory: directory)
    let spawn = Spawn(
      path: path, arguments: [executable] + arguments, environment: variables, directory: directory,
      descriptors: descriptors)
    return try withExtendedLifetime(files) { () throws(ProcessError) in try launch(spawn) }
  }
}

/// A descriptor that an array can hold.
private final class CredentialFile {
  let descriptor: Descriptor

  init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }
}

/// A wish to stop, as a descriptor that poll(2) can wait for.
final class Cancellation: Sendable {
  let event: Descriptor

  init(_ event: consuming Descriptor) {
    self.event = event
  }

  func announce() {
    runbook_event_announce(event.number)
  }
}
