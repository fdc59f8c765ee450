package import Addresses
import NIOCore
import STUN
import Schema

/// Looks whether the relay ports of a TURN server can be reached from here, as a peer would reach them.
package struct PortsProbe: Sendable {
  package var server: ProbedServer
  /// How many allocations are made, one after the other.
  package var allocations = 5

  package init(server: ProbedServer, allocations: Int = 5) {
    self.server = server
    self.allocations = allocations
  }

  package struct Report: Sendable {
    /// Who was asked.
    package let server: IPAddress
    /// All addresses of the URI's host.
    package let nameAddresses: [IPAddress]
    /// Relayed addresses at which a datagram from here arrived, in the order of trying.
    package let reachable: [TransportAddress]
    package let unreachable: [TransportAddress]
    /// `turn.quotaReached`, `turn.insufficientCapacity` or `probe.outOfTime`, where one of them ended it before all were
    /// tried.
    package let stoppedBy: ProbeFailure.Code?

    /// An unreachable address that only a network of its own reaches, and that network is not the server's: there the
    /// address is wrong, not a firewall.
    package var misplaced: MisplacedAddress? {
      unreachable.lazy.compactMap { MisplacedAddress($0.ip, of: server) }.first
    }

    /// An unreachable public address that is none of the server's public ones: there it may be wrong, too. nil if the
    /// server has none to compare.
    package var foreign: IPAddress? {
      unreachable.lazy.map(\.ip.unmapped).first { relayed in
        let known = nameAddresses.map(\.unmapped).filter { $0.family == relayed.family && SpecialRange($0) == nil }
        return SpecialRange(relayed) == nil && !known.isEmpty && !known.contains(relayed)
      }
    }

    /// An unreachable public address of a server that was asked at another, special one, as from inside of its network.
    package var external: IPAddress? {
      guard SpecialRange(server.unmapped) != nil else { return nil }
      return unreachable.lazy.map(\.ip.unmapped).first { SpecialRange($0) == nil }
    }
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` if an allocation or the permission for our own address is refused; not where quota,
  ///   capacity or time end after the first port.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    var request = AllocationRequest(server: server)
    let address = try await server.preferredAddress(by: end).ip
    let names = try await server.addresses(by: end).map(\.ip)
    request.options.family = address.familyForOwnPeers
    var reachable: [TransportAddress] = []
    var unreachable: [TransportAddress] = []
    func report(stoppedBy: ProbeFailure.Code? = nil) -> Report {
      Report(
        server: address, nameAddresses: names, reachable: reachable, unreachable: unreachable, stoppedBy: stoppedBy)
    }
    for number in 0..<allocations {
      if number > 0, end - .now < Self.patience * 2 {
        return report(stoppedBy: .outOfTime)
      }
      progress("port \(number + 1) of \(allocations)")
      do throws(ProbeFailure) {
        let (attempt, _) = try await Allocation.withAllocation(request, by: end) {
          (allocation) async throws(ProbeFailure) -> Attempt in
          let isReached = try await isReached(allocation, by: end)
          return Attempt(relayed: allocation.relayedAddress, isReached: isReached)
        }
        if attempt.isReached { reachable.append(attempt.relayed) } else { unreachable.append(attempt.relayed) }
      } catch {
        guard number > 0, [.quotaReached, .insufficientCapacity, .outOfTime].contains(error.code) else { throw error }
        return report(stoppedBy: error.code)
      }
    }
    return report()
  }

  /// How often a datagram is sent to a port, and how long each is waited for.
  private static let (tries, patience) = (3, Duration.seconds(1))

  private struct Attempt: Sendable {
    let relayed: TransportAddress
    let isReached: Bool
  }

  /// Sends from a socket of our own to the relayed address and waits for it to come out at the client.
  private func isReached(_ allocation: Allocation, by end: Instant) async throws(ProbeFailure) -> Bool {
    let reflexive = try allocation.ownAddress()
    let relayed = allocation.relayedAddress
    do throws(ProbeFailure) { try await allocation.permit([reflexive.ip], by: end) } catch {
      throw error.naming(.thisHost)
    }
    let text = "runbook-\(UInt64.random(in: 0 ... .max))"
    let own = ByteBuffer(string: text)
    return try await DatagramListener.withListener(relayed.ip.family, in: server.network) {
      socket throws(ProbeFailure) in
      for _ in 0..<Self.tries {
        guard end - .now > Self.patience else {
          throw ProbeFailure(
            .outOfTime, "There was no time left to see whether a datagram reaches \(relayed).",
            advice: "Try fewer ports, or give it more time: \(ProbeFailure.settingsOfTime).")
        }
        let arrived = await allocation.collect(for: Self.patience, upTo: 1) {
          $0.payload == own
        } afterStarting: {
          socket.send(text, to: relayed)
        }
        if !arrived.isEmpty { return true }
        try allocation.checkCancellation()
      }
      return false
    }
  }
}
