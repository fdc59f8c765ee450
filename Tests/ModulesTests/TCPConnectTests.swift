import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

@Suite struct TCPConnectTests {
  private func connect(_ port: UInt16, _ members: Value.Member...) async throws -> StepResult<Value> {
    try await run(
      "tcp.connect", [.init("host", .string("127.0.0.1")), .init("port", .int(Int64(port)))] + members,
      deadline: .seconds(3))
  }

  @Test("An open port passes, a closed one fails as refused")
  func openAndClosed() async throws {
    let server = try ScriptedServer { $0.waitUntilClosed() }
    let open = try await connect(server.port)
    #expect(open.objection == nil)
    #expect(open.output["connected"] == text("127.0.0.1:\(server.port)"))
    let port = try freePort()
    let closed = try await connect(port)
    #expect(closed.objection?.severity == .fail)
    #expect(closed.objection?.finding.code == "tcp.refused")
    #expect(closed.objection?.finding.message == "no connection to 127.0.0.1:\(port): 127.0.0.1:\(port) refused")
    #expect(closed.output["connect"] == .null)
  }

  @Test("A port that must not be open fails if it is, and passes if it is not")
  func mustNotBeOpen() async throws {
    let server = try ScriptedServer { $0.waitUntilClosed() }
    let open = try await connect(server.port, .init("open", .bool(false)))
    #expect(open.objection?.finding.code == "tcp.open")
    #expect(try await connect(try freePort(), .init("open", .bool(false))).objection == nil)
  }

  @Test("A port that this host has no way to is not taken for a closed one")
  func notTested() async throws {
    // Nobody can connect to a multicast address.
    let error = try await stepError {
      _ = try await run(
        "tcp.connect",
        [.init("host", .string("224.0.0.1")), .init("port", .int(5766)), .init("open", .bool(false))],
        deadline: .seconds(3))
    }
    #expect(error.kind == .broken && error.finding.code == "tcp.notTested", "\(error)")
  }

  @Test("A family without an address is missing")
  func family() async throws {
    let server = try ScriptedServer { $0.waitUntilClosed() }
    let result = try await connect(server.port, .init("family", .string("both")))
    #expect(result.objection?.finding.code == "tcp.familyMissing")
    #expect(result.objection?.finding.message == "127.0.0.1:\(server.port) has no IPv6 address")
    let error = try await stepError { _ = try await connect(server.port, .init("family", .string("v6"))) }
    #expect(error.finding.code == "dns.nameNotFound")
  }
}
