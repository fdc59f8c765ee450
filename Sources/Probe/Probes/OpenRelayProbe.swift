package import Addresses
import NIOCore
import STUN

/// Asks a TURN server to relay to addresses that it should not relay to, and sees whether traffic truly flows.
///
/// Datagrams are sent only if a listener of our own can hear them.
package struct OpenRelayProbe: Sendable {
  package var server: ProbedServer

  package init(server: ProbedServer) { self.server = server }

  /// An address that is tried, by what it stands for.
  package enum PeerKind: String, Sendable, Hashable, CaseIterable {
    case thisNetwork
    case loopback
    case private10
    case private172
    case private192
    case sharedAddressSpace
    case linkLocal
    case multicast
    case broadcast
    /// The address that the server is reached at.
    case server
    /// The relayed address itself.
    case relay
    case unspecifiedIPv6
    case loopbackIPv6
    case linkLocalIPv6
    case uniqueLocalIPv6
    case multicastIPv6
    case mappedLoopback
    case mappedPrivate
    case nat64Loopback
    case sixToFourLoopback
  }

  package enum PeerVerdict: Sendable, Hashable {
    /// The server installed a permission.
    case permitted
    /// The server refused: 403 or 443; nil for an error without a number where an
    /// ordinary address was permitted.
    case refused(Int?)
    /// Neither: another error, silence, or an answer that is none. Nothing is known.
    case unknown(ProbeFailure)
    /// The server gives no relayed address of the peer's family.
    case untestable
    /// No allocation of the peer's family came about, although the server may give one.
    case untested(ProbeFailure)
  }

  /// The errors that say that a peer is not relayed to (RFC 8656, section 10.2); all others speak of something else.
  static let refusals = [403, 443]
  /// How long one answer is waited for at most; less where the deadline leaves less for each.
  static let patience: Duration = .seconds(5)

  package struct Entry: Sendable, Hashable {
    package let kind: PeerKind
    package let address: IPAddress
    package let verdict: PeerVerdict
    /// Whether a datagram reached our own listener, whatever the verdict; nil if none of ours can be there.
    package let isDelivered: Bool?

    /// Whether the server relays there, by its word or by what came through.
    package var isOpen: Bool { verdict == .permitted || isDelivered == true }
    /// Whether it cannot be told if the server relays there.
    package var isUnknown: Bool { if case .unknown = verdict { !isOpen } else { false } }
    /// Whether it was not tried at all.
    package var isUntested: Bool {
      switch verdict {
      case .untestable, .untested: !isOpen
      case .permitted, .refused, .unknown: false
      }
    }
  }

  package struct Report: Sendable {
    package let entries: [Entry]
    /// What the server calls itself.
    package let software: String?
    /// What is relayed to and should not be. The server's own addresses count: what listens there may trust them.
    package var openings: [Entry] { entries.filter(\.isOpen) }
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` if not even an IPv4 allocation is granted.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let address = try await server.preferredAddress(by: end)
    var (entries, software) = try await entries(.ipv4, serverAddress: address, by: end, progress)
    do throws(ProbeFailure) {
      entries += try await self.entries(.ipv6, serverAddress: address, by: end, progress).0
    } catch {
      if error.code == .cancelled { throw error }
      let isFamilyRefused = [.familyNotSupported, .notUnderstood, .relayedAddressUnasked].contains(error.code)
      let verdict: PeerVerdict = isFamilyRefused ? .untestable : .untested(error)
      entries += Self.peers(.ipv6).map { Entry(kind: $0.0, address: $0.1, verdict: verdict, isDelivered: nil) }
    }
    return Report(entries: entries, software: software)
  }

  private func entries(
    _ family: AddressFamily, serverAddress: TransportAddress, by end: Instant, _ progress: @escaping ProbeProgress
  ) async throws(ProbeFailure) -> ([Entry], software: String?) {
    var request = AllocationRequest(server: server)
    if family == .ipv6 {
      request.options.family = .ipv6
      // The server has just answered: longer silence means that it drops such requests.
      request.patience = Self.patience
    }
    let (result, _) = try await Allocation.withAllocation(request, by: end) { allocation throws(ProbeFailure) in
      var peers = Self.peers(family)
      if serverAddress.ip.family == family { peers.append((.server, serverAddress.ip)) }
      peers.append((.relay, allocation.relayedAddress.ip))
      var verdicts: [PeerVerdict] = []
      for (number, (kind, peer)) in peers.enumerated() {
        progress("peer \(number + 1) of \(peers.count): \(kind.rawValue) \(peer)")
        let left = peers.count - number + (family == .ipv4 ? Self.peers(.ipv6).count : 0)
        let share = min(Self.patience, (end - .now) / (left + 3))
        verdicts.append(try await verdict(on: peer, allocation, by: min(end, .now + share)))
      }
      if verdicts.contains(where: Self.isUnnumbered), try await isOrdinaryPeerPermitted(allocation, by: end) {
        verdicts = verdicts.map { Self.isUnnumbered($0) ? .refused(nil) : $0 }
      }
      let tested = zip(peers, verdicts).map { (kind: $0.0.0, address: $0.0.1, verdict: $0.1) }
      progress("listening for what comes through")
      let delivered = try await delivered(
        tested.map(\.kind).filter(Self.canHear),
        tested.map { ($0.kind, $0.address) },
        family, allocation, by: end)
      let entries = tested.map { entry in
        Entry(
          kind: entry.kind, address: entry.address, verdict: entry.verdict,
          isDelivered: Self.canHear(entry.kind) ? delivered.contains(entry.kind) : nil)
      }
      return (entries, allocation.software)
    }
    return result
  }

  private func verdict(
    on peer: IPAddress, _ allocation: Allocation, by end: Instant
  ) async throws(ProbeFailure) -> PeerVerdict {
    do throws(ProbeFailure) {
      try await allocation.permit([peer], by: end)
      return .permitted
    } catch {
      if error.code == .cancelled { throw error }
      guard let number = error.evidence("errorCode").flatMap({ Int($0) }), Self.refusals.contains(number) else {
        return .unknown(error)
      }
      if number == 443, peer.family != allocation.relayedAddress.ip.family { return .untestable }
      return .refused(number)
    }
  }

  private static func isUnnumbered(_ verdict: PeerVerdict) -> Bool {
    if case .unknown(let failure) = verdict { failure.code == .unnumberedError } else { false }
  }

  /// Whether the same request is granted for an address that servers have no reason to deny, so that an error without a
  /// number was about the peer. A permission sends nothing there.
  private func isOrdinaryPeerPermitted(_ allocation: Allocation, by end: Instant) async throws(ProbeFailure) -> Bool {
    let isIPv6 = allocation.relayedAddress.ip.family == .ipv6
    let documentation = IPAddress(isIPv6 ? "2001:db8::1" : "192.0.2.1")
    for peer in [allocation.reflexiveAddress?.ip, documentation].compactMap(\.self)
    where peer.family == allocation.relayedAddress.ip.family {
      if try await verdict(on: peer, allocation, by: min(end, .now + Self.patience)) == .permitted { return true }
    }
    return false
  }

  /// Sends to a listener of our own by each of these addresses, the refused ones too, and says which way arrived.
  private func delivered(
    _ kinds: [PeerKind], _ addresses: [(PeerKind, IPAddress)], _ family: AddressFamily, _ allocation: Allocation,
    by end: Instant
  ) async throws(ProbeFailure) -> Set<PeerKind> {
    guard !kinds.isEmpty else { return [] }
    let run = "runbook-\(UInt64.random(in: 0 ... .max))-"
    return try await DatagramListener.withListener(family, in: server.network) { listener throws(ProbeFailure) in
      for (kind, address) in addresses where kinds.contains(kind) {
        let peer = TransportAddress(ip: address, port: listener.port)
        for _ in 0..<3 { allocation.send(ByteBuffer(string: run + kind.rawValue), to: peer) }
      }
      let datagrams = await listener.collect(for: min(.seconds(1), end - .now), upTo: kinds.count * 3)
      try allocation.checkCancellation()
      let texts = datagrams.map { String(buffer: $0.bytes) }.filter { $0.hasPrefix(run) }
      return Set(texts.compactMap { PeerKind(rawValue: String($0.dropFirst(run.count))) })
    }
  }

  /// Addresses at which a listener of ours can hear the server when both are on one host.
  private static func canHear(_ kind: PeerKind) -> Bool {
    [.loopback, .thisNetwork, .server, .relay, .loopbackIPv6, .unspecifiedIPv6, .mappedLoopback].contains(kind)
  }

  private static func peers(_ family: AddressFamily) -> [(PeerKind, IPAddress)] {
    let texts: [(PeerKind, String)] =
      switch family {
      case .ipv4:
        [
          (.thisNetwork, "0.0.0.0"), (.loopback, "127.0.0.1"), (.private10, "10.0.0.1"), (.private172, "172.16.0.1"),
          (.private192, "192.168.0.1"), (.sharedAddressSpace, "100.64.0.1"), (.linkLocal, "169.254.169.254"),
          (.multicast, "224.0.0.1"), (.broadcast, "255.255.255.255"),
        ]
      case .ipv6:
        [
          (.unspecifiedIPv6, "::"), (.loopbackIPv6, "::1"), (.linkLocalIPv6, "fe80::1"), (.uniqueLocalIPv6, "fd00::1"),
          (.multicastIPv6, "ff02::1"), (.mappedLoopback, "::ffff:127.0.0.1"), (.mappedPrivate, "::ffff:10.0.0.1"),
          (.nat64Loopback, "64:ff9b::7f00:1"), (.sixToFourLoopback, "2002:7f00:1::"),
        ]
      }
    return texts.compactMap { kind, text in IPAddress(text).map { (kind, $0) } }
  }
}
