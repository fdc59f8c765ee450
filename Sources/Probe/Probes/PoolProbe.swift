import STUN
import Schema

/// Asks several servers for an allocation at once, and says which work, in the order given and by round trip.
package struct PoolProbe: Sendable {
  /// In the order in which clients fail over.
  package var servers: [ProbedServer]

  package init(servers: [ProbedServer]) { self.servers = servers }

  package struct Member: Sendable {
    /// The place in the order given, from 0.
    package let position: Int
    package let uri: String
    package let result: Result<AllocateProbe.Report, ProbeFailure>

    package var isWorking: Bool { if case .success = result { true } else { false } }
    /// Of the granted request; nil if it failed or was sent more than once.
    package var rtt: Duration? { try? result.get().rtt }
  }

  package struct Report: Sendable {
    /// In the order given.
    package let members: [Member]
    /// Those that work, the fastest first.
    package var ranking: [Member] {
      members.filter(\.isWorking).sorted { ($0.rtt ?? .seconds(3600)) < ($1.rtt ?? .seconds(3600)) }
    }
    /// The one that a client takes which tries them in order.
    package var firstWorking: Member? { members.first(where: \.isWorking) }
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` only for an empty list; servers that fail are in the report.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    guard !servers.isEmpty else {
      throw ProbeFailure(.invalidInput, "The pool has no servers.", advice: "Name at least one.")
    }
    let members = await withTaskGroup(of: Member.self, returning: [Member].self) { group in
      for (position, server) in servers.enumerated() {
        group.addTask {
          let result: Result<AllocateProbe.Report, ProbeFailure>
          do throws(ProbeFailure) {
            let report = try await AllocateProbe(server: server).run(deadline: deadline)
            result = .success(report)
          } catch {
            result = .failure(error)
          }
          return Member(position: position, uri: "\(server.uri)", result: result)
        }
      }
      var members: [Member] = []
      for await member in group {
        members.append(member)
        progress("\(members.count) of \(servers.count) servers have shown whether they work")
      }
      return members.sorted { $0.position < $1.position }
    }
    return Report(members: members)
  }
}
