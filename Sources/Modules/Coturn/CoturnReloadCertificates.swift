import Glibc
import Journal
import Probe
import Processes
package import Schema
package import Steps

/// Has a running coturn load its certificates anew, and proves it by what it serves then.
package struct CoturnReloadCertificates: StepModule {
  package struct Input: Sendable {
    package var server: TURNServer
    package var certificate: String
    package var pidFile: String
    package var program: String
    package var patience: Duration
  }

  package struct Output: Sendable {
    package var pid: Int
    package var before: String?
    package var fingerprint: String
    package var changed: Bool
    package var elapsed: Duration
  }

  package static let declaration = ModuleDeclaration(
    "coturn.reloadCertificates", "Have coturn load its certificates anew, and see that it serves the file's.",
    discussion: """
      The server gets SIGUSR2, and no call ends. coturn only logs a reload that failed, so the step looks at what is served: it
      passes once that is the first certificate of the file. `coturn.certificateNotLoaded` mostly means that the server reads another
      file: a container whose single file is bind-mounted keeps the old one after a renewal by rename, and has to be made anew. It also
      happens if the server's user may not read the file or the key. The signal is sent only to a process that the PID file names, that
      runs the program, and that catches SIGUSR2: any other would end by it.
      """,
    effect: .change, judges: true, files: ["certificate"], deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("server", \.server, .turnServer, "Where it serves TLS or DTLS: its tlsServer, or else its URI."),
      Field("certificate", \.certificate, .path, "The PEM file that it is to serve (`cert`)."),
      Field("pidFile", \.pidFile, .path, "The file in which it writes its number."),
      Field(
        "program", \.program, .string, default: "turnserver", "Its program: a path, or a name to look for in PATH."),
      Field(
        "patience", \.patience, .duration.within(.milliseconds(100) ... .seconds(60)), default: .seconds(10),
        "How long it has to serve the new certificate.")
    ),
    output: Record(
      Output.init,
      Field("pid", \.pid, .int, "The process that got the signal."),
      Field("before", \.before, .optional(.string), "SHA-256 of the certificate that it served before; absent: none."),
      Field("fingerprint", \.fingerprint, .string, "SHA-256 of the certificate that it serves now."),
      Field("changed", \.changed, .bool, "Whether that is another one than before."),
      Field("elapsed", \.elapsed, .duration, "From the signal until the certificate was served.")
    ),
    examples: [
      .init(
        "Load the renewed certificate",
        with: "server: ${target}\ncertificate: /etc/turn/fullchain.pem\npidFile: /run/turnserver/turnserver.pid")
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let server = try ProbedServer(input.server.overTLS)
    let wanted: String
    do throws(CertificateFile.Flaw) {
      let file = try await onBlockingThread { () throws(CertificateFile.Flaw) in try CertificateFile(input.certificate)
      }
      wanted = file.certificates[0].fingerprint
    } catch {
      throw .notStarted(
        "tls.fileUnreadable", "\(input.certificate) cannot be used: \(error.reason)",
        advice: "Give the PEM file that the server loads, on this host, readable by the user who runs this.")
    }
    let process = try CoturnSignal(SIGUSR2, "SIGUSR2").process(input.pidFile, input.program)
    let before = await Self.served(server)
    try process.send(SIGUSR2)
    let began = ContinuousClock.now
    let limit = began + min(input.patience, context.remaining - min(.seconds(2), context.remaining / 4))
    var now: String?
    repeat {
      now = await Self.served(server)
      if now == wanted {
        return .done(
          Output(
            pid: process.pid, before: before, fingerprint: wanted, changed: before != wanted,
            elapsed: began.duration(to: .now)))
      }
      try? await Task.sleep(for: .milliseconds(100))
    } while ContinuousClock.now < limit && !Task.isCancelled
    let served: Sentence = now.map { "still serves \($0.prefix(16))…" } ?? "shows no certificate"
    throw .failed(
      "coturn.certificateNotLoaded",
      "\(process.title) was told to load its certificates, and \(served), not \(wanted.prefix(16))… of \(input.certificate)",
      advice:
        "Look at its log, and which file `cert` names: in a container with the single file mounted it is the old one "
        + "until the container is made anew. Can its user read file and key?")
  }

  /// The fingerprint that is served; nil if none is.
  private static func served(_ server: ProbedServer) async -> String? {
    let sightings = try? await CertificateProbe(server: server).runOnce(deadline: .seconds(3))
    for sighting in sightings ?? [] {
      if case .success(let handshake) = sighting.result { return handshake.certificates.first?.fingerprint }
    }
    return nil
  }
}

/// A signal that coturn takes for a command, if it catches it: the kernel ends a process by one that it does not catch.
struct CoturnSignal {
  let number: Int32
  let name: String

  init(_ number: Int32, _ name: String) {
    self.number = number
    self.name = name
  }

  /// The service's process, if it runs and catches the signal. Throws `notStarted` otherwise: nothing was sent.
  func process(_ pidFile: String, _ program: String) throws(StepError) -> ProcessFacts {
    let look = try ManagedProcess(pidFile: pidFile, program: program).look()
    guard let process = look.process else {
      throw .notStarted(
        "process.notRunning", "the server does not run: \(look.reason ?? "no process is known")",
        advice: "Start it: a new process loads what is there.")
    }
    guard look.state == .running else {
      throw .notStarted(
        "process.stopped", "\(process.title) is stopped by a signal or a debugger, and hears nothing",
        advice: "Ask who stopped it; `process.restart` ends it and starts it anew.")
    }
    guard process.catches(number) == true else {
      throw .notStarted(
        "coturn.signalNotCaught", "\(process.title) does not catch \(name), and would end by it: nothing was sent",
        advice: "This version does not know the signal: look at `coturn.version`.")
    }
    return process
  }
}

extension ProcessFacts {
  /// Whether it has a handler for a signal (`SigCgt`, proc(5)); nil if that cannot be told.
  func catches(_ signal: Int32) -> Bool? {
    guard let bytes = readSmallFile("\(folder)/status") else { return nil }
    let line = bytes.split(separator: UInt8(ascii: "\n")).first { $0.starts(with: "SigCgt:".utf8) }
    let mask = line.flatMap { String(decoding: $0, as: UTF8.self).split(whereSeparator: \.isWhitespace).last }
      .flatMap { UInt64($0, radix: 16) }
    return mask.map { $0 & (1 << UInt64(signal - 1)) != 0 }
  }

  /// Sends it a signal, and no other process. Throws `notStarted` if that cannot be done.
  func send(_ signal: Int32) throws(StepError) {
    guard identity?.signal(signal) == true else {
      throw .notStarted(
        "process.notAllowed", "\(title) of \(Self.userName(user)) gets no signal from this user, or has just ended",
        advice: "Run this as root, or as that user.")
    }
  }
}
