package import Addresses
import Names
import STUN
import Schema
import Synchronization

/// An address of a server that was tried, and did not answer, before another one.
package struct PassedOverAddress: Sendable, Hashable {
  package let address: TransportAddress
  package let transport: Transport
  /// What its failure is called.
  package let reason: ProbeFailure.Code
  /// How long it was tried.
  package let elapsed: Duration
}

/// What was learnt of a server's addresses. All copies of a ``ProbedServer`` share it: one that does not answer is tried once,
/// and not before each request.
package final class AddressMemory: Sendable {
  private struct State {
    var passedOver: [PassedOverAddress] = []
    var answering: [Transport: TransportAddress] = [:]
  }

  private let state = Mutex(State())

  package init() {}

  func note(_ passedOver: PassedOverAddress) {
    state.withLock { state in
      let isKnown = state.passedOver.contains {
        $0.address == passedOver.address && $0.transport == passedOver.transport
      }
      if !isKnown { state.passedOver.append(passedOver) }
    }
  }

  func note(answering address: TransportAddress, over transport: Transport) {
    state.withLock { $0.answering[transport] = address }
  }

  /// What did not answer over a transport, in the order in which it was tried.
  func passedOver(over transport: Transport) -> [PassedOverAddress] {
    state.withLock { $0.passedOver.filter { $0.transport == transport } }
  }

  /// Those of some addresses that are worth a try; all of them if none is.
  func left(of addresses: [TransportAddress], over transport: Transport) -> [TransportAddress] {
    state.withLock { state in
      if let answering = state.answering[transport], addresses.contains(answering) { return [answering] }
      let dead = Set(state.passedOver.lazy.filter { $0.transport == transport }.map(\.address))
      let left = addresses.filter { !dead.contains($0) }
      return left.isEmpty ? addresses : left
    }
  }
}

extension ProbeFailure {
  /// The same failure, with the addresses that were passed over before as evidence.
  package func noting(_ passedOver: [PassedOverAddress]) -> ProbeFailure {
    guard !passedOver.isEmpty, evidence("passedOver") == nil else { return self }
    var failure = self
    failure.evidence.append(Evidence("passedOver", list: passedOver.map(\.address)))
    return failure
  }
}

extension Collection<PassedOverAddress> {
  /// How long they were tried, all together.
  package var elapsed: Duration { reduce(.zero) { $0 + $1.elapsed } }
}

/// Finds the addresses of a host name as every other program of this host does.
enum NameResolution {
  /// The addresses of a host in the order in which the system prefers them (RFC 6724); a literal address is its own.
  static func addresses(of host: String, by deadline: Instant) async throws(ProbeFailure) -> [IPAddress] {
    do throws(ResolutionError) {
      return try await SystemResolver.addresses(of: host, .any, by: deadline)
    } catch {
      guard error.code != .cancelled else {
        throw ProbeFailure(
          .cancelled, "The search for \(host) was stopped before it was done.",
          evidence: [ProbeFailure.Evidence("host", host)])
      }
      throw ProbeFailure(
        .nameNotFound, "The name \(host) has no address (\(error.reason)).",
        advice: "Look at the spelling, at the name's A and AAAA records, and at this host's resolver.",
        evidence: [ProbeFailure.Evidence("host", host)])
    }
  }
}
