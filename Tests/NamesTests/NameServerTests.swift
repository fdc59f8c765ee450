import Addresses
import Foundation
import TestSupport
import Testing

@testable import Names

/// A name server over UDP that answers as a test wants.
final class LyingServer: Sendable {
  private let descriptor: Int32
  let address: TransportAddress

  /// - Parameter answer: what to send back for a question, in order; each as one datagram.
  init(_ answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]) throws {
    let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    self.descriptor = descriptor
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &name) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, size) == 0 && getsockname(descriptor, $0, &size) == 0
      }
    }
    try #require(isBound)
    address = TransportAddress(ip: .v4(0x7f00_0001), port: UInt16(bigEndian: name.sin_port))
    Thread.detachNewThread {
      var buffer = [UInt8](repeating: 0, count: 4096)
      var source = sockaddr_in()
      while true {
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let count = withUnsafeMutablePointer(to: &source) {
          $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            recvfrom(descriptor, &buffer, buffer.count, 0, $0, &size)
          }
        }
        guard count > 0 else { break }
        for message in answer(Array(buffer.prefix(count))) {
          _ = withUnsafePointer(to: source) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
              sendto(descriptor, message, message.count, 0, $0, size)
            }
          }
        }
      }
      close(descriptor)
    }
  }

  deinit { shutdown(descriptor, Int32(SHUT_RDWR)) }

  func ask(
    _ name: String = "turn.example", _ type: DNSRecordType = .a, within time: Duration = .seconds(10)
  ) async throws -> DNSAnswer {
    let answers = await DNSClient(servers: [address]).answers(to: [DNSQuestion(name, type)], by: .now + time)
    return try #require(answers?.first)
  }
}

/// An answer to a question, byte by byte.
struct NameServerMessage {
  var bytes: [UInt8]

  /// With the question's id and the question itself, and no records.
  init(to question: [UInt8], code: UInt8 = 0, truncated: Bool = false) {
    bytes = question
    bytes[2] = 0x81 | (truncated ? 2 : 0)
    bytes[3] = 0x80 | code
  }

  /// Adds a record; a name of nil is the question's, by pointer.
  func adding(_ name: String?, _ type: UInt16, ttl: UInt32 = 60, _ data: [UInt8]) -> NameServerMessage {
    var message = self
    message.bytes[7] += 1
    message.bytes += name.map(Self.name) ?? [0xC0, 12]
    message.bytes += [UInt8(type >> 8), UInt8(type & 0xFF), 0, 1]
    message.bytes += (0..<4).map { UInt8(truncatingIfNeeded: ttl >> (24 - 8 * $0)) }
    message.bytes += [UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
    return message
  }

  static func name(_ text: String) -> [UInt8] {
    text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }
}

@Suite struct NameServerTests {
  @Test("Records, the chain of aliases that leads to them, and the shortest lifetime")
  func found() async throws {
    let server = try LyingServer { question in
      [
        NameServerMessage(to: question).adding(nil, 5, ttl: 30, NameServerMessage.name("b.example")).adding(
          "B.Example", 5, NameServerMessage.name("c.example")
        ).adding("c.example", 1, [192, 0, 2, 1]).adding("c.example", 1, ttl: 300, [192, 0, 2, 2]).bytes
      ]
    }
    let answer = try await server.ask()
    #expect(answer.outcome == .found)
    #expect(answer.aliases == ["b.example", "c.example"])
    #expect(
      answer.records.map(\.content) == [
        .address(try #require(IPAddress("192.0.2.1"))), .address(try #require(IPAddress("192.0.2.2"))),
      ])
    #expect(answer.lifetime == .seconds(30))
    #expect(answer.server == server.address)
  }

  @Test("Records of names that nothing leads to are no answer")
  func unrelated() async throws {
    let server = try LyingServer { [NameServerMessage(to: $0).adding("bank.example", 1, [192, 0, 2, 1]).bytes] }
    #expect(try await server.ask().outcome == .noData)
  }

