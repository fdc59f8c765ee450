import Probe
import Schema

/// An address of the server's name that was tried before the one that answered.
package struct PassedOver: Hashable, Sendable {
  /// `address:port`.
  package var address: String
  package var reason: String
  package var elapsed: Duration

  static let record = Record(
    Self.init(address:reason:elapsed:),
    Field("address", \.address, .string, "Address and port."),
    Field("reason", \.reason, .string, "The code of its failure."),
    Field("elapsed", \.elapsed, .duration, "How long it was tried.")
  )

  /// The field of a module's output that holds them.
  static func field<Output>(
    _ path: any KeyPath<Output, [PassedOver]> & Sendable
  ) -> Field<Output, [PassedOver]> {
    Field("passedOver", path, .list(.record(record)), "Addresses that did not answer, tried before.")
  }
}

extension ProbedServer {
  /// What was passed over, for a step's output.
  var passedOverAddresses: [PassedOver] {
    passedOver.map { PassedOver(address: "\($0.address)", reason: $0.reason.rawValue, elapsed: $0.elapsed) }
  }
}
