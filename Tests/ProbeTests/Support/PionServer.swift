import Addresses
import Foundation
import STUN
import Testing

@testable import Probe

/// A TURN server that is not coturn: pion's, as Debian's golang-github-pion-turn.v2-dev has it, over UDP, TCP and TLS.
struct PionServer {
  static let realm = "pion.example"
  static let username = "alice"
  static let password = "correct-horse"

  private let ports: [Transport: UInt16]
  private let authority: String

  /// Starts it, uses it, and ends it.
  ///
  /// - Parameter networks: where peers may be; anywhere if there are none.
  static func with<Value>(permitting networks: [String] = [], _ body: (PionServer) async throws -> Value) async throws
    -> Value
  {
    try await TestAuthority.with { authority in
      let issued = try authority.issue()
      let process = Process()
      let output = Pipe()
      let input = Pipe()
      process.executableURL = URL(filePath: try program.get())
      process.arguments = [realm, username, password, issued.chain, issued.key] + networks
      process.standardOutput = output
      process.standardInput = input
      // It logs every request that it refuses.
      process.standardError = FileHandle.nullDevice
      try process.run()
      defer {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
      }
      var line = Data()
      while line.last != UInt8(ascii: "\n") {
        let more = output.fileHandleForReading.availableData
        try #require(!more.isEmpty, "it ended before it listened")
        line += more
      }
      let ports = String(decoding: line, as: UTF8.self).split(whereSeparator: \.isWhitespace).compactMap { UInt16($0) }
      try #require(ports.count == 3)
      return try await body(
        PionServer(
          ports: [.udp: ports[0], .tcp: ports[1], .tls: ports[2]], authority: authority.certificate))
    }
  }

  func server(_ transport: Transport = .udp, username: String = username, password: String = password) -> ProbedServer {
    let scheme: ServerURI.Scheme = transport == .tls ? .turns : .turn
    let uri = ServerURI(
      scheme: scheme, host: "127.0.0.1", port: ports[transport], transport: transport == .udp ? nil : .tcp)
    var server = ProbedServer(
      uri: uri, credentials: .longTerm(LongTermCredentials(username: username, password: password)))
    server.tls.trustFile = authority
    return server
  }

  struct BuildFailed: Error, CustomStringConvertible {
    let description: String
  }

  /// Built once for all tests, from Debian's sources alone: without a module file and without a network.
  private static let program = Result { () throws -> String in
    let source = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Peers/pion_server.go").path
    let root = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../.build/pion").path
    let go = ["/usr/bin/go", "/usr/lib/go-1.19/bin/go"].first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let go else { throw BuildFailed(description: "Go is not installed: scripts/setup test installs it") }
    try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
    let process = Process()
    let errors = Pipe()
    process.executableURL = URL(filePath: go)
    process.arguments = ["build", "-o", "\(root)/pion_server", source]
    process.environment = [
      "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": "\(root)/cache", "CGO_ENABLED": "0",
    ]
    process.standardError = errors
    try process.run()
    let text = try errors.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw BuildFailed(description: String(decoding: text, as: UTF8.self)) }
    return "\(root)/pion_server"
  }
}