  @Test(
    "NXDOMAIN, no data, SERVFAIL, REFUSED and the rest are told apart",
    arguments: [
      (0 as UInt8, DNSOutcome.noData), (1, .notUnderstood), (2, .serverFailed), (3, .noName), (4, .notUnderstood),
      (5, .refused),
      (9, .notUnderstood),
    ])
  func codes(code: UInt8, outcome: DNSOutcome) async throws {
    let server = try LyingServer { [NameServerMessage(to: $0, code: code).bytes] }
    #expect(try await server.ask().outcome == outcome)
  }

  @Test("A name that does not exist and has a record is no answer")
  func contradictory() async throws {
    let server = try LyingServer { [NameServerMessage(to: $0, code: 3).adding(nil, 1, [192, 0, 2, 7]).bytes] }
    let answer = try await server.ask()
    #expect(answer.outcome == .contradictory && answer.records.isEmpty && !answer.outcome.isOfName)
  }

  @Test("An alias of a name that does not exist is named")
  func danglingAlias() async throws {
    let server = try LyingServer {
      [NameServerMessage(to: $0, code: 3).adding(nil, 5, NameServerMessage.name("gone.example")).bytes]
    }
    let answer = try await server.ask()
    #expect(answer.outcome == .noName)
    #expect(answer.aliases == ["gone.example"])
  }

  @Test("Aliases in a circle end")
  func aliasLoop() async throws {
    let server = try LyingServer { question in
      [
        NameServerMessage(to: question).adding(nil, 5, NameServerMessage.name("b.example")).adding(
          "b.example", 5, NameServerMessage.name("turn.example")
        ).bytes
      ]
    }
    #expect(try await server.ask().outcome == .aliasLoop)
    let own = try LyingServer { [NameServerMessage(to: $0).adding(nil, 5, [0xC0, 12]).bytes] }
    #expect(try await own.ask().outcome == .aliasLoop)
  }

  /// What makes an answer one that is not for the question.
  enum Foreign: CaseIterable {
    case otherID, otherQuestion, questionNotAnswer, silent, short
  }

