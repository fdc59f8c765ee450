import Addresses
import Language
import Probe
import Reports
import Schema

/// Looks at the targets of a project: whether they can be used, and whether they answer.
struct TargetLook: Sendable {
  let project: Project
  let isOffline: Bool
  let neededBy: [String]

  /// Of one question.
  private static let patience = Duration.seconds(3)
  /// How many servers are asked at a time.
  private static let width = 16

  func items() async -> [Diagnosis.Item] {
    guard !project.targetNames.isEmpty else { return [none] }
    var items: [Diagnosis.Item] = []
    var servers: [(name: String, uri: String, server: TURNServer)] = []
    for name in project.targetNames {
      let secrets = project.secrets(ofTarget: name)
      items += secrets.map { Diagnosis.Item(secret: $0, neededBy: [$0.range.place]) }
      do throws(Issues) {
        for server in try project.targets(selectedBy: name) {
          servers.append((name, server.uri, server))
          if let secure = server.tlsURI, secure != server.uri { servers.append((name, secure, server)) }
        }
      } catch {
        let others = error.all.filter { $0.code != "missing-secret" }
        items += others.map { issue in
          Diagnosis.Item(.target, name, .missing, issue.message, fix: issue.suggestion, neededBy: neededBy)
        }
      }
    }
    guard !isOffline else { return items }
    return items + (await asked(servers))
  }

  private var none: Diagnosis.Item {
    do throws(Issues) { _ = try project.targets(selectedBy: "all") } catch {
      if let issue = error.all.first {
        return .init(.target, "none", .missing, issue.message, fix: issue.suggestion, neededBy: neededBy)
      }
    }
    return .init(.target, "none", .missing, "the project has no target", neededBy: neededBy)
  }

  /// Asks every server, several at a time; the answers in the servers' order.
  private func asked(_ servers: [(name: String, uri: String, server: TURNServer)]) async -> [Diagnosis.Item] {
    await withTaskGroup(of: (index: Int, item: Diagnosis.Item).self) { group in
      var waiting = servers.enumerated().map { $0 }[...]
      var items: [(index: Int, item: Diagnosis.Item)] = []
      func startNext() {
        guard let (index, entry) = waiting.popFirst() else { return }
        group.addTask {
          let item = await look(at: entry.server, uri: entry.uri)
          return (index, item)
        }
      }
      for _ in 0..<Self.width { startNext() }
      while let item = await group.next() {
        items.append(item)
        startNext()
      }
      return items.sorted { $0.index < $1.index }.map(\.item)
    }
  }

  private func look(at target: TURNServer, uri: String) async -> Diagnosis.Item {
    guard let parsed = try? ServerURI(parsing: uri) else {
      return .init(.target, target.name, .unknown, "\(uri) is no URI of a server", neededBy: neededBy)
    }
    var server = ProbedServer(uri: parsed)
    server.tls.trustFile = target.ca
    if let certificate = target.certificate, let key = target.key {
      server.tls.clientCertificate = TLSOptions.ClientCertificate(chainFile: certificate, keyFile: key)
    }
    let binding = await Self.answer(of: server)
    guard case .failure(let failure) = binding else { return item(target, uri, "it answers") }
    // Some servers answer no Binding requests (coturn: no-stun); all answer an Allocate without credentials, with 401.
    if failure.code == .stunTimeout {
      let allocation = await Self.refusal(of: server)
      if allocation.map(Self.cameFromServer) ?? true { return item(target, uri, "it answers (TURN; no STUN)") }
    }
    return .init(
      .target, target.name, .missing, "\(uri): \(failure.message.withoutFullStop)",
      fix: failure.code == .nameNotFound
        ? "getent ahosts \(shellQuoted(parsed.host))"
        : "runbook probe \(parsed.scheme.isSecure ? "tls" : "turn") \(shellQuoted(uri))", neededBy: neededBy)
  }

  private func item(_ target: TURNServer, _ uri: String, _ reason: String) -> Diagnosis.Item {
    .init(.target, target.name, .ok, "\(uri): \(reason)", neededBy: neededBy)
  }

  private static func answer(of server: ProbedServer) async -> Result<BindingProbe.Report, ProbeFailure> {
    do throws(ProbeFailure) {
      let report = try await BindingProbe(server: server, requests: 1).run(deadline: patience)
      return .success(report)
    } catch { return .failure(error) }
  }

  /// How an allocation without credentials fails; nil if it is granted.
  private static func refusal(of server: ProbedServer) async -> ProbeFailure? {
    do throws(ProbeFailure) {
      _ = try await AllocateProbe(server: server).run(deadline: patience)
      return nil
    } catch { return error }
  }

  private static func cameFromServer(_ failure: ProbeFailure) -> Bool {
    failure.code != .turnTimeout && failure.code.rawValue.hasPrefix("turn.")
  }
}
