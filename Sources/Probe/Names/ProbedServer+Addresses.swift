import Addresses
import STUN
import Schema

extension ProbedServer {
  /// Where to connect to, in the order in which to try.
  ///
  /// A port in the URI, or a literal address, is taken as it is. A name without a port is looked up as a service first
  /// (SRV: RFC 5928 for `turn`, RFC 8489, section 8.1, for `stun`); without such records its default port is taken.
  /// Addresses of one name come in the system's order (RFC 6724).
  func addresses(by deadline: Instant) async throws(ProbeFailure) -> [TransportAddress] {
    if let address { return [TransportAddress(ip: address, port: uri.port ?? uri.scheme.defaultPort)] }
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

  /// The first address that answers; a single one is not asked.
  ///
  /// - Parameter request: what each is asked over UDP, without credentials. Every TURN server answers Allocate. Over other
  ///   transports a connection has to come about, with its handshake.
  func preferredAddress(
    by deadline: Instant, asking request: Request = .allocate(AllocateOptions())
  ) async throws(ProbeFailure) -> TransportAddress {
    var candidates = try await candidates(by: deadline)
    while candidates.areSeveral {
      do throws(ProbeFailure) {
        try await look(at: candidates.current, request, by: candidates.limit(by: deadline))
        break
      } catch {
        guard error.isUnreachability else { break }
        try candidates.advance(after: error)
      }
    }
    addressMemory.note(answering: candidates.current, over: transport)
    return candidates.current
  }

  private func look(at address: TransportAddress, _ request: Request, by limit: Instant) async throws(ProbeFailure) {
    var options = connectionOptions()
    options.credentials = nil
    options.tls.verifiesCertificate = false
    try await ServerConnection.withConnection(to: address, over: transport, options: options, by: limit) {
      connection throws(ProbeFailure) in
      guard transport == .udp else { return }
      do throws(RequestFailure) {
        _ = try await connection.perform(request, by: limit)
        // From a server that asks for no credentials.
        if request.method == .allocate { connection.sendOnce(.refresh(lifetimeSeconds: 0)) }
      } catch {
        throw ProbeFailure(error, of: request.method, server: address, transport: transport)
      }
    }
  }

  /// The addresses to try, without those that were passed over before.
  func candidates(by deadline: Instant) async throws(ProbeFailure) -> Candidates {
    let addresses = addressMemory.left(of: try await usableAddresses(by: deadline), over: transport)
    return Candidates(
      current: addresses[0], rest: addresses.dropFirst(), transport: transport, memory: addressMemory)
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

extension IPAddress {
  /// The family of which to ask a server at this address for a relayed address that takes our own as its peer; nil for IPv4,
  /// given unasked.
  var familyForOwnPeers: AddressFamily? { family == .ipv6 ? .ipv6 : nil }
}

extension ProbeFailure {
  /// Whether another address of the same server may answer.
  var isUnreachability: Bool {
    let codes: [Code] = [
      .sendingNotPermitted, .connectionRefused, .connectionReset, .connectTimedOut, .stunTimeout, .outOfTime,
      .tlsTimedOut,
    ]
    return codes.contains(code) || code.isICMP || code == .turnTimeout && evidence("method") == "Allocate"
  }
}
