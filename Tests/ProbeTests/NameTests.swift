import Addresses
import NIOCore
import STUN
import Schema
import TestSupport
import Testing

@testable import Probe

extension LiveServerTests {
  @Suite("Names")
  struct NameTests {
    @Test("A name without a port is looked up as a service, by priority; a target that does not resolve is left out")
    func serviceRecords() async throws {
      let asked = Recorder<String>()
      try await Coturn.with { coturn in
        let closed = try freePort()
        try await ScriptedSTUNServer.with { question, _ in
          asked.append(Self.name(in: question))
          return [
            .init(
              Self.answer(
                to: question,
                [
                  ServiceRecord(priority: 20, weight: 0, port: coturn.port, target: "localhost"),
                  ServiceRecord(priority: 10, weight: 5, port: closed, target: "127.0.0.1"),
                  ServiceRecord(priority: 5, weight: 5, port: 9, target: "does-not-exist.invalid"),
                ]))
          ]
        } _: { nameServer in
          var server = coturn.server()
          server.uri = ServerURI(scheme: .turn, host: "turn.example")
          server.nameServers = [nameServer.address]
          #expect(
            try await server.addresses(by: .now + .seconds(15)).filter { $0.ip == IPAddress("127.0.0.1") }.map(\.port)
              == [closed, coturn.port])
          // The first is closed: the second is taken, and the first reported.
          let report = try await BindingProbe(server: server).run(deadline: .seconds(6))
          #expect(report.server.port == coturn.port)
          #expect(report.passedOver.map(\.address.port) == [closed])
          #expect(report.passedOver.map(\.reason) == [.portUnreachable])
          // What did not answer once is not asked again, by who knows.
          let allocation = try await AllocateProbe(server: server).run(deadline: .seconds(6))
          #expect(allocation.server.port == coturn.port)
          #expect(server.passedOver == report.passedOver)
        }
      }
      #expect(asked.all.allSatisfy { $0 == "_turn._udp.turn.example" })
    }

    @Test("An answer that is cut off over UDP is asked for again over TCP, where it may come in pieces")
    func truncated() async throws {
      let records = (1...100).map { ServiceRecord(priority: $0, weight: 0, port: 1000 + $0, target: "127.0.0.1") }
      try await ScriptedSTUNServer.with { question, _ in
        [.init(Self.truncatedAnswer(to: question, records))]
      } _: { nameServer in
        try await ScriptedSTUNServer.with(over: .tcp, port: nameServer.address.port) { bytes, _ in
          var frame = bytes
          guard let question = frame.readLengthPrefixedSlice(as: UInt16.self), frame.readableBytes == 0 else {
            return []
          }
          // Another message first, then the answer, cut within its length and within its records.
          let other = Self.framed(Self.answer(to: Self.renumbered(question), []))
          var answer = Self.framed(Self.answer(to: question, records))
          let pieces = [other, answer.readSlice(length: 1), answer.readSlice(length: 700), answer]
          return pieces.compactMap { $0.map { .init($0) } }
        } _: { _ in
          let found = await ServiceLookup.records(
            of: "_turn._udp.turn.example", nameServers: [nameServer.address], by: .now + .seconds(15))
          #expect(found == records)
        }
      }
    }

    /// What a name server does over TCP that is no help.
    enum StreamFailure: CaseIterable {
      case closed, silent, garbage, unfinished, truncated
    }

    @Test(
      "Where TCP brings no answer either, the next name server is asked, in time", arguments: StreamFailure.allCases)
    func truncatedInVain(failure: StreamFailure) async throws {
      let record = ServiceRecord(priority: 1, weight: 0, port: 7, target: "a.example")
      try await ScriptedSTUNServer.with { question, _ in
        [.init(Self.truncatedAnswer(to: question, [record, record]))]
      } _: { first in
        try await ScriptedSTUNServer.with { question, _ in
          [.init(Self.answer(to: question, [record]))]
        } _: { second in
          func find() async -> [ServiceRecord] {
            await ServiceLookup.records(
              of: "_turn._udp.turn.example", nameServers: [first.address, second.address], by: .now + .seconds(15))
          }
          if failure == .closed {
            #expect(await find() == [record])
          } else {
            try await ScriptedSTUNServer.with(over: .tcp, port: first.address.port) { frame, _ in
              let question = frame.getSlice(at: 2, length: frame.readableBytes - 2) ?? frame
              switch failure {
              case .closed, .silent: return []
              case .garbage: return [.init(ByteBuffer(string: "SSH-2.0-OpenSSH_9.2\r\n"))]
              case .unfinished: return [.init(ByteBuffer(integer: 40 as UInt16)), .init(question)]
              case .truncated: return [.init(Self.framed(Self.truncatedAnswer(to: question, [record, record])))]
              }
            } _: { _ in
              #expect(await find() == [record])
            }
          }
        }
      }
    }

