import Addresses
import Journal
package import Names
import Probe
import Schema
import Steps

/// The kinds of records that a step can ask for.
package enum DNSKind: String, Sendable, CaseIterable {
  case a = "A"
  case aaaa = "AAAA"
  case cname = "CNAME"
  case srv = "SRV"

  var type: DNSRecordType {
    switch self {
    case .a: .a
    case .aaaa: .aaaa
    case .cname: .cname
    case .srv: .srv
    }
  }

  init(_ type: DNSRecordType) {
    self =
      switch type {
      case .a: .a
      case .aaaa: .aaaa
      case .cname: .cname
      case .srv: .srv
      }
  }
}

/// What was said to one question, for an output.
package struct DNSAnswerRecord: Hashable, Sendable {
  package var type: DNSKind
  package var outcome: DNSOutcome
  package var server: String?
  package var elapsed: Duration

  static let record = Record(
    DNSAnswerRecord.init,
    Field("type", \.type, .enumeration(DNSKind.self), "What was asked for."),
    Field("outcome", \.outcome, .enumeration(DNSOutcome.self), "What came of it."),
    Field("server", \.server, .optional(.string), "Address and port of who said so; absent: there is no name server."),
    Field("elapsed", \.elapsed, .duration, "How long it took.")
  )
}

extension DNSAnswerRecord {
  init(_ answer: DNSAnswer) {
    self.init(
      type: DNSKind(answer.type), outcome: answer.outcome, server: answer.server.map { "\($0)" },
      elapsed: answer.elapsed)
  }
}

/// One place where a service is, for an output.
package struct DNSTargetRecord: Hashable, Sendable {
  package var target: String
  package var port: Int
  package var priority: Int
  package var weight: Int

  static let record = Record(
    DNSTargetRecord.init,
    Field(
      "target", \.target, .string,
      "The name of the host; empty: the domain declares that it does not offer the service."),
    Field("port", \.port, .int, "The port."),
    Field("priority", \.priority, .int, "Hosts of a lower number are tried first."),
    Field("weight", \.weight, .int, "How often a host is taken among those of one priority.")
  )

  init(target: String, port: Int, priority: Int, weight: Int) {
    self.target = target
    self.port = port
    self.priority = priority
    self.weight = weight
  }

  init?(_ record: DNSRecord) {
    guard case .service(let priority, let weight, let port, let target) = record.content else { return nil }
    self.init(target: target, port: Int(port), priority: Int(priority), weight: Int(weight))
  }
}

extension DNSAnswer {
  /// Its addresses.
  var addresses: [String] {
    records.compactMap { record in
      if case .address(let address) = record.content { "\(address)" } else { nil }
    }
  }

  /// Where a service is, the first to be tried first.
  var targets: [DNSTargetRecord] {
    records.compactMap(DNSTargetRecord.init).sorted { ($0.priority, -$0.weight) < ($1.priority, -$1.weight) }
  }

  private var asked: Sentence { "\(name) (\(DNSKind(type).rawValue))" }
  private var by: Sentence { server.map { "\($0)" } ?? "the name server" }

  /// Why there is nothing of use; nil if there is.
  var finding: Finding? {
    let alias: Sentence = aliases.last.map { ", by its alias \($0)" } ?? ""
    return switch outcome {
    case .found: nil
    case .noData:
      Finding(
        "dns.noData", "\(asked)\(alias) has no such record, says \(by)",
        advice: "The name itself exists. Look at its records, and whether the right zone is asked.")
    case .noName:
      Finding(
        ProbeFailure.Code.nameNotFound.rawValue, "\(asked)\(alias) does not exist, says \(by) (NXDOMAIN)",
        advice: "Look at the spelling, at the zone, and whether the domain is still registered.")
    case .serverFailed:
      Finding(
        "dns.serverFailed", "\(by) cannot find out \(asked) (SERVFAIL)",
        advice: "Look at the name servers of the zone, and at its signatures (DNSSEC).")
    case .refused:
      Finding(
        "dns.refused", "\(by) refuses to answer for \(asked) (REFUSED)",
        advice: "It does not serve this zone, or not this client: look at `server`, and at its access rules.")
    case .notUnderstood:
      Finding(
        "dns.notUnderstood", "\(by) does not understand the question for \(asked)",
        advice: "Look which program answers there.")
    case .aliasLoop:
      Finding(
        "dns.aliasLoop", "the aliases of \(asked) lead in a circle: \(aliases.joined(separator: ", "))",
        advice: "Mend the CNAME records of the zone.")
    case .contradictory:
      Finding(
        "dns.contradictory", "\(by) says that \(asked)\(alias) does not exist (NXDOMAIN), and gives a record of it",
        advice: "Clients believe the one or the other. Look which program answers there, and at the zone.")
    case .malformed:
      Finding(
        "dns.malformed", "what \(by) says to \(asked) cannot be read",
        advice: "Look which program answers there, and what stands between.")
    case .timedOut:
      Finding(
        "dns.timedOut", "\(by) gave no answer to \(asked) in time",
        advice: "Look whether it runs, and at firewalls on the way, for UDP and TCP port 53.")
    case .unreachable:
      Finding(
        "dns.unreachable",
        server == nil ? "there is no name server to ask for \(asked)" : "nobody answers at \(by), asked for \(asked)",
        advice: "Look at `server`, or at /etc/resolv.conf.")
    }
  }
}

extension Finding {
  /// What is wrong with the places of a service as a whole; nil if clients can use each.
  static func unusable(_ places: [DNSTargetRecord], of name: String) -> Finding? {
    if let place = places.first(where: { !$0.target.isEmpty && $0.port == 0 }) {
      return Finding(
        "dns.targetWithoutPort",
        "an SRV record of \(name) names \(place.target) with the port 0, at which nobody can listen",
        advice: "Write the port of the service into the record.")
    }
    guard !places.isEmpty, places.allSatisfy(\.target.isEmpty) else { return nil }
    return Finding(
      "dns.serviceDeclined", "the domain says that it does not offer \(name): its SRV record has the target \".\"",
      advice: "If it offers the service, name its host in the record (RFC 2782).")
  }
}

/// A name server as a step names it: address, or address and port.
func nameServers(_ text: String?) throws(StepError) -> [TransportAddress]? {
  guard let text else { return nil }
  if let address = TransportAddress(text), address.port > 0 { return [address] }
  guard let ip = IPAddress(text) else {
    throw .notStarted(
      "dns.invalidServer", "\(text) is no address of a name server",
      advice: "Write an address, or address and port: 192.0.2.53, 192.0.2.53:5353, [2001:db8::53]:53.")
  }
  return [TransportAddress(ip: ip, port: 53)]
}

extension StepContext {
  /// Asks some questions, and ends early enough to say what was missing.
  func answers(to questions: [DNSQuestion], from server: String?) async throws(StepError) -> [DNSAnswer] {
    let client = DNSClient(servers: try nameServers(server))
    let deadline = deadline - min(.milliseconds(500), remaining / 10)
    guard let answers = await client.answers(to: questions, by: deadline) else {
      throw StepError(.interrupted, Finding("dns.interrupted", "the questions to the name server were stopped"))
    }
    return answers
  }
}
