import CLinux
import Glibc
import Processes
import Schema
import Steps

/// The network that a process sees: interfaces, sockets and settings of its own.
enum NetworkNamespace {
  /// Does `body` on a thread that has the network of a process; in our own without one.
  ///
  /// Throws `broken` if this user may not enter it, and what `body` throws.
  static func inside<R: Sendable>(
    _ process: ProcessFacts?, _ body: @escaping @Sendable () throws(StepError) -> R
  ) async throws(StepError) -> R {
    try await onBlockingThread { () throws(StepError) -> R in
      guard let process, !isOwn(process) else { return try body() }
      let own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
      let other = open("\(process.folder)/ns/net", O_RDONLY | O_CLOEXEC)
      defer { for descriptor in [own, other] where descriptor >= 0 { close(descriptor) } }
      guard own >= 0, other >= 0, runbook_enter_network(other) == 0 else {
        throw .broken(
          "host.namespaceClosed",
          "this user may not enter the network of \(process.title): \(String(errorNumber: errno))",
          advice: "Run this as root of the host.")
      }
      // Should there have been no thread to give, this one goes on with something else.
      defer { runbook_enter_network(own) }
      return try body()
    }
  }

  /// Whether a process has our own network; false if that cannot be told.
  private static func isOwn(_ process: ProcessFacts) -> Bool {
    let own = linkTarget("/proc/thread-self/ns/net")
    return own != nil && own == linkTarget("\(process.folder)/ns/net")
  }

  /// The process whose network is meant: all that fit must share one.
  static func process(of choice: ProcessChoice?) throws(StepError) -> ProcessFacts? {
    guard let choice else { return nil }
    if let objection = choice.objection { throw StepError(.notStarted, objection) }
    let found = try choice.running()
    let networks = Set(found.map { linkTarget("\($0.folder)/ns/net") })
    guard networks.count == 1 else {
      throw .broken(
        "host.severalNetworks",
        "the processes \(choice.title) have networks of their own: \(found.map(\.title).joined(separator: ", "))",
        advice: "Give `pid`, and look at each.")
    }
    return found.first
  }
}
