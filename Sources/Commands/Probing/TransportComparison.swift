import Journal
import Modules
import Probe
import Reports
import Runs
import Schema
import TerminalText

/// One server over every transport, side by side.
struct TransportComparison {
  private var probes: [(transport: String, report: ProbeReport)] = []

  mutating func add(_ transport: String, _ report: ProbeReport) { probes.append((transport, report)) }

  /// Good where at least one transport works: a client needs one.
  var outcome: Outcome {
    let outcomes = probes.map(\.report.result.outcome)
    return outcomes.contains(where: \.isGood) ? .pass : Outcome.worst(outcomes)
  }

  /// The server under its URIs for UDP, TCP, TLS and DTLS.
  ///
  /// - Parameter tlsPort: for TLS and DTLS, see ``Schema/TURNServer/over(_:securePort:)``.
  static func variants(of server: TURNServer, tlsPort: Int?) throws -> [(transport: String, server: TURNServer)] {
    do {
      return try Transport.allCases.map { transport in
        let securePort = tlsPort.flatMap { UInt16(exactly: $0) }
        return (transport.rawValue, try server.over(transport, securePort: securePort))
      }
    } catch { throw CommandFailure(.invalid, "\"\(server.uri)\" is no STUN or TURN URI") }
  }

  func text(_ format: OutputFormat) -> String {
    switch format {
    case .json:
      let objects = probes.map { transport, report -> JSON in
        guard case .object(let members) = report.json else { return .null }
        return .object([.init("transport", .string(transport))] + members)
      }
      return JSON.array(objects).text(.indented) + "\n"
    case .text:
      let head = ["transport", "outcome", "set-up", "rtt p50", "p95", "p99", "max", "loss", "jitter", "throughput"]
      let table = TextTable(
        header: head, rows: probes.map { row($0.transport, $0.report.result).map { TextTable.Cell($0) } })
      return (table.lines(.uncut) + probes.flatMap { reason($0.transport, $0.report.result) }).map { "\($0)\n" }
        .joined()
    }
  }

  private func row(_ transport: String, _ result: ProbeResult) -> [String] {
    let output = result.output
    func time(_ value: Value?) -> String {
      if case .duration(let time)? = value { shortDuration(time) } else { "-" }
    }
    func number(_ name: String, _ type: ValueType) -> String { output?[name].map { shownValue($0, as: type) } ?? "-" }
    let rtt = output?["rtt"]
    return [
      transport, result.outcome.rawValue, time(output?["setUp"]), time(rtt?["p50"]), time(rtt?["p95"]),
      time(rtt?["p99"]), time(rtt?["max"]), number("loss", .percent), time(output?["jitter"]),
      number("throughput", .bandwidth),
    ]
  }

  /// Why a transport did not work, and what to look at.
  private func reason(_ transport: String, _ result: ProbeResult) -> [String] {
    guard let finding = result.finding else { return [] }
    let indent = String(repeating: " ", count: transport.count + 2)
    return ["", "\(transport)  \(terminalSafe(finding.message))  (\(finding.code))"]
      + (finding.advice.map { [indent + terminalSafe($0)] } ?? [])
  }
}
