import STUN

/// Finds out whether a server is draining: it still answers, and gives no new allocations.
package struct DrainProbe: Sendable {
  package var server: ProbedServer

  package init(server: ProbedServer) { self.server = server }

  package struct Report: Sendable {
    /// Whether Allocate with good credentials is refused with 403 while Binding is answered, by what may be coturn.
    package let isDraining: Bool
    /// What the refusal said; nil if the allocation was granted.
    package let refusal: ProbeFailure?
    package let software: String?
  }

  /// Runs the probe.
  ///
  /// - Throws: `ProbeFailure` for what is neither a grant nor a 403 of what may be coturn: then nothing can be said. Other programs do
  ///   not drain, and mean something else by 403.
  package func run(
    deadline: Duration, progress: @escaping ProbeProgress = { _ in }
  ) async throws(ProbeFailure) -> Report {
    let end = Instant.now + deadline
    progress("asking whether it answers at all")
    let binding = try await BindingProbe(server: server, requests: 1).run(deadline: deadline)
    progress("asking for an allocation")
    do throws(ProbeFailure) {
      let granted = try await AllocateProbe(server: server).run(deadline: max(.milliseconds(1), end - .now))
      return Report(isDraining: false, refusal: nil, software: granted.software ?? binding.software)
    } catch {
      guard error.code == .forbidden, error.program.mayBeCoturn else { throw error }
      return Report(isDraining: true, refusal: error, software: binding.software)
    }
  }
}
