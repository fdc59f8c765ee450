import Addresses
import Coturn
import Journal
import Probe
import Schema
import Steps

extension CallDiagnosis.Figures {
  /// Of a call that came to its end.
  init(_ report: RelayProbe.Report, realm: String?) {
    self.init(
      wasAnswered: true, sent: report.sent, reached: report.reached, received: report.received,
      relayed: report.relayedAddresses, realm: realm)
  }

  /// Of a call that failed, from what the failure tells.
  init(_ error: StepError, realm: String?) {
    func text(_ name: String) -> String? {
      error.learnt.first { $0.name == name }.flatMap { if case .string(let text) = $0.value { text } else { nil } }
    }
    let sent = text("sent").flatMap { Int($0) }
    let relayed = ["relayedAddress", "echoRelayedAddress"].compactMap { text($0).flatMap { TransportAddress($0) } }
    // What explains silence has a code of the path's; a call that got as far as an allocation was answered.
    let silences = [ProbeFailure.Code.turnTimeout.rawValue, ProbeFailure.Code.stunTimeout.rawValue]
    let code = error.finding.code
    let isSilent = silences.contains(code) || ["path.", "icmp.", "tcp."].contains { code.hasPrefix($0) }
    self.init(
      wasAnswered: !isSilent || sent != nil || !relayed.isEmpty, sent: sent,
      reached: text("reached").flatMap { Int($0) },
      received: sent == nil ? nil : 0, relayed: relayed, realm: realm)
  }
}
