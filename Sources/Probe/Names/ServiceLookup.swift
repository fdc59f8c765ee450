import Addresses
import Names
import STUN

/// Asks name servers for SRV records.
enum ServiceLookup {
  /// How long all name servers together may take: a name without SRV records must leave time for the probe itself.
  private static let patience: Duration = .seconds(3)

  /// The records of a service, in the order in which to try them; empty if there are none or nobody answers.
  ///
  /// - Parameter nameServers: nil takes those of `/etc/resolv.conf`.
  static func records(
    of name: String, nameServers: [TransportAddress]?, by deadline: Instant
  ) async -> [ServiceRecord] {
    let client = DNSClient(servers: nameServers)
    let answers = await client.answers(to: [DNSQuestion(name, .srv)], by: min(deadline, .now + patience))
    let records = (answers?.first?.records ?? []).compactMap(ServiceRecord.init)
    var generator = SystemRandomNumberGenerator()
    return ServiceRecord.inOrder(records, using: &generator)
  }
}

extension ServiceRecord {
  /// Nil for a record of another type, and for one that says that the service is decidedly not there.
  init?(_ record: DNSRecord) {
    guard case .service(let priority, let weight, let port, let target) = record.content, !target.isEmpty else {
      return nil
    }
    self.init(priority: priority, weight: weight, port: port, target: target)
  }
}
