import Foundation

/// Keys, certificates and chains of the openssl tool, for a suite: made once, and not changed.
///
/// Names of files are those that its makers are given; `pem` stands behind certificates and chains, `key` behind keys.
package final class CertificateChains: Sendable {
  private let folder: TemporaryFolder
  package var path: String { folder.path }

  package struct ToolFailure: Error, CustomStringConvertible {
    package let description: String
  }

  package init() throws { folder = try TemporaryFolder() }

  package func file(_ name: String) -> String { folder.url.appending(path: name).path }

  /// Makes a key on P-256, or of RSA with that many bits.
  package func makeKey(_ name: String, rsaBits: Int? = nil) throws {
    let kind =
      rsaBits.map { ["RSA", "-pkeyopt", "rsa_keygen_bits:\($0)"] } ?? ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    try openssl(["genpkey", "-algorithm"] + kind + ["-out", "\(name).key"])
  }

  /// What a certificate is for.
  package enum Purpose: Sendable {
    case authority
    /// For these alternative names, as openssl writes them (`DNS:localhost,IP:127.0.0.1`); empty for none.
    case server(String)
    case client(String)

    fileprivate var extensions: String {
      switch self {
      case .authority: "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
      case .server(let names): Self.leaf(names, "serverAuth")
      case .client(let names): Self.leaf(names, "clientAuth")
      }
    }

    private static func leaf(_ names: String, _ usage: String) -> String {
      "basicConstraints=critical,CA:FALSE\nextendedKeyUsage=\(usage)\n"
        + (names.isEmpty ? "" : "subjectAltName=\(names)\n")
    }
  }

  /// Makes a certificate, with a key of its own unless there is one already.
  ///
  /// - Parameters:
  ///   - issuer: whose name and key sign it; nil signs it by itself.
  ///   - subject: its common name; nil takes `name`.
  ///   - start: when it begins, from now, as faketime has it: `-26h`, `+2d`.
  package func make(
    _ name: String, _ purpose: Purpose, by issuer: String? = nil, subject: String? = nil, key: String? = nil,
    start: String = "-1h", days: Int = 100, digest: String = "sha256"
  ) throws {
    let key = key ?? name
    if !FileManager.default.fileExists(atPath: file("\(key).key")) { try makeKey(key) }
    try folder.write(purpose.extensions, to: "\(name).ext")
    try openssl(["req", "-new", "-key", "\(key).key", "-out", "\(name).csr", "-subj", "/CN=\(subject ?? name)"])
    let signer = issuer.map { ["-CA", "\($0).pem", "-CAkey", "\($0).key"] } ?? ["-signkey", "\(key).key"]
    try openssl(
      [
        "x509", "-req", "-in", "\(name).csr", "-out", "\(name).pem", "-days", "\(days)", "-extfile", "\(name).ext",
        "-\(digest)",
      ]
        + signer + ["-set_serial", "\(UInt32.random(in: 1 ... .max))"], clock: start)
  }

  /// Puts certificates, or keys, behind each other into one file.
  package func join(_ name: String, _ parts: [String]) throws {
    try folder.write(parts.map(folder.read).joined(), to: name)
  }

  package func write(_ text: String, to name: String, mode: Int = 0o644) throws {
    try folder.write(text, to: name, mode: mode)
  }

  package func read(_ name: String) -> String { folder.read(name) }

  /// - Parameter clock: what is added to the clock that the tool sees; nil adds nothing.
  package func openssl(_ arguments: [String], clock: String? = nil) throws {
    let process = Process()
    process.executableURL = URL(filePath: clock == nil ? "/usr/bin/openssl" : "/usr/bin/faketime")
    process.arguments = (clock.map { ["-f", $0, "/usr/bin/openssl"] } ?? []) + arguments
    process.currentDirectoryURL = folder.url
    let errors = Pipe()
    (process.standardError, process.standardOutput) = (errors, FileHandle.nullDevice)
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let text = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ToolFailure(
        description: "openssl \(arguments.joined(separator: " ")): \(String(decoding: text, as: UTF8.self))")
    }
  }
}
