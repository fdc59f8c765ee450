@testable import Probe

/// What a probe's failure is explained as, after the second look at the server.
func explanation(
  of server: Server, _ probe: (Server) async throws(ProbeFailure) -> Void
) async throws -> ProbeFailure {
  do throws(ProbeFailure) {
    try await probe(server)
  } catch {
    return await error.explained(on: server, deadline: .seconds(2))
  }
  throw NothingFailed()
}

/// Asks for an allocation, for no longer than silence takes to be one.
func allocate(_ server: Server) async throws(ProbeFailure) {
  _ = try await AllocateProbe(server: server).run(deadline: .milliseconds(1200))
}

struct NothingFailed: Error {}
