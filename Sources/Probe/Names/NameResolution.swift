import Addresses
import Names
import STUN
import Schema

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
