import Addresses
package import ArgumentParser
import Coturn
import Files
import Glibc
import Schema
import TerminalText

extension CoturnCommand {
  /// `runbook coturn generate`.
  package struct GenerateCommand: ParsableCommand {
    package static let configuration = CommandConfiguration(
      commandName: "generate",
      abstract: "Write a turnserver.conf that an audit finds nothing in.",
      discussion: """
        The purposes: minimal (TURN over UDP and TCP, TLS if there is a certificate), recommended (with TLS, and a log that \
        tells who did what), high-security (TLS 1.2 and later only, on one port).

          runbook coturn generate --realm turn.example.com --external-ip 192.0.2.10 --purpose minimal
          runbook coturn generate --realm turn.example.com --external-ip 192.0.2.10/10.0.0.5 \\
            --cert /etc/coturn/fullchain.pem --pkey /etc/coturn/privkey.pem --output /etc/turnserver.conf
          runbook coturn generate … --users-file users.txt    # lines of NAME:PASSWORD; the file gets keys

        Without a users file it is for time-limited credentials, with a shared secret that is read from a file, from a \
        variable of the environment, or made. Secrets are taken from no argument.

        --output writes the file with mode 0640, and replaces none unless --force is given. Exit code 2 if there can be no \
        such file.
        """)

    @Option(help: "minimal, recommended or high-security.") var purpose: HardenedConfiguration.Purpose = .recommended

    @Option(help: ArgumentHelp("The version of the server, from 4.5.0 to 4.17.1.", valueName: "version"))
    var coturnVersion: String = "4.6.1"

    @Option(help: ArgumentHelp("What credentials belong to: the service's domain.", valueName: "domain"))
    var realm: String

    @Option(
      help: ArgumentHelp(
        "The address by which clients reach the server; behind a NAT with the host's own: PUBLIC/PRIVATE.",
        valueName: "address"))
    var externalIp: String

    @Option(
      help: ArgumentHelp("The certificate with its chain, from / on.", valueName: "file"), completion: .file())
    var cert: String?

    @Option(help: ArgumentHelp("Its private key.", valueName: "file"), completion: .file())
    var pkey: String?

    @Option(
      help: ArgumentHelp("A file that holds the shared secret; - reads standard input.", valueName: "file"),
      completion: .file())
    var secretFile: String?

    @Option(help: ArgumentHelp("A variable of the environment that holds the shared secret.", valueName: "name"))
    var secretVariable: String?

    @Option(
      help: ArgumentHelp(
        "Users with passwords in place of a shared secret: lines of NAME:PASSWORD; - reads standard input.",
        valueName: "file"), completion: .file())
    var usersFile: String?

    @Option(help: "The port for UDP and TCP.") var listeningPort: UInt16 = 3478

    @Option(help: "The port for TLS.") var tlsListeningPort: UInt16 = 5349

    @Option(help: "The first relay port.") var minPort: UInt16 = 49152

    @Option(help: "The last relay port.") var maxPort: UInt16 = 65535

    @Option(help: ArgumentHelp("Where it logs; the system's log, if not given.", valueName: "file"))
    var logFile: String?

    @Option(
      help: ArgumentHelp("The file to write; standard output, if not given.", valueName: "file"), completion: .file())
    var output: String?

    @Flag(help: "Replace the file that is there.") var force = false

    package init() {}

    package func validate() throws {
      if CoturnVersion(coturnVersion) == nil {
        throw ValidationError("--coturn-version takes a version such as 4.6.1; found \"\(coturnVersion)\"")
      }
      if addresses == nil {
        throw ValidationError("--external-ip takes PUBLIC or PUBLIC/PRIVATE; found \"\(externalIp)\"")
      }
      if [secretFile, secretVariable, usersFile].compactMap(\.self).count > 1 {
        throw ValidationError("give one of --secret-file, --secret-variable and --users-file")
      }
      if (cert == nil) != (pkey == nil) { throw ValidationError("--cert and --pkey belong together") }
      if minPort > maxPort { throw ValidationError("--min-port is larger than --max-port") }
    }

    package func run() throws {
      guard let version = CoturnVersion(coturnVersion), let (publicAddress, privateAddress) = addresses else { return }
      var configuration = HardenedConfiguration(
        purpose, for: version, realm: realm, publicAddress: publicAddress, privateAddress: privateAddress,
        access: try access())
      configuration.listeningPort = listeningPort
      configuration.tlsListeningPort = tlsListeningPort
      configuration.relayPorts = minPort...maxPort
      configuration.logFile = logFile
      if let cert, let pkey { configuration.certificate = (cert, pkey) }
      let text: String
      let remaining: [AuditFinding]
      do throws(HardenedConfiguration.Refusal) { (text, remaining) = try configuration.generate() } catch {
        throw CommandFailure(.invalid, "no configuration: \(error.message)")
      }
      try write(text)
      for finding in remaining { Terminal.standardError.write("note: \(terminalSafe(finding.message))\n") }
    }

    private func write(_ text: String) throws {
      guard let output else {
        Terminal.standardOutput.write(text)
        return
      }
      do throws(FileError) {
        let folder = try Folder(parentFolder(of: output), followingLinks: true)
        try folder.write(
          Array(text.utf8), to: lastName(of: output), Permissions(0o640), replacing: force ? .anything : .nothing)
      } catch {
        guard error.number == EEXIST else { throw CommandFailure(.invalid, error.message) }
        throw CommandFailure(.invalid, "\(output) is there already", advice: "--force replaces it")
      }
      Terminal.standardError.write(
        "\(terminalSafe(output)) is written with mode 0640; give it the group of the service: chgrp turnserver \(terminalSafe(output))\n"
      )
    }

    private var addresses: (IPAddress, IPAddress?)? {
      let parts = externalIp.split(separator: "/", omittingEmptySubsequences: false).map { IPAddress($0) }
      guard (1...2).contains(parts.count), !parts.contains(nil), let first = parts[0] else { return nil }
      return (first, parts.count == 2 ? parts[1] : nil)
    }

    private func access() throws -> HardenedConfiguration.Access {
      if let usersFile { return .users(try users(usersFile)) }
      if let secretFile { return .sharedSecret(try firstLine(secretFile)) }
      if let secretVariable {
        guard let secret = environmentVariable(secretVariable), !secret.isEmpty else {
          throw CommandFailure(.invalid, "the variable \(secretVariable) is not set")
        }
        return .sharedSecret(secret)
      }
      var generator = SystemRandomNumberGenerator()
      let digits = (0..<64).map { _ in String(Int.random(in: 0..<16, using: &generator), radix: 16) }
      return .sharedSecret(digits.joined())
    }

    private func firstLine(_ path: String) throws -> String {
      let bytes = try InputReader.read(path)
      let line = bytes.prefix { $0 != 10 && $0 != 13 }
      guard let secret = String(validating: line, as: UTF8.self), !secret.isEmpty else {
        throw CommandFailure(.invalid, "\(InputReader.name(path)) holds no secret in its first line")
      }
      return secret
    }

    private func users(_ path: String) throws -> [(name: String, key: UserKey)] {
      let name = InputReader.name(path)
      guard let text = String(validating: try InputReader.read(path), as: UTF8.self) else {
        throw CommandFailure(.invalid, "\(name) is not UTF-8")
      }
      var users: [(name: String, key: UserKey)] = []
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
        let line = line.hasSuffix("\r") ? line.dropLast() : line
        if line.isEmpty || line.hasPrefix("#") { continue }
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, let key = UserKey(name: String(parts[0]), realm: realm, password: String(parts[1]))
        else {
          throw CommandFailure(
            .invalid, "\(name):\(index + 1) is no NAME:PASSWORD in printable ASCII",
            advice: "write one user on each line; passwords may hold colons, names may not")
        }
        if let weakness = SecretStrength.weakness(of: String(parts[1]), atLeast: 8) {
          throw CommandFailure(
            .invalid, "\(name):\(index + 1): the password of user \(parts[0]) \(Self.text(weakness))",
            advice: "openssl rand -hex 16 prints a good one")
        }
        users.append((String(parts[0]), key))
      }
      return users
    }

    private static func text(_ weakness: SecretStrength.Weakness) -> String {
      switch weakness {
      case .wellKnown: "is one that is tried first"
      case .tooShort(let count): "has only \(count) bytes"
      case .monotonous: "repeats a few characters"
      }
    }
  }
}

extension HardenedConfiguration.Purpose: ExpressibleByArgument {}
