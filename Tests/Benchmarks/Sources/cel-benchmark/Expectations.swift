import CEL

/// An expectation as runbooks have them, and the values it is evaluated with.
struct Expectation {
  let source: String
  let isTrue: Bool
}

/// Twenty realistic expectations over one environment.
enum Expectations {
  static let all: [Expectation] = [
    "a.b.c < 5 && d in [1, 2, 3]",
    "output.running",
    "output.status == 'running' && output.restarts == 0",
    "output.lost == 0",
    "output.rtt.p95 <= 0.2",
    "output.rtt.p95 < output.rtt.max && output.rtt.p50 <= output.rtt.p95",
    "double(output.lost) / double(output.sent) < 0.01",
    "output.mapped.startsWith('203.0.113.')",
    "output.software.matches('^Coturn-4\\\\.[5-9]')",
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
  ].map { Expectation(source: $0, isTrue: true) }

  static var environment: Environment {
    var environment = Environment()
    environment.declare(variable: "a", type: .map(.string, .map(.string, .int)))
    environment.declare(variable: "d", type: .int)
    environment.declare(variable: "output", type: .dyn)
    return environment
  }

  static let activation = SlotActivation([
    .map(CELMap([("b", .map(CELMap([("c", .int(3))])))])), .int(2), output,
  ])

  private static let output = CELValue.map(
    CELMap([
      ("running", .bool(true)), ("status", .string("running")), ("restarts", .int(0)), ("lost", .int(0)),
      ("sent", .int(50)), ("mapped", .string("203.0.113.7")), ("software", .string("Coturn-4.6.1 'Gorst'")),
      ("ports", .list([49_152, 50_000, 50_001, 65_535].map { .int($0) })),
      ("rtt", .map(CELMap([("p50", .double(0.1)), ("p95", .double(0.15)), ("max", .double(0.3))]))),
      ("labels", .map(CELMap([("tier", .string("edge"))]))),
      ("notAfter", .string("2027-06-01T00:00:00Z")), ("message", .string("the service is ready to serve")),
      (
        "peers",
        .list(
          ["alpha", "beta"].map {
            .map(CELMap([("name", .string($0)), ("alive", .bool(true))]))
          })
      ),
    ]))
}
