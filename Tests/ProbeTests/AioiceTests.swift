import Addresses
import Foundation
import NIOCore
import STUN
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  /// Another client, written by others, against the same server: both must see the same facts.
  @Suite("aioice")
  struct AioiceTests {
    /// What both clients speak: aioice knows no DTLS.
    static let schemes: [(ServerURI.Scheme, ServerURI.URITransport?)] = [(.turn, nil), (.turn, .tcp), (.turns, nil)]

    @Test("aioice is given what a probe is given, over UDP, TCP and TLS", arguments: schemes)
    func facts(scheme: ServerURI.Scheme, transport: ServerURI.URITransport?) async throws {
      let coturn = try await Coturn.start()
      var server = coturn.server(scheme, transport)
      server.tls.trustFile = coturn.authority
      let ours = try await AllocateProbe(server: server).run(deadline: .seconds(15))
      let theirs = try AioiceClient(server).facts()
      #expect(theirs.relayedAddress?.ip == ours.relayedAddress.ip)
      #expect(theirs.reflexiveAddress?.ip == ours.reflexiveAddress?.ip)
      // What the server says of aioice's port is true: there is no NAT on the way.
      #expect(theirs.reflexiveAddress == theirs.localAddress)
      #expect(theirs.lifetime.map { Duration.seconds($0) } == ours.lifetime)
      #expect(theirs.realm == ours.realm)
      #expect(theirs.software == ours.software)
      try await coturn.expectNoAllocations(of: 2)
    }

    @Test("aioice is refused as a probe is: wrong password, unknown user, denied peer", arguments: schemes.prefix(2))
    func refusals(scheme: ServerURI.Scheme, transport: ServerURI.URITransport?) async throws {
      try await Coturn.with(["--denied-peer-ip=192.0.2.1"]) { coturn in
        for refused in [
          coturn.server(scheme, transport, password: "wrong"), coturn.server(scheme, transport, username: "nobody"),
        ] {
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: refused).run(deadline: .seconds(15))
          }
          let error = try AioiceClient(refused).facts().error
          #expect(error == 401)
          #expect(failure?.evidence("errorCode") == error.map { "\($0)" })
        }
        let server = coturn.server(scheme, transport)
        let peer = try #require(TransportAddress("192.0.2.1:9"))
        let denied = await #expect(throws: ProbeFailure.self) {
          try await Allocation.withAllocation(AllocationRequest(server: server), by: .now + .seconds(15)) {
            allocation throws(ProbeFailure) in try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
          }
        }
        let error = try AioiceClient(server, peer: peer).facts().error
        #expect(error == 403)
        #expect(denied?.evidence("errorCode") == error.map { "\($0)" })
      }
    }

    @Test(
      "A quota that a probe's allocation fills refuses aioice and the next probe alike", arguments: schemes.prefix(2))
    func quota(scheme: ServerURI.Scheme, transport: ServerURI.URITransport?) async throws {
      try await Coturn.with(["--user-quota", "1"]) { coturn in
        let server = coturn.server(scheme, transport)
        let (errors, _) = try await Allocation.withAllocation(
          AllocationRequest(server: server), by: .now + .seconds(15)
        ) { _ throws(ProbeFailure) in
          let failure = await #expect(throws: ProbeFailure.self) {
            try await AllocateProbe(server: server).run(deadline: .seconds(10))
          }
          return [failure?.evidence("errorCode"), try? AioiceClient(server).facts().error.map { "\($0)" }]
        }
        #expect(errors == ["486", "486"])
      }
    }

    @Test("Channels carry datagrams between an aioice client and a probe's allocation, both ways", arguments: schemes)
    func channel(scheme: ServerURI.Scheme, transport: ServerURI.URITransport?) async throws {
      let coturn = try await Coturn.start()
      var server = coturn.server(scheme, transport)
      server.tls.trustFile = coturn.authority
      let request = AllocationRequest(server: server)
      let texts = ["", "a", "four", String(repeating: "longer ", count: 150)]
      let (heard, deletion) = try await Allocation.withAllocation(request, by: .now + .seconds(20)) {
        allocation throws(ProbeFailure) in
        await Result {
          try await exchange(texts, allocation, AioiceClient(server, peer: allocation.relayedAddress))
        }
      }
      #expect(try heard.get() == ["aioice"] + texts.map { "aioice: \($0)" })
      #expect(deletion.isConfirmed)
      try await coturn.expectNoAllocations(of: 2)
    }

    /// What a probe's allocation hears over its channel: a greeting, then the echo of each text.
    private func exchange(_ texts: [String], _ allocation: Allocation, _ aioice: AioiceClient) async throws -> [String]
    {
      let peer = try #require(try aioice.start().relayedAddress)
      let channel = try await allocation.bindChannel(to: peer, by: .now + .seconds(10))
      var heard: [String] = []
      func hear(_ start: () -> Void) async {
        for data in await allocation.collect(for: .seconds(5), upTo: 1, afterStarting: start) {
          if case .channel(channel, let bytes) = data { heard.append(String(buffer: bytes)) }
        }
      }
      await hear { aioice.proceed() }
      for text in texts { await hear { allocation.send(ByteBuffer(string: text), over: channel) } }
      try aioice.end()
      return heard
    }
  }
}

