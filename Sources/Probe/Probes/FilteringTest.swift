import Addresses
import STUN
import Schema

/// Where a server of two addresses and two ports listens and answers from (RFC 5780, section 6.1).
struct DiscoveryServers: Sendable {
  let primary: TransportAddress
  let other: TransportAddress

  var otherAddressSamePort: TransportAddress { TransportAddress(ip: other.ip, port: primary.port) }
  var sameAddressOtherPort: TransportAddress { TransportAddress(ip: primary.ip, port: other.port) }
}

/// Finds out which senders reach us: asks for answers from where nothing was sent to (RFC 5780, section 4.4).
struct FilteringTest {
  /// How long an answer is waited for: three sends.
  static let patience: Duration = .milliseconds(1600)

  let socket: ServerConnection.Unconnected
  let servers: DiscoveryServers
  let end: Instant

  /// What came of one request.
  fileprivate enum Reply {
    /// An answer from where it must come, and our address in it; nil if it holds none.
    case arrived(TransportAddress?)
    /// Only answers from elsewhere, which prove nothing.
    case fromElsewhere
    case silence
  }

  /// What was asked for, and what came.
  struct Heard {
    fileprivate let change: ChangeRequest
    fileprivate let reply: Reply
  }

  /// Asks for an answer from the other address and port, and where none comes, from the other port.
  func run() async throws(ProbeFailure) -> [Heard] {
    var heard: [Heard] = []
    for change in [
      ChangeRequest(changesAddress: true, changesPort: true), ChangeRequest(changesAddress: false, changesPort: true),
    ] {
      let reply = try await reply(to: change)
      heard.append(Heard(change: change, reply: reply))
      if case .arrived? = heard.last?.reply { break }
    }
    return heard
  }

  /// What the answers and the silence prove.
  ///
  /// Silence is a filter's only if the same answer comes once something was sent to where it comes from. That can be
  /// seen only if one mapping serves all destinations: otherwise the filter of another mapping is opened.
  ///
  /// - Parameter address: our address as the server saw it before.
  func judge(
    _ heard: [Heard], mapping: BehaviourProbe.Dependence, seenAs address: TransportAddress
  ) async throws(ProbeFailure) -> Result<BehaviourProbe.Dependence, ProbeFailure> {
    for item in heard where try await !isProven(item, mapping, address) {
      return .failure(ProbeFailure(ignoring: item.change, expected: source(of: item.change), servers))
    }
    guard case .arrived? = heard.last?.reply else { return .success(.addressAndPortDependent) }
    return .success(heard.count == 1 ? .endpointIndependent : .addressDependent)
  }

  private func isProven(
    _ item: Heard, _ mapping: BehaviourProbe.Dependence, _ address: TransportAddress
  ) async throws(ProbeFailure) -> Bool {
    switch item.reply {
    case .arrived: return true
    case .fromElsewhere: return false
    case .silence:
      guard mapping == .endpointIndependent else { return true }
      let source = source(of: item.change)
      // A NAT such as Linux's, which kept the answer from us, has noted it as a flow of its own: towards that source it
      // gives us another port, and nothing opens the filter of the first one any more.
      if case .arrived(let seen?) = try await reply(at: source, from: source, []), seen != address { return true }
      guard case .arrived = try await reply(to: item.change) else { return false }
      return true
    }
  }

  private func source(of change: ChangeRequest) -> TransportAddress {
    change.changesAddress ? servers.other : servers.sameAddressOtherPort
  }

  private func reply(to change: ChangeRequest) async throws(ProbeFailure) -> Reply {
    try await reply(at: servers.primary, from: source(of: change), [change])
  }

  private func reply(
    at target: TransportAddress, from source: TransportAddress, _ attributes: [any Attribute]
  ) async throws(ProbeFailure) -> Reply {
    let limit = Instant.now + Self.patience
    do throws(RequestFailure) {
      let response = try await socket.perform(
        .binding(attributes), to: target, answeredFrom: source, by: min(end, limit))
      return .arrived(try? BindingProbe.reflexiveAddress(in: response.message))
    } catch {
      if case .rejected = error, !attributes.isEmpty { return .fromElsewhere }
      // Where the deadline came first, silence says nothing.
      if case .timedOut(let timeout) = error, limit <= end {
        return timeout.effort.ignored.wrongSource > 0 ? .fromElsewhere : .silence
      }
      throw ProbeFailure(error, of: .binding, server: target, transport: .udp)
    }
  }
}

extension ProbeFailure {
  /// Why the second address that a server announces cannot be one; nil if it can (RFC 5780, section 7.4: it differs
  /// from the first in address and port).
  init?(unusableOther other: TransportAddress, of primary: TransportAddress) {
    let flaw: String
    if let address = other.flaw(family: primary.unmapped.ip.family) {
      flaw = address.rawValue
    } else if other.unmapped.ip == primary.unmapped.ip {
      flaw = "sameAddress"
    } else if other.port == primary.port {
      flaw = "samePort"
    } else {
      return nil
    }
    self.init(
      .otherAddressUnusable,
      "\(primary) over UDP announces \(other) as its second address and port, which it cannot be (\(flaw)).",
      advice: "Look at the server's listening addresses and ports: for behaviour discovery it needs two of each. "
        + "Nothing was sent there.",
      evidence: [
        Evidence("server", "\(primary)"), Evidence("transport", Transport.udp.rawValue),
        Evidence("otherAddress", "\(other)"), Evidence("flaw", flaw),
      ])
  }

  /// What it means that a request for an answer from elsewhere is not done as it says.
  fileprivate init(ignoring change: ChangeRequest, expected: TransportAddress, _ servers: DiscoveryServers) {
    self.init(
      .changeRequestIgnored,
      "\(servers.primary) over UDP announces \(servers.other), and does not answer from \(expected) when asked to "
        + "(CHANGE-REQUEST).",
      advice: "Look at the server's second address and port, and at firewalls in front of it: which senders reach us "
        + "cannot be told with it.",
      evidence: [
        Evidence("server", "\(servers.primary)"), Evidence("transport", Transport.udp.rawValue),
        Evidence("otherAddress", "\(servers.other)"), Evidence("expectedSource", "\(expected)"),
      ])
  }
}
