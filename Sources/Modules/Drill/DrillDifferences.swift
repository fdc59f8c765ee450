import Coturn
package import Journal
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
    "Asks two servers the same things, and lists what differs and which known vulnerabilities close or open.",
    discussion: """
      Every probe of the matrix asks both: `stun.binding`, `turn.allocate`, `turn.relay`, `turn.credentials`, `turn.openRelay`,
      `turn.amplification`, and with TLS `tls.handshake` and `tls.certificate`. How each ended, with which code, and what it put out are
      compared; times, and ports and addresses that are given out by chance, are not. If a probe puts nothing out of one of them, how it ended is
      all that is told. A fact that differs is a warning. With the versions of both, the advisories are told that only one of them is affected by;
      those that close are a warning too, since the first server has them.

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
              Field("fact", \.fact, .string, "What differs: `outcome`, or a field of its output."),
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
  /// If these fail, nearly all of the others do.
  private static let needed = [STUNBinding.declaration.name, TURNAllocate.declaration.name]
  private static let secureProbes = [TLSHandshakeModule.declaration.name, TLSCertificate.declaration.name]

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    let unread = [input.beforeVersion, input.afterVersion].compactMap(\.self).first { CoturnVersion($0) == nil }
    return unread.map {
      Finding(
        "drill.noVersion", "\($0) is not a version of coturn.", advice: "Write it as turnserver --version does: 4.6.1.")
    }
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    var output = Output(differences: [], same: 0, closed: [], opened: [])
    for name in Self.probes + (input.tls ? Self.secureProbes : []) {
      guard let module = Catalog.standard[name] else { continue }
      context.progress(name)
      let before = try await Self.answer(of: input.before, module, in: context)
      let after = try await Self.answer(of: input.after, module, in: context)
      // What was asked of neither, and a credential that is wrong for both, compare nothing.
      if before.isError && after.isError || before.isFailure && after.isFailure && Self.needed.contains(name) {
        throw .broken(
          "drill.notCompared", "\(name) got nothing from either server: \(before.ending).",
          advice: "Look at the target's credentials, and give the step more time.")
      }
      for (fact, old, new) in before.compared(with: after) {
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

  private static func finding(_ output: Output) -> Finding? {
    var sentences: [Sentence] = []
    for (probes, difference) in grouped(output.differences) {
      let fact = difference.fact == "outcome" ? "" : " \(difference.fact)"
      sentences.append("\(probes)\(fact): \(difference.before), then \(difference.after).")
    }
    if !output.opened.isEmpty {
      sentences.append("Only the second server is affected by \(output.opened.joined(separator: ", ")).")
    }
    if !output.closed.isEmpty {
      sentences.append("Only the first server is affected by \(output.closed.joined(separator: ", ")).")
    }
    guard !sentences.isEmpty else { return nil }
    guard output.differences.isEmpty, output.opened.isEmpty else {
      return Finding(
        "drill.behavesDifferently", sentences.joined,
        advice: "Look whether clients rely on what differs; the changes of the version say what is meant.")
    }
    return Finding(
      "drill.closesAdvisories", sentences.joined,
      advice: "No probe found another difference.")
  }

  /// The differences, those of several probes that are the same told once.
  private static func grouped(_ differences: [Difference]) -> [(probes: String, Difference)] {
    var groups: [(probes: [String], difference: Difference)] = []
    for difference in differences {
      let place = groups.firstIndex {
        ($0.difference.fact, $0.difference.before, $0.difference.after)
          == (difference.fact, difference.before, difference.after)
      }
      if let place {
        groups[place].probes.append(difference.probe)
      } else {
        groups.append(([difference.probe], difference))
      }
    }
    return groups.map { ($0.probes.joined(separator: ", "), $0.difference) }
  }

  /// Asks one of the servers. A probe has as long as it would have as a step of its own.
  private static func answer(
    of server: TURNServer, _ module: AnyStepModule, in context: StepContext
  ) async throws(StepError) -> ProbeAnswer {
    let own = StepContext(
      run: context.run, path: context.path, attempt: context.attempt, idempotencyKey: context.idempotencyKey,
      deadline: min(context.deadline, .now + module.deadline), services: context.services, progress: context.progress)
    do throws(StepError) {
      let result = try await module.run(.members([.init("server", TURNServer.record.encode(server))]), own)
      return ProbeAnswer(
        outcome: result.objection.map { "\($0.severity)" } ?? "pass", finding: result.objection?.finding,
        output: result.output)
    } catch {
      if error.kind == .interrupted, Task.isCancelled { throw error }
      return ProbeAnswer(outcome: error.kind == .failed ? "fail" : "error", finding: error.finding, output: nil)
    }
  }
}