extension Result where Failure == any Error {
  fileprivate init(_ body: () async throws -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}

/// One run of `Peers/aioice_client.py`.
private struct AioiceClient {
  private let process = Process()
  private let output = Pipe()
  private let input = Pipe()

  /// What it prints: addresses as the server gave them, or the number of the error that refused it.
  struct Facts: Decodable {
    let error: Int?
    let lifetime: Int?
    let realm: String?
    let software: String?
    private let relayed: Endpoint?
    private let reflexive: Endpoint?
    private let local: Endpoint?

    var relayedAddress: TransportAddress? { relayed?.address }
    var reflexiveAddress: TransportAddress? { reflexive?.address }
    var localAddress: TransportAddress? { local?.address }

    private enum CodingKeys: String, CodingKey {
      case error, lifetime, realm, software
      case relayed = "relayedAddress"
      case reflexive = "reflexiveAddress"
      case local = "localAddress"
    }

    /// A host and its port, as a list.
    private struct Endpoint: Decodable {
      let address: TransportAddress?

      init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        let host = try list.decode(String.self)
        let port = try list.decode(UInt16.self)
        address = IPAddress(host).map { TransportAddress(ip: $0, port: port) }
      }
    }
  }

  init(_ server: ProbedServer, peer: TransportAddress? = nil) {
    let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Peers/aioice_client.py").path
    // Debian's own: another Python does not see Debian's packages.
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = [script, server.transport.rawValue, "\(server.uri.port ?? 0)"]
    if case .longTerm(let credentials)? = server.credentials {
      process.arguments? += [credentials.username, credentials.password]
    }
    if let authority = server.tls.trustFile { process.arguments? += ["--trust", authority] }
    if let peer { process.arguments? += ["--peer", "\(peer)"] }
    process.standardOutput = output
    process.standardInput = input
  }

  /// Runs it to its end, and gives what it said last.
  func facts() throws -> Facts {
    try process.run()
    try input.fileHandleForWriting.close()
    let printed = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return try JSONDecoder().decode(Facts.self, from: Data(printed.split(separator: UInt8(ascii: "\n")).last ?? Data()))
  }

  /// Starts it, and waits until it has its allocation.
  func start() throws -> Facts {
    try process.run()
    var printed = Data()
    while printed.last != UInt8(ascii: "\n") {
      let more = output.fileHandleForReading.availableData
      if more.isEmpty { break }
      printed += more
    }
    return try JSONDecoder().decode(Facts.self, from: printed)
  }

  /// Lets it bind its channel and greet the peer.
  func proceed() { try? input.fileHandleForWriting.write(contentsOf: Data("\n".utf8)) }

  /// Lets it delete its allocation, and waits for its end.
  func end() throws {
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}