  @Test("What is no answer to the question is waited past; alone, it is silence", arguments: Foreign.allCases)
  func foreign(kind: Foreign) async throws {
    @Sendable func wrong(_ question: [UInt8]) -> [UInt8] {
      var message = NameServerMessage(to: question).adding(nil, 1, [203, 0, 113, 66]).bytes
      switch kind {
      case .otherID: message[0] ^= 1
      case .otherQuestion: message[13] ^= 1
      case .questionNotAnswer: return question
      case .silent: return []
      case .short: return Array(question.prefix(5))
      }
      return message
    }
    let patient = try LyingServer {
      [wrong($0), NameServerMessage(to: $0).adding(nil, 1, [192, 0, 2, 1]).bytes].filter { !$0.isEmpty }
    }
    let answer = try await patient.ask()
    #expect(!answer.records.contains { $0.content == .address(.v4(0xCB00_7142)) })
    if [.otherID, .otherQuestion, .silent].contains(kind) { #expect(answer.outcome == .found) }
    let alone = try LyingServer { [wrong($0)].filter { !$0.isEmpty } }
    let nothing = try await alone.ask(within: .milliseconds(700))
    #expect([.timedOut, .malformed].contains(nothing.outcome) || kind == .questionNotAnswer, "\(nothing)")
    #expect(nothing.records.isEmpty)
  }

  @Test("Compression that leads in a circle, forwards, or out of the message is no answer", arguments: 0..<6)
  func compression(kind: Int) async throws {
    let server = try LyingServer { question in
      let start = UInt8(question.count)
      let names: [[UInt8]] = [
        [0xC0, start], [0xC0, start + 2], [0xFF, 0xFF], [1, 97, 0xC0, start], [0x40, 97, 0], [63, 97],
      ]
      var message = NameServerMessage(to: question)
      message.bytes[7] = 1
      message.bytes += names[kind] + [0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1]
      return [message.bytes]
    }
    let answer = try await server.ask(within: .seconds(2))
    #expect(answer.outcome == .malformed || answer.outcome == .noData, "\(answer)")
    #expect(answer.records.isEmpty)
  }

  @Test("An answer that is cut off, and cannot be had over TCP, is no answer")
  func truncated() async throws {
    let server = try LyingServer { [NameServerMessage(to: $0, truncated: true).adding(nil, 1, [192, 0, 2, 1]).bytes] }
    let answer = try await server.ask(within: .seconds(2))
    #expect([.unreachable, .timedOut].contains(answer.outcome))
    #expect(answer.records.isEmpty)
  }

  @Test("Nobody at the server's address is no silence; a next server is asked")
  func nextServer() async throws {
    let closed = TransportAddress(
      ip: .v4(0x7f00_0001),
      port: try freePort())
    let question = DNSQuestion("turn.example", .a)
    let none = await DNSClient(servers: [closed]).answers(to: [question], by: .now + .seconds(10))
    #expect(none?.map(\.outcome) == [.unreachable])
    let failing = try LyingServer { [NameServerMessage(to: $0, code: 2).bytes] }
    let good = try LyingServer { [NameServerMessage(to: $0).adding(nil, 1, [192, 0, 2, 1]).bytes] }
    let found = await DNSClient(servers: [closed, failing.address, good.address]).answers(
      to: [question, DNSQuestion("turn.example", .aaaa)], by: .now + .seconds(10))
    #expect(found?.map(\.outcome) == [.found, .noData])
    #expect(found?.map(\.server) == [good.address, good.address])
  }

  @Test("Cancellation ends the waiting at once")
  func cancellation() async throws {
    let (asked, asking) = AsyncStream<Void>.makeStream()
    let server = try LyingServer { _ in
      asking.yield()
      return []
    }
    let client = DNSClient(servers: [server.address])
    let task = Task { await client.answers(to: [DNSQuestion("turn.example", .a)], by: .now + .seconds(60)) }
    _ = await asked.first { true }
    let start = ContinuousClock.now
    task.cancel()
    #expect(await task.value == nil)
    #expect(start.duration(to: .now) < .seconds(30))
  }

  @Test("SRV: priority, weight, port and target, and a service that is decidedly not there")
  func services() async throws {
    let server = try LyingServer { question in
      [
        NameServerMessage(to: question).adding(
          nil, 33, [0, 10, 0, 5, 0x0D, 0x96] + NameServerMessage.name("A.example")
        )
        .adding(nil, 33, [0, 0, 0, 0, 0, 0, 0]).bytes
      ]
    }
    #expect(
      try await server.ask("_turn._udp.example", .srv).records.map(\.content) == [
        .service(priority: 10, weight: 5, port: 3478, target: "a.example"),
        .service(priority: 0, weight: 0, port: 0, target: ""),
      ])
  }

  @Test("Whatever bytes come, the reader ends", arguments: 0..<64)
  func damaged(seed: Int) {
    var question: [UInt8] =
      [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + NameServerMessage.name("turn.example") + [0, 1, 0, 1]
    question[2] = 1
    let good = NameServerMessage(to: question).adding(nil, 5, NameServerMessage.name("b.example")).adding(
      "b.example", 1, [192, 0, 2, 1]
    )
    .bytes
    #expect(DNSMessage(good)?.records.count == 2)
    #expect(DNSMessage(Array(good.prefix(good.count * seed / 64))) == nil)
    for offset in good.indices {
      var changed = good
      changed[offset] = UInt8(truncatingIfNeeded: seed * 37 + offset)
      if let message = DNSMessage(changed) { _ = message.answer(to: DNSQuestion("turn.example", .a)) }
    }
  }

  @Test("A label's dots and line ends do not show as such")
  func escaping() throws {
    var question: [UInt8] = [0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + NameServerMessage.name("a") + [0, 5, 0, 1]
    question[2] = 1
    let name: [UInt8] = [5, 97, 46, 10, 98, 200, 0]
    let message = try #require(DNSMessage(NameServerMessage(to: question).adding(nil, 5, name).bytes))
    #expect(message.records.map(\.content) == [.alias("a\\.\\010b\\200")])
  }
}
