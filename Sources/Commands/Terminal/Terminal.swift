import Files
import Glibc
import Synchronization

/// One of the process's outputs, and what it can show.
package final class Terminal: Sendable {
  package static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
  package static let standardError = Terminal(descriptor: STDERR_FILENO)

  private let descriptor: Int32
  private let failure = Mutex<CInt?>(nil)

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// True where a person looks at it.
  package var isInteractive: Bool { isatty(descriptor) == 1 }

  /// True where colours are wanted: on a terminal, unless `NO_COLOR` is set (no-color.org) or `TERM` is `dumb`.
  package var hasColor: Bool {
    isInteractive && (environmentVariable("NO_COLOR") ?? "").isEmpty && environmentVariable("TERM") != "dumb"
  }

  /// The number of columns; 80 where nobody says.
  package var width: Int {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  /// The number of columns for a page of text: the terminal's where a person looks, else 80.
  package var pageWidth: Int { isInteractive ? width : 80 }

  /// Writes the whole text. Once a write has failed (a closed pipe, a terminal that hung up), later texts are dropped and
  /// ``loss`` says why: a reader that goes away must not stop a run.
  package func write(_ text: String) {
    failure.withLock { failure in
      guard failure == nil else { return }
      do throws(FileError) { try writeAll(Array(text.utf8), to: descriptor, "the output") } catch {
        failure = error.number
      }
    }
  }

  /// Why something that was written is lost; nil where nothing is, and where the reader went away because it had enough.
  package var loss: String? {
    failure.withLock { $0 }.flatMap { $0 == EPIPE ? nil : String(cString: strerror($0)) }
  }
}

/// The value of a variable of the process's environment; nil where it is not set.
func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
