import CEL
import FoundationEssentials

/// Twenty realistic expectations, all true of one set of data.
enum Expectations {
  static let sources = [
    "a.b.c < 5 && d in [1, 2, 3]",
    "output.running",
    "output.status == 'running' && output.restarts == 0",
    "output.lost == 0",
    "output.rtt.p95 <= 0.2",
    "output.rtt.p95 < output.rtt.max && output.rtt.p50 <= output.rtt.p95",
    "double(output.lost) / double(output.sent) < 0.01",
    "output.mapped.startsWith('203.0.113.')",
    "output.software.matches('^Coturn-4[.][5-9]')",
    "output.ports.all(p, p >= 49152 && p <= 65535)",
    "output.ports.exists(p, p == 50000)",
    "size(output.peers) >= 2 && output.peers.all(q, q.alive)",
    "output.peers.filter(q, q.alive).map(q, q.name) == ['alpha', 'beta']",
    "output.status in ['running', 'restarting'] || output.restarts < 3",
    "has(output.labels.tier) && output.labels.tier == 'edge'",
    "output.labels.tier.upperAscii() == 'EDGE'",
    "timestamp(output.notAfter) > timestamp('2026-01-01T00:00:00Z')",
    "timestamp(output.notAfter) - timestamp('2027-01-01T00:00:00Z') > duration('24h')",
    "output.lost > 0 ? output.sent > 100 : output.sent >= 50",
    "output.message.contains('ready') && !output.message.contains('error') && size(output.message) < 200",
  ]

  /// The values of the variables, for all packages.
  static let data = """
    {
      "a": {"b": {"c": 3}},
      "d": 2,
      "output": {
        "running": true, "status": "running", "restarts": 0, "lost": 0, "sent": 50, "mapped": "203.0.113.7",
        "software": "Coturn-4.6.1 'Gorst'", "ports": [49152, 50000, 50001, 65535],
        "rtt": {"p50": 0.1, "p95": 0.15, "max": 0.3}, "labels": {"tier": "edge"}, "notAfter": "2027-06-01T00:00:00Z",
        "message": "the service is ready to serve",
        "peers": [{"name": "alpha", "alive": true}, {"name": "beta", "alive": true}]
      }
    }
    """

  /// The types of the variables.
  static let variables: [(name: String, type: CELType, signature: String)] = [
    ("a", .map(.string, .map(.string, .int)), "map<string, map<string, int>>"), ("d", .int, "int"),
    ("output", .dyn, "dyn"),
  ]

  static var environment: CELEnvironment {
    var environment = CELEnvironment()
    for variable in variables { environment.declare(variable: variable.name, type: variable.type) }
    return environment
  }

  static func activation() throws -> SlotActivation {
    let values = try JSONDecoder().decode([String: JSONValue].self, from: Data(data.utf8))
    return SlotActivation(variables.map { values[$0.name]?.value })
  }
}

/// A value as JSON writes it.
private struct JSONValue: Decodable {
  let value: CELValue

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let flag = try? container.decode(Bool.self) {
      value = .bool(flag)
    } else if let number = try? container.decode(Int64.self) {
      value = .int(number)
    } else if let number = try? container.decode(Double.self) {
      value = .double(number)
    } else if let text = try? container.decode(String.self) {
      value = .string(text)
    } else if let list = try? container.decode([JSONValue].self) {
      value = .list(list.map(\.value))
    } else {
      let object = try container.decode([String: JSONValue].self)
      value = .map(CELMap(object.sorted { $0.key < $1.key }.map { ($0.key, $0.value.value) }))
    }
  }
}
