import Coturn
import Journal
package import Schema
package import Steps

/// What two servers do differently.
package struct DrillDifferences: StepModule {
  package struct Input: Sendable {
    package var before: TURNServer
    package var after: TURNServer
    package var beforeVersion: String?
    package var afterVersion: String?
    package var tls: Bool
  }

  package struct Difference: Hashable, Sendable {
    package var probe: String
    package var fact: String
    package var before: String
    package var after: String
  }

  package struct Output: Sendable {
    package var differences: [Difference]
    package var same: Int
    package var closed: [String]
    package var opened: [String]
  }

  package static let declaration = ModuleDeclaration(
    "drill.differences",
    "Asks two servers the same, and tells in what they differ; and which known vulnerabilities close and open.",
    discussion: """
      Every probe of the matrix asks both: `stun.binding`, `turn.allocate`, `turn.relay`, `turn.credentials`, `turn.openRelay`,
      `turn.amplification`, and with TLS `tls.handshake` and `tls.certificate`. How each ended, with which code, and what it put out are
      compared; times, and ports and addresses that are given out by chance, are not. A fact that differs is a warning. With the versions of both,
      the advisories are told that only one of them is affected by.

      It is meant for two servers that `drill.boot` has booted from one backup with two programs. Both may be anywhere.
      """,
    effect: .observe, judges: true, deadline: .seconds(300),
    input: Record(
      Input.init,
      Field("before", \.before, .turnServer, "The server as it is."),
      Field("after", \.after, .turnServer, "The server as it would be."),
      Field("beforeVersion", \.beforeVersion, .optional(.string), "The version of the first, for advisories."),
      Field("afterVersion", \.afterVersion, .optional(.string), "The version of the second."),
      Field("tls", \.tls, .bool, default: true, "Whether they serve TLS.")
    ),
    output: Record(
      Output.init,
      Field(
        "differences", \.differences,
        .list(
          .record(
            Record(
              Difference.init,
              Field("probe", \.probe, .string, "The module that asked."),
              Field("fact", \.fact, .string, "What differs: `outcome`, `code`, or a field of its output."),
              Field("before", \.before, .string, "What the first does."),
              Field("after", \.after, .string, "What the second does.")
            ))), "Every fact that differs."),
      Field("same", \.same, .int, "How many facts are the same."),
      Field("closed", \.closed, .list(.string), "Advisories that only the first is affected by."),
      Field("opened", \.opened, .list(.string), "Advisories that only the second is affected by.")
    ),
    examples: [
      .init(
        "The new version opens nothing",
        with: "before: ${target}\nafter: ${target}\nbeforeVersion: 4.6.1\nafterVersion: 4.17.1",
        expect: ["output.opened.size() == 0"])
    ])

  package init() {}

  private static let probes = [
    STUNBinding.declaration.name, TURNAllocate.declaration.name, TURNRelay.declaration.name,
    TURNCredentials.declaration.name, TURNOpenRelay.declaration.name, TURNAmplification.declaration.name,
  ]
  private static let secureProbes = [TLSHandshakeModule.declaration.name, TLSCertificate.declaration.name]

  /// What chance gives out, or the network between.
  private static let byChance: Set = [
    "retransmissions", "reflexiveAddress", "reflexivePort", "relayedAddress", "relayedPort", "server", "passedOver",
    "received", "lost", "loss", "duplicates", "reordered", "nonce", "relayedAddresses", "throughput",
  ]

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    var output = Output(differences: [], same: 0, closed: [], opened: [])
    for name in Self.probes + (input.tls ? Self.secureProbes : []) {
      guard let module = Catalog.standard[name] else { continue }
      context.progress(name)
      let before = try await Self.facts(of: input.before, module, in: context)
      let after = try await Self.facts(of: input.after, module, in: context)
      for fact in Set(before.keys).union(after.keys).sorted() {
        let (old, new) = (before[fact] ?? "nothing", after[fact] ?? "nothing")
        if old == new {
          output.same += 1
        } else {
          output.differences.append(Difference(probe: name, fact: fact, before: old, after: new))
        }
      }
    }
    if let before = input.beforeVersion.flatMap({ CoturnVersion($0) }),
      let after = input.afterVersion.flatMap({ CoturnVersion($0) })
    {
      let (old, new) = (Advisory.affecting(before).map(\.id), Advisory.affecting(after).map(\.id))
      output.closed = old.filter { !new.contains($0) }
      output.opened = new.filter { !old.contains($0) }
    }
    return Self.finding(output).map { .warned(output, $0) } ?? .done(output)
  }

  private static let named = 4

  private static func finding(_ output: Output) -> Finding? {
    var sentences: [Sentence] = []
    let count = output.differences.count
    if count > 0 {
      let told = output.differences.prefix(named).map { "\($0.probe) \($0.fact): \($0.before), then \($0.after)" }
      let more = count > named ? "; and \(count - named) more" : ""
      sentences.append(
        "\(String(count)) \(count == 1 ? "fact differs" : "facts differ"): \(told.joined(separator: "; "))\(more).")
    }
    if !output.opened.isEmpty {
      sentences.append("The second server is affected by \(output.opened.joined(separator: ", ")).")
    }
    guard !sentences.isEmpty else { return nil }
    return Finding(
      "drill.behavesDifferently", sentences.joined,
      advice: "Look whether clients rely on what differs; the changes of the version say what is meant.")
  }

  /// How a probe ended and what it put out, by name. A probe that was interrupted tells nothing.
  private static func facts(
    of server: TURNServer, _ module: AnyStepModule, in context: StepContext
  ) async throws(StepError) -> [String: String] {
    do throws(StepError) {
      let result = try await module.run(.members([.init("server", TURNServer.record.encode(server))]), context)
      var facts = ["outcome": result.objection.map { "\($0.severity)" } ?? "pass"]
      if let code = result.objection?.finding.code { facts["code"] = code }
      guard case .members(let members) = result.output else { return facts }
      for member in members where !byChance.contains(member.name) {
        if let text = text(of: member.value) { facts[member.name] = text }
      }
      return facts
    } catch {
      if error.kind == .interrupted { throw error }
      return ["outcome": error.kind == .failed ? "fail" : "error", "code": error.finding.code]
    }
  }

  /// Nil for times, and for what is made of nothing else.
  private static func text(of value: Value) -> String? {
    switch value {
    case .null, .duration, .timestamp, .secret: nil
    case .members(let members):
      {
        let parts = members.filter { !byChance.contains($0.name) }.compactMap { member in
          text(of: member.value).map { "\(member.name) \($0)" }
        }
        return parts.isEmpty ? nil : parts.joined(separator: ", ")
      }()
    case .list(let values): values.isEmpty ? "none" : values.compactMap(text).joined(separator: "; ")
    default: value.plainText
    }
  }
}
