import Addresses
import STUN

/// The addresses of a server, tried one after the other until one answers.
struct Candidates: Sendable {
  private(set) var current: TransportAddress
  private var rest: ArraySlice<TransportAddress>
  private let transport: Transport
  private let memory: AddressMemory
  /// When the current address began to be tried.
  private var start = Instant.now

  init(
    current: TransportAddress, rest: ArraySlice<TransportAddress>, transport: Transport, memory: AddressMemory
  ) {
    self.current = current
    self.rest = rest
    self.transport = transport
    self.memory = memory
  }

  /// Whether there is another address than the current one.
  var areSeveral: Bool { !rest.isEmpty }

  /// When the current address is given up: at the deadline for the last, otherwise at its share of what is left.
  func limit(by deadline: Instant) -> Instant {
    let left = deadline - .now
    return rest.isEmpty || left <= .zero ? deadline : .now + left / (rest.count + 1)
  }

  /// Goes on to the next address after a failure to reach the current one.
  ///
  /// - Throws: the failure, if it is none of reaching or no address is left; with those passed over as evidence.
  mutating func advance(after failure: ProbeFailure) throws(ProbeFailure) {
    guard let next = rest.first, failure.isUnreachability else {
      throw failure.noting(memory.passedOver(over: transport))
    }
    memory.note(
      PassedOverAddress(address: current, transport: transport, reason: failure.code, elapsed: .now - start))
    current = next
    start = .now
    rest.removeFirst()
  }
}
