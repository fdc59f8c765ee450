package import Addresses
import NIOCore
import NIOPosix
import STUN

/// Finds out how the NAT between here and a server maps and filters, with a STUN server of two addresses (RFC 5780).
package struct BehaviourProbe: Sendable {
  package var server: Server

  package init(server: Server) { self.server = server }

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
    /// The server's second address and port; nil where it has none, and nothing more can be found out.
    package let otherAddress: TransportAddress?
    /// How the mapping depends on the destination.
    package let mapping: Dependence?
    /// Which senders reach us.
    package let filtering: Dependence?
  }

  /// Runs the probe, over UDP.
  ///
  /// - Throws: `ProbeFailure` where the first Binding request is not answered.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    let address = try await server.preferredAddress(by: end)
    return try await ServerConnection.withUnconnectedSocket(to: address) { socket throws(ProbeFailure) in
      let first = try await ask(socket, at: address, by: end)
      guard let other = first.other else {
        return Report(
          reflexiveAddress: first.mapped, isBehindNAT: first.isBehindNAT, otherAddress: nil, mapping: nil,
          filtering: nil)
      }
      progress("how our address depends on the destination")
      let mapping = try await mapping(socket, primary: address, other: other, first: first.mapped, by: end)
      progress("which senders reach us")
      let filtering = try await filtering(socket, primary: address, by: end)
      return Report(
        reflexiveAddress: first.mapped, isBehindNAT: first.isBehindNAT, otherAddress: other, mapping: mapping,
        filtering: filtering)
    }
  }

  private struct Answer {
    let mapped: TransportAddress
    let other: TransportAddress?
    let isBehindNAT: Bool
  }

  /// RFC 5780, section 4.3.
  private func mapping(
    _ socket: ServerConnection.Unconnected, primary: TransportAddress, other: TransportAddress,
    first: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> Dependence {
    let second = try await ask(socket, at: TransportAddress(ip: other.ip, port: primary.port), by: end).mapped
    if second == first { return .endpointIndependent }
    let third = try await ask(socket, at: other, by: end).mapped
    return third == second ? .addressDependent : .addressAndPortDependent
  }

  /// RFC 5780, section 4.4.
  private func filtering(
    _ socket: ServerConnection.Unconnected, primary: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> Dependence {
    if try await answers(socket, at: primary, ChangeRequest(changesAddress: true, changesPort: true), by: end) {
      return .endpointIndependent
    }
    if try await answers(socket, at: primary, ChangeRequest(changesAddress: false, changesPort: true), by: end) {
      return .addressDependent
    }
    return .addressAndPortDependent
  }

  private func ask(
    _ socket: ServerConnection.Unconnected, at target: TransportAddress, by end: Instant
  ) async throws(ProbeFailure) -> Answer {
    do throws(RequestFailure) {
      let response = try await socket.perform(.binding(), to: target, by: end)
      guard let mapped = try? response.message.attribute(XORMappedAddress.self) else {
        throw RequestFailure.malformedResponse(.malformedAttribute(.xorMappedAddress))
      }
      let local = socket.connection.localAddress
      return Answer(
        mapped: mapped.address, other: try? response.message.attribute(OtherAddress.self)?.address,
        isBehindNAT: !Self.isLocal(mapped.address, localPort: local?.port))
    } catch {
      throw ProbeFailure(error, of: .binding, server: target, transport: .udp)
    }
  }

  /// Whether an answer from elsewhere arrives; silence is an answer too, after three sends.
  private func answers(
    _ socket: ServerConnection.Unconnected, at target: TransportAddress, _ change: ChangeRequest, by end: Instant
  ) async throws(ProbeFailure) -> Bool {
    do throws(RequestFailure) {
      _ = try await socket.perform(.binding([change]), to: target, by: min(end, .now + .milliseconds(1600)))
      return true
    } catch {
      if case .timedOut = error { return false }
      throw ProbeFailure(error, of: .binding, server: target, transport: .udp)
    }
  }

  /// Whether an address is one of this host's interfaces, on the socket's port.
  private static func isLocal(_ address: TransportAddress, localPort: UInt16?) -> Bool {
    guard address.port == localPort else { return false }
    let devices = (try? System.enumerateDevices()) ?? []
    return devices.contains { $0.address.flatMap(TransportAddress.init)?.ip == address.ip }
  }
}
