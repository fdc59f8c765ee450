import Foundation

/// A certificate authority of a test's own, made with the openssl tool.
struct TestAuthority: Sendable {
  let directory: URL

  var certificate: String { directory.appending(path: "ca.pem").path }
  /// Its own key, of another kind than those that it issues.
  var key: String { directory.appending(path: "ca.key").path }

  static func with<Value>(_ body: (TestAuthority) async throws -> Value) async throws -> Value {
    let directory = URL.temporaryDirectory.appending(path: "ca-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let authority = TestAuthority(directory: directory)
    try authority.openssl(
      "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out",
      "ca.pem", "-days", "10", "-subj", "/O=Test/CN=Test CA")
    return try await body(authority)
  }

  /// PEM files of a certificate and its key.
  struct Issued: Sendable {
    let chain: String
    let key: String

    /// What tells coturn to use them.
    var coturnArguments: [String] { ["--cert", chain, "--pkey", key] }
  }

  /// - Parameters:
  ///   - names: subject alternative names as openssl writes them, `IP:127.0.0.1,DNS:localhost`.
  ///   - days: until it expires; a negative number has expired already.
  ///   - curve: of an elliptic curve key, as openssl names it; nil makes one of RSA.
  func issue(
    _ names: String = "IP:127.0.0.1,IP:::1,DNS:localhost", days: Int = 5, curve: String? = nil
  ) throws -> Issued {
    let name = UUID().uuidString
    let key = curve.map { ["ec", "-pkeyopt", "ec_paramgen_curve:\($0)"] } ?? ["rsa:2048"]
    try openssl(
      ["req", "-newkey"] + key + ["-nodes", "-keyout", "\(name).key", "-out", "\(name).csr", "-subj", "/CN=server"])
    try "subjectAltName=\(names)\n".write(
      to: directory.appending(path: "\(name).ext"), atomically: true, encoding: .utf8)
    try openssl(
      "x509", "-req", "-in", "\(name).csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
      "\(name).pem", "-days", "\(days)", "-extfile", "\(name).ext")
    return Issued(
      chain: directory.appending(path: "\(name).pem").path, key: directory.appending(path: "\(name).key").path)
  }

  /// The forms of a file that keeps a key under a passphrase.
  enum Lock: CaseIterable {
    /// RFC 5958.
    case pkcs8
    /// RFC 1421, as OpenSSL wrote it before its release 1.0.
    case traditional
  }

  /// A copy of a key under a passphrase that nobody knows.
  func locked(_ issued: Issued, as lock: Lock = .pkcs8) throws -> String {
    let path = issued.key + ".\(lock)"
    switch lock {
    case .pkcs8: try openssl("pkcs8", "-topk8", "-in", issued.key, "-out", path, "-passout", "pass:lost")
    case .traditional:
      try openssl("rsa", "-aes128", "-traditional", "-in", issued.key, "-out", path, "-passout", "pass:lost")
    }
    return path
  }

  private func openssl(_ arguments: String...) throws { try openssl(arguments) }

  private func openssl(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/openssl")
    process.arguments = arguments
    process.currentDirectoryURL = directory
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = errors.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw ToolFailure(text: String(decoding: text, as: UTF8.self)) }
  }

  struct ToolFailure: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
  }
}
