package import Journal
import Probe
package import Schema
package import Steps

/// Asks several servers for an allocation.
package struct TURNPool: StepModule {
  package struct Input: Sendable {
    package var servers: [TURNServer]
    package var working: Int
  }

  package struct Member: Sendable {
    package var name: String
    package var uri: String
    package var works: Bool
    package var rtt: Duration?
    package var reason: String?
    package var detail: String?
  }

  package struct Output: Sendable {
    package var members: [Member]
    package var working: Int
    package var first: String?
    package var ranking: [String]
  }

  package static let declaration = ModuleDeclaration(
    "turn.pool", "Asks several TURN servers for an allocation: which work, in order and by round trip.",
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("servers", \.servers, .list(.turnServer).nonEmpty, "The servers, in the order in which clients fail over."),
      Field("working", \.working, .int.within(0...1000), default: 1, "How many must work.")
    ),
    output: Record(
      Output.init,
      Field(
        "members", \.members,
        .list(
          .record(
            Record(
              Member.init,
              Field("name", \.name, .string, "The name of the server."),
              Field("uri", \.uri, .turnURI, "Where it listens."),
              Field("works", \.works, .bool, "Whether it gave an allocation."),
              Field("rtt", \.rtt, .optional(.duration), "The round trip of the granted request."),
              Field("reason", \.reason, .optional(.string), "The code of what failed."),
              Field("detail", \.detail, .optional(.string), "What failed, in words.")
            ))), "The servers in the order given."),
      Field("working", \.working, .int, "How many work."),
      Field("first", \.first, .optional(.string), "The first in order that works."),
      Field("ranking", \.ranking, .list(.string), "The names of those that work, the fastest first.")
    ),
    examples: [.init("There is a server to fail over to", with: "servers: [\"${target}\"]\nworking: 1")])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.working > input.servers.count else { return nil }
    return Finding(
      "turn.poolTooSmall", "\(input.working) servers must work, and the pool has \(input.servers.count).",
      advice: "Name more servers, or lower \"working\".")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    var servers: [ProbedServer] = []
    for server in input.servers { servers.append(try ProbedServer(server)) }
    let probed = servers
    guard let first = probed.first else {
      throw .notStarted(
        ProbeFailure.Code.invalidInput.rawValue, "The pool has no servers.", advice: "Name at least one.")
    }
    let report = try await context.probing(first) { (deadline) async throws(ProbeFailure) in
      try await PoolProbe(servers: probed).run(deadline: deadline, progress: context.progress)
    }
    let members = report.members.map { member in
      let failure: ProbeFailure? = if case .failure(let failure) = member.result { failure } else { nil }
      return Member(
        name: input.servers[member.position].name, uri: member.uri, works: member.isWorking, rtt: member.rtt,
        reason: failure?.code.rawValue, detail: failure?.message)
    }
    let output = Output(
      members: members, working: report.ranking.count, first: report.firstWorking.map { members[$0.position].name },
      ranking: report.ranking.map { members[$0.position].name })
    guard output.working < input.working else { return .done(output) }
    let untold = members.count { $0.reason == ProbeFailure.Code.outOfTime.rawValue }
    guard output.working + untold < input.working else {
      throw .broken(
        ProbeFailure.Code.outOfTime.rawValue,
        "Of \(members.count) servers \(output.working) work, and there was no time left to ask \(untold).",
        advice: ProbeFailure.adviceToGiveTime)
    }
    let missing = members.filter { !$0.works }.map { "\($0.name) (\($0.reason ?? "unknown"))" }
    let shown = missing.prefix(5).joined(separator: ", ") + (missing.count > 5 ? " and \(missing.count - 5) more" : "")
    return .failed(
      output,
      Finding(
        "turn.poolTooSmall",
        "Of \(members.count) servers \(output.working) work, and \(input.working) must. These do not: \(shown).",
        advice: "Look at the reasons of those that do not, each by itself: turn.allocate says what to look at."))
  }
}