    @Test("A port in the URI, or an address, asks no service record")
    func noServiceRecords() async throws {
      let asked = Recorder<String>()
      try await ScriptedSTUNServer.with { question, _ in
        asked.append(Self.name(in: question))
        return []
      } _: { nameServer in
        for uri in ["turn:localhost:7", "turn:127.0.0.1", "turns:[::1]"] {
          var server = ProbedServer(uri: try ServerURI(parsing: uri))
          server.nameServers = [nameServer.address]
          #expect(try await server.addresses(by: .now + .seconds(15)).isEmpty == false)
        }
        #expect(asked.all.isEmpty)
      }
    }

    @Test("A name that does not exist is named, and says where to look")
    func unknownName() async throws {
      let failure = await #expect(throws: ProbeFailure.self) {
        try await BindingProbe(server: ProbedServer(uri: try ServerURI(parsing: "stun:does-not-exist.invalid:3478")))
          .run(
            deadline: .seconds(15))
      }
      #expect(failure?.code == .nameNotFound)
    }

    @Test("Addresses that were passed over are one piece of evidence, however many they are")
    func passedOver() throws {
      let loopback = try #require(IPAddress("127.0.0.1"))
      let addresses = (1...3).map { TransportAddress(ip: loopback, port: $0) }
      var candidates = Candidates(
        current: addresses[0], rest: addresses.dropFirst(), transport: .udp, memory: AddressMemory())
      let unreachable = ProbeFailure(.connectionRefused, "")
      try candidates.advance(after: unreachable)
      try candidates.advance(after: unreachable)
      let failure = #expect(throws: ProbeFailure.self) { try candidates.advance(after: unreachable) }
      #expect(failure?.evidence == [ProbeFailure.Evidence("passedOver", "127.0.0.1:1 127.0.0.1:2")])
    }

    @Test("A silent first address is tried once, however many allocations follow")
    func silentFirstOnce() async throws {
      try await Coturn.with { coturn in
        let heard = Recorder<TransportAddress>()
        try await ScriptedSTUNServer.with { _, source in
          heard.append(source)
          return []
        } _: { silent in
          try await ScriptedSTUNServer.with { question, _ in
            [
              .init(
                Self.answer(
                  to: question,
                  [
                    ServiceRecord(priority: 1, weight: 0, port: silent.address.port, target: "127.0.0.1"),
                    ServiceRecord(priority: 2, weight: 0, port: coturn.port, target: "127.0.0.1"),
                  ]))
            ]
          } _: { nameServer in
            var server = coturn.server()
            server.uri = ServerURI(scheme: .turn, host: "turn.example")
            server.nameServers = [nameServer.address]
            var probe = RelayProbe(server: server)
            (probe.packets, probe.rate) = (5, 100)
            let report = try await probe.run(deadline: .seconds(10))
            #expect(report.server.port == coturn.port)
            #expect(Set(heard.all).count == 1)
            #expect(server.passedOver.map(\.reason) == [.turnTimeout])
            #expect(report.setUp >= server.passedOver.elapsed)
          }
        }
      }
    }

    @Test("What was passed over is not tried again over the same transport, unless nothing else is left")
    func memory() throws {
      let loopback = try #require(IPAddress("127.0.0.1"))
      let addresses = (1...3).map { TransportAddress(ip: loopback, port: $0) }
      let memory = AddressMemory()
      func note(_ index: Int) {
        memory.note(
          PassedOverAddress(
            address: addresses[index], transport: .udp, reason: .connectionRefused, elapsed: .seconds(1)))
      }
      note(0)
      note(0)
      #expect(memory.passedOver(over: .udp).elapsed == .seconds(1))
      #expect(memory.left(of: addresses, over: .udp) == Array(addresses[1...]))
      #expect(memory.left(of: addresses, over: .tcp) == addresses)
      note(1)
      note(2)
      #expect(memory.left(of: addresses, over: .udp) == addresses)
      memory.note(answering: addresses[1], over: .udp)
      #expect(memory.left(of: addresses, over: .udp) == [addresses[1]])
      #expect(memory.left(of: [addresses[0]], over: .udp) == [addresses[0]])
    }

    @Test("A silent first address takes only its share of the time")
    func silentFirst() async throws {
      try await Coturn.with { coturn in
        try await ScriptedSTUNServer.with { _, _ in
          []
        } _: { silent in
          let memory = AddressMemory()
          var candidates = Candidates(
            current: silent.address, rest: [TransportAddress(ip: silent.address.ip, port: coturn.port)],
            transport: .udp,
            memory: memory)
          let end = Instant.now + .seconds(4)
          let limit = candidates.limit(by: end)
          #expect(end - limit > .seconds(1))
          try candidates.advance(after: ProbeFailure(.stunTimeout, "", advice: ""))
          #expect(candidates.limit(by: end) == end)
          #expect(memory.passedOver(over: .udp).map(\.address) == [silent.address])
          #expect(throws: ProbeFailure.self) {
            try candidates.advance(after: ProbeFailure(.stunTimeout, "", advice: ""))
          }
        }
      }
    }

    // MARK: A name server

    private static func name(in question: ByteBuffer) -> String {
      var reader = question
      reader.moveReaderIndex(forwardBy: 12)
      var labels: [String] = []
      while let length: UInt8 = reader.readInteger(), length > 0, let label = reader.readString(length: Int(length)) {
        labels.append(label)
      }
      return labels.joined(separator: ".")
    }

    /// An answer of which half arrives.
    private static func truncatedAnswer(to question: ByteBuffer, _ records: [ServiceRecord]) -> ByteBuffer {
      var answer = answer(to: question, records)
      answer.setInteger(0x8380 as UInt16, at: 2)
      return answer.getSlice(at: 0, length: (question.readableBytes + answer.readableBytes) / 2) ?? answer
    }

    @Test(
      "An address that no server can have is refused before anything is sent to it",
      arguments: ["0.0.0.0", "0.1.2.3", "224.0.0.1", "255.255.255.255", "::", "ff02::1", "::ffff:0.0.0.0"])
    func impossibleAddress(host: String) async throws {
      for scheme in [ServerURI.Scheme.turn, .turns] {
        let server = ProbedServer(uri: ServerURI(scheme: scheme, host: host, port: 3478, transport: .udp))
        let failures = [
          await #expect(throws: ProbeFailure.self) {
            _ = try await AllocateProbe(server: server).run(deadline: .seconds(1))
          },
          await #expect(throws: ProbeFailure.self) {
            _ = try await BindingProbe(server: server, requests: 1).run(deadline: .seconds(1))
          },
        ]
        for failure in failures {
          #expect(failure?.code == .noUsableAddress)
          #expect(failure?.message.contains("no address that a server can have") == true)
        }
      }
    }

    /// The same under another id.
    private static func renumbered(_ message: ByteBuffer) -> ByteBuffer {
      var message = message
      message.setInteger(
        (message.getInteger(at: message.readerIndex, as: UInt16.self) ?? 0) ^ 1, at: message.readerIndex)
      return message
    }

    /// As it goes over TCP: after its length.
    private static func framed(_ message: ByteBuffer) -> ByteBuffer {
      var frame = ByteBuffer(integer: UInt16(message.readableBytes))
      frame.writeImmutableBuffer(message)
      return frame
    }

    private static func answer(to question: ByteBuffer, _ records: [ServiceRecord]) -> ByteBuffer {
      var answer = question
      answer.setInteger(0x8180 as UInt16, at: 2)
      answer.setInteger(UInt16(records.count), at: 6)
      for record in records {
        // The name is the question's, by pointer.
        answer.writeMultipleIntegers(0xC00C as UInt16, 33 as UInt16, 1 as UInt16, 60 as UInt32)
        var data = ByteBuffer()
        data.writeMultipleIntegers(record.priority, record.weight, record.port)
        for label in record.target.split(separator: ".") {
          data.writeInteger(UInt8(label.utf8.count))
          data.writeString(String(label))
        }
        data.writeInteger(0 as UInt8)
        answer.writeInteger(UInt16(data.readableBytes))
        answer.writeImmutableBuffer(data)
      }
      return answer
    }
  }
}
