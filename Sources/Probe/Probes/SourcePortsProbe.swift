package import Addresses
import Schema

/// Asks a STUN server from many source ports at once.
///
/// The kernel chooses between several servers on one port by the client's address and port: one answer proves that one of them
/// answers, and many prove that whoever gets clients does.
package struct SourcePortsProbe: Sendable {
  package var server: ProbedServer
  /// From how many ports it is asked.
  package var ports: Int
  /// How long each waits for its answer.
  package var patience: Duration

  package init(server: ProbedServer, ports: Int, patience: Duration) {
    self.server = server
    self.ports = ports
    self.patience = patience
  }

  package struct Report: Sendable {
    /// Where the answers came from; nil if there is none.
    package var server: TransportAddress?
    /// The ports that got an answer, each once.
    package var answered: Set<UInt16> = []
    /// Why the others got none.
    package var failures: [ProbeFailure] = []
    package var asked: Int { answered.count + failures.count }
  }

  /// Runs the probe. A port that the kernel gives twice counts once, and another one is asked in its place.
  package func run(progress: @escaping ProbeProgress = { _ in }) async -> Report {
    var report = Report()
    for _ in 0..<Self.rounds where report.asked < ports {
      await ask(ports - report.asked, into: &report)
      progress("\(report.answered.count) of \(ports) source ports were answered")
    }
    return report
  }

  /// The kernel gives a port twice only after it was closed: the second round is hardly ever needed.
  private static let rounds = 4

  private func ask(_ count: Int, into report: inout Report) async {
    await withTaskGroup(of: Result<BindingProbe.Report, ProbeFailure>.self) { group in
      for _ in 0..<count {
        group.addTask {
          let result: Result<BindingProbe.Report, ProbeFailure>
          do throws(ProbeFailure) {
            let report = try await BindingProbe(server: server, requests: 1).run(deadline: patience)
            result = .success(report)
          } catch {
            result = .failure(error)
          }
          return result
        }
      }
      for await result in group {
        switch result {
        case .success(let answer):
          report.server = answer.server
          if let port = answer.localAddress?.port { report.answered.insert(port) }
        case .failure(let failure): report.failures.append(failure)
        }
      }
    }
  }
}
