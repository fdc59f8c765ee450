import Addresses
import Foundation
import TestSupport
import Testing

@testable import Connections

@Suite struct ConnectionAttemptsTests {
  private func tcp(_ text: String) throws -> TransportAddress { try #require(TransportAddress(text)) }

  private func first(
    _ addresses: [TransportAddress], delay: Duration = .milliseconds(250), within time: Duration = .seconds(10)
  ) -> (end: ConnectionAttempts.End, tries: [ConnectionTry]) {
    ConnectionAttempts(to: addresses, .first(delay: delay)).run(by: .now + time, interruption: StopSignal())
  }

  @Test("The next address is tried as soon as one has failed, and both are told")
  func fallback() throws {
    let server = try ScriptedServer { $0.waitUntilClosed() }
    let dead = try tcp("127.0.0.1:\(try freePort())")
    let live = try tcp("127.0.0.1:\(server.port)")
    let (end, tries) = first([dead, live], delay: .seconds(9))
    guard case .connected(let descriptor) = end else {
      Issue.record("\(end)")
      return
    }
    close(descriptor)
    #expect(tries.map(\.answer) == [.refused, .connected])
    #expect(tries.map(\.address) == [dead, live])
  }

  @Test("An address that is silent does not keep the others from being tried, and is named as passed over")
  func silence() throws {
    let silent = try SilentListener()
    let server = try ScriptedServer { $0.waitUntilClosed() }
    let (end, tries) = first([try tcp(silent.address), try tcp("127.0.0.1:\(server.port)")], delay: .milliseconds(20))
    if case .connected(let descriptor) = end { close(descriptor) } else { Issue.record("\(end)") }
    #expect(tries.map(\.answer) == [.passedOver, .connected])
  }

  @Test("Who is silent until the end is silent, not refused")
  func silentToTheEnd() throws {
    let silent = try SilentListener()
    let (end, tries) = first([try tcp(silent.address)], within: .milliseconds(100))
    #expect(end == .outOfTime)
    #expect(tries.map(\.answer) == [.silent])
  }

  @Test("Asked for each, every address is tried to its end")
  func each() throws {
    let server = try ScriptedServer { $0.waitUntilClosed() }
    let addresses = [
      try tcp("127.0.0.1:\(server.port)"), try tcp("127.0.0.1:\(try freePort())"),
      try tcp("127.0.0.1:\(server.port)"),
    ]
    let (end, tries) = ConnectionAttempts(to: addresses, .each).run(
      by: .now + .seconds(10), interruption: StopSignal())
    #expect(end == .exhausted)
    #expect(tries.map(\.answer) == [.connected, .refused, .connected])
  }

  @Test("An announced interruption ends the waiting at once")
  func interruption() throws {
    let silent = try SilentListener()
    let interruption = StopSignal()
    interruption.announce()
    let attempts = ConnectionAttempts(to: [try tcp(silent.address)], .each)
    #expect(attempts.run(by: .now + .seconds(60), interruption: interruption).end == .interrupted)
  }

  @Test("No address at all is an end, not a wait")
  func nothing() { #expect(first([]).end == .exhausted) }

  @Test("Families alternate, the preferred one first")
  func alternation() throws {
    let addresses = try ["::1", "::2", "::3", "127.0.0.1", "127.0.0.2"].map { try #require(IPAddress($0)) }
    #expect(
      ConnectionAttempts.alternating(addresses).map(\.description) == ["::1", "127.0.0.1", "::2", "127.0.0.2", "::3"])
  }
}

/// A listener whose queue is full: the kernel answers nobody who wants to connect.
final class SilentListener {
  let address: String
  private var descriptors: [Int32] = []

  init() throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    descriptors.append(listener)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && listen(listener, 0) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    try #require(bound)
    address = "127.0.0.1:\(UInt16(bigEndian: name.sin_port))"
    for _ in 0..<4 {
      let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
      descriptors.append(client)
      _ = withUnsafePointer(to: name) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(client, $0, size) }
      }
    }
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}
