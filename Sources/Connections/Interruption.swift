import CLinux
import Glibc

/// A wish to stop, which a thread that waits with poll(2) hears of at once.
package final class Interruption: Sendable {
  /// Readable once the wish was announced; -1 if the system had no descriptor to give.
  package let descriptor: Int32

  package init() { descriptor = runbook_event() }

  deinit { if descriptor >= 0 { close(descriptor) } }

  package func announce() { if descriptor >= 0 { runbook_event_announce(descriptor) } }
}
