package import Addresses
import NIOCore
import NIOPosix
import STUN
import Schema

/// Finds out how the NAT between here and a server maps and filters, with a STUN server of two addresses (RFC 5780).
///
/// Servers of RFC 3489 serve as well: requests carry nothing that those do not know.
package struct BehaviourProbe: Sendable {
  package var server: ProbedServer

  package init(server: ProbedServer) { self.server = server }

  /// RFC 4787, sections 4.1 and 5; RFC 5780, sections 4.3 and 4.4.
  package enum Dependence: String, Sendable, Hashable, CaseIterable {
    case endpointIndependent
    case addressDependent
    case addressAndPortDependent
  }

  package struct Report: Sendable {
    package let reflexiveAddress: TransportAddress
    /// Whether our own address is the one that the server sees: then there is no NAT.
    package let isBehindNAT: Bool
    /// The server's second address and port; nil if it has none that can be used, and nothing more can be found out.
    package let otherAddress: TransportAddress?
    /// How the mapping depends on the destination.
    package let mapping: Dependence?
    /// Which senders reach us; nil if the server's answers, or its silence, do not prove it.
    package let filtering: Dependence?
    /// Whether something on the path translates between IPv6 and IPv4 (NAT64): the server sees us at an address of the other
    /// family, and announces a second address that cannot be asked from here.
    package let isTranslated: Bool
    /// What the server does that keeps mapping or filtering from being found out, although it says that it has a second
    /// address: `stun.otherAddressUnusable` or `stun.changeRequestIgnored`.
    package let objection: ProbeFailure?
  }

  /// Runs the probe, over UDP.
  ///
  /// - Throws: `ProbeFailure` if a plain Binding request is not answered.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let address = try await server.preferredAddress(by: end, asking: .binding())
    return try await ServerConnection.withUnconnectedSocket(to: address, in: server.network) {
      socket throws(ProbeFailure) in
      let first = try await ask(socket, at: address, by: end)
      func report(
        other: TransportAddress? = nil, mapping: Dependence? = nil, filtering: Dependence? = nil,
        objection: ProbeFailure? = nil
      ) -> Report {
        Report(
          reflexiveAddress: first.mapped, isBehindNAT: first.isBehindNAT, otherAddress: other, mapping: mapping,
          filtering: filtering, isTranslated: first.isTranslated(from: address), objection: objection)
      }
      guard let other = first.other, !first.isTranslated(from: address) else { return report() }
      if let objection = ProbeFailure(unusableOther: other, of: address) { return report(objection: objection) }
      let servers = DiscoveryServers(primary: address, other: other)
      let filter = FilteringTest(socket: socket, servers: servers, end: end)
      // Before anything is sent to the second address: what is sent there opens a filter.
      progress("which senders reach us")
      let heard = try await filter.run()
      progress("how our address depends on the destination")
      let mapping = try await mapping(socket, servers, first: first.mapped, by: end)
      progress("whether it was a filter that kept answers away")
      switch try await filter.judge(heard, mapping: mapping, seenAs: first.mapped) {
      case .success(let filtering): return report(other: other, mapping: mapping, filtering: filtering)
      case .failure(let objection): return report(other: other, mapping: mapping, objection: objection)
      }
    }
  }

  private struct Answer {
    let mapped: TransportAddress
    let other: TransportAddress?
    let isBehindNAT: Bool

    /// Whether the server got the request over another family of addresses than the one that it was sent to.
    func isTranslated(from target: TransportAddress) -> Bool {
      mapped.unmapped.ip.family != target.unmapped.ip.family
    }
  }

  /// RFC 5780, section 4.3.
  private func mapping(
    _ socket: ServerConnection.Unconnected, _ servers: DiscoveryServers, first: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> Dependence {
    let second = try await ask(socket, at: servers.otherAddressSamePort, by: end).mapped
    if second == first { return .endpointIndependent }
    let third = try await ask(socket, at: servers.other, by: end).mapped
    return third == second ? .addressDependent : .addressAndPortDependent
  }

  private func ask(
    _ socket: ServerConnection.Unconnected, at target: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> Answer {
    let answer: Answer
    do throws(RequestFailure) {
      let response = try await socket.perform(.binding(), to: target, by: end)
      let mapped = try BindingProbe.reflexiveAddress(in: response.message)
      let other: TransportAddress?
      do throws(DecodingError) { other = try BindingProbe.otherAddress(in: response.message) } catch {
        throw RequestFailure.malformedResponse(error)
      }
      answer = Answer(
        mapped: mapped, other: other,
        isBehindNAT: !Self.isLocal(mapped, localPort: socket.connection.localAddress?.port))
    } catch {
      throw ProbeFailure(error, of: .binding, server: target, transport: .udp)
    }
    if let failure = ProbeFailure(unusableReflexive: answer.mapped, in: .binding, server: target, transport: .udp) {
      throw failure
    }
    return answer
  }

  /// Whether an address is one of this host's interfaces, on the socket's port.
  private static func isLocal(_ address: TransportAddress, localPort: UInt16?) -> Bool {
    guard address.port == localPort else { return false }
    let devices = (try? System.enumerateDevices()) ?? []
    return devices.contains { $0.address.flatMap(TransportAddress.init)?.ip == address.ip }
  }
}
