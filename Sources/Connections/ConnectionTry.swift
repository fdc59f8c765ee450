package import Addresses
import CLinux
import Glibc

/// How one address took the wish to connect.
package enum ConnectionAnswer: String, Hashable, Sendable, CaseIterable {
  /// The connection came about.
  case connected
  /// It was refused: nobody listens there, or a firewall says so.
  case refused
  /// Nothing came back in time.
  case silent
  /// There is no way there: no route, or a host or network that a router reports as unreachable.
  case unreachable
  /// Another address answered first.
  case passedOver
  /// Our own side could not try, or the network gave another reason.
  case failed
}

/// One address that was tried.
package struct ConnectionTry: Hashable, Sendable {
  package let address: TransportAddress
  package let answer: ConnectionAnswer
  /// The error's number, errno(3); nil without one.
  package let errorNumber: Int32?
  /// From the wish to connect until the answer, or until it was no longer waited for.
  package let elapsed: Duration
}

/// A wish to stop, which a thread that waits with poll(2) hears of at once.
package final class StopSignal: Sendable {
  /// Readable once the wish was announced; -1 if the system had no descriptor to give.
  package let descriptor: Int32

  package init() { descriptor = runbook_event() }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func announce() { if descriptor >= 0 { runbook_event_announce(descriptor) } }
}
