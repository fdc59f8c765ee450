import NIOCore
import STUN
import Synchronization
import Testing

@testable import Probe

/// Messages as servers send them.
enum ScriptedReply {
  static func success(
    to request: Message, _ attributes: [any Attribute], key: IntegrityKey? = nil, id: TransactionID? = nil
  ) -> ByteBuffer {
    message(.success, to: request, attributes, key: key, id: id)
  }

  static func error(
    _ number: Int, to request: Message, _ attributes: [any Attribute] = [], key: IntegrityKey? = nil
  ) -> ByteBuffer {
    message(.error, to: request, [ErrorCode(number)] + attributes, key: key, id: nil)
  }

  /// A 401 that asks for long-term credentials.
  static func challenge(to request: Message, realm: String = "r.example", nonce: String = "n-1") -> ByteBuffer {
    error(401, to: request, [Realm(realm), Nonce(Array(nonce.utf8))])
  }

  private static func message(
    _ messageClass: MessageClass, to request: Message, _ attributes: [any Attribute], key: IntegrityKey?,
    id: TransactionID?
  ) -> ByteBuffer {
    var writer = MessageWriter(
      MessageType(request.type.method, messageClass), transactionID: id ?? request.transactionID)
    for attribute in attributes { writer.append(attribute) }
    if let key { writer.appendIntegrity(key: key) }
    return writer.finish()
  }
}

/// What a probe's failure is explained as, after the second look at the server.
func explanation(
  of server: ProbedServer, _ probe: (ProbedServer) async throws(ProbeFailure) -> Void
) async throws -> ProbeFailure {
  do throws(ProbeFailure) {
    try await probe(server)
  } catch {
    return await error.explained(on: server, deadline: .seconds(2))
  }
  throw NothingFailed()
}

/// Asks for an allocation, for no longer than silence takes to be one.
func allocate(_ server: ProbedServer) async throws(ProbeFailure) {
  _ = try await AllocateProbe(server: server).run(deadline: .milliseconds(1200))
}

struct NothingFailed: Error {}

/// Tests of live servers follow one another: they measure times, and share two processors with what they start.
@Suite("Live servers", .serialized) enum LiveServerTests {}

/// What a server has seen, in order.
final class Recorder<Value: Sendable>: Sendable {
  private let values = Mutex<[Value]>([])

  var all: [Value] { values.withLock { $0 } }

  func append(_ value: Value) { values.withLock { $0.append(value) } }
}
