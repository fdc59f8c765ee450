import Addresses
import STUN

extension Server {
  /// Where to connect to, in the order in which to try.
  ///
  /// A port in the URI, or a literal address, is taken as it is. A name without a port is looked up as a service first
  /// (SRV: RFC 5928 for `turn`, RFC 8489, section 8.1, for `stun`); without such records its default port is taken.
  /// Addresses of one name come in the system's order (RFC 6724).
  func addresses(by deadline: Instant) async throws(ProbeFailure) -> [TransportAddress] {
    if uri.port == nil, uri.literalAddress == nil {
      let service = "_\(uri.scheme.rawValue)._\(transport == .udp || transport == .dtls ? "udp" : "tcp").\(uri.host)"
      let records = await ServiceLookup.records(of: service, nameServers: nameServers, by: deadline)
      var addresses: [TransportAddress] = []
      for record in records {
        // A target that does not resolve leaves the others.
        guard let found = try? await NameResolution.addresses(of: record.target, by: deadline) else { continue }
        addresses += found.map { TransportAddress(ip: $0, port: record.port) }
      }
      if !addresses.isEmpty { return addresses }
    }
    let port = uri.port ?? uri.scheme.defaultPort
    return try await NameResolution.addresses(of: uri.host, by: deadline).map { TransportAddress(ip: $0, port: port) }
  }

  /// The first address.
  func preferredAddress(by deadline: Instant) async throws(ProbeFailure) -> TransportAddress {
    try await candidates(by: deadline).current
  }

  func candidates(by deadline: Instant) async throws(ProbeFailure) -> Candidates {
    let addresses = try await usableAddresses(by: deadline)
    return Candidates(current: addresses[0], rest: addresses.dropFirst())
  }

  /// The addresses that a server can have, each once; one at least.
  func usableAddresses(by deadline: Instant) async throws(ProbeFailure) -> [TransportAddress] {
    let found = try await addresses(by: deadline)
    var addresses: [TransportAddress] = []
    for address in found where address.flaw() == nil && !addresses.contains(address) { addresses.append(address) }
    guard addresses.isEmpty else { return addresses }
    let flaws = found.compactMap { address in address.flaw().map { "\(address) (\($0.rawValue))" } }
    throw ProbeFailure(
      .noUsableAddress,
      flaws.isEmpty
        ? "\(uri) has no address that can be used here."
        : "\(uri) has no address that a server can have: \(ProbeFailure.Evidence.text(of: flaws, separator: ", ")).",
      advice: uri.literalAddress == nil
        ? "Look at the name's A and AAAA records." : "Write the address that the server is reached by.")
  }
}

/// The addresses of a server, tried one after the other until one answers.
struct Candidates: Sendable {
  private(set) var current: TransportAddress
  private var rest: ArraySlice<TransportAddress>
  /// What was tried before and did not answer.
  private(set) var passedOver: [TransportAddress] = []

  init(current: TransportAddress, rest: ArraySlice<TransportAddress>) {
    self.current = current
    self.rest = rest
  }

  /// When the current address is given up: at the deadline for the last, otherwise at its share of what is left.
  func limit(by deadline: Instant) -> Instant {
    let left = deadline - .now
    return rest.isEmpty || left <= .zero ? deadline : .now + left / (rest.count + 1)
  }

  /// Goes on to the next address after a failure to reach the current one.
  ///
  /// - Throws: the failure, where it is none of reaching or no address is left; with those passed over as evidence.
  mutating func advance(after failure: ProbeFailure) throws(ProbeFailure) {
    guard let next = rest.first, failure.isUnreachability else {
      var failure = failure
      if !passedOver.isEmpty {
        failure.evidence.append(
          ProbeFailure.Evidence("passedOver", list: passedOver))
      }
      throw failure
    }
    passedOver.append(current)
    current = next
    rest.removeFirst()
  }
}

extension IPAddress {
  /// The family of which to ask a server at this address for a relayed address that takes our own as its peer; nil for IPv4,
  /// given unasked.
  var familyForOwnPeers: AddressFamily? { family == .ipv6 ? .ipv6 : nil }
}

extension ProbeFailure {
  /// Whether another address of the same server may answer.
  fileprivate var isUnreachability: Bool {
    let codes: [Code] = [
      .sendingNotPermitted, .connectionRefused, .connectionReset, .connectTimedOut, .stunTimeout, .outOfTime,
      .tlsTimedOut,
    ]
    return codes.contains(code) || code.isICMP || code == .turnTimeout && evidence("method") == "Allocate"
  }
}
