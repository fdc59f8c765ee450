import Files
import Glibc
import Reports
import Synchronization
package import TerminalText

/// One of the process's outputs, and what it can show.
package final class Terminal: Sendable {
  package static let standardOutput = Terminal(descriptor: STDOUT_FILENO)
  package static let standardError = Terminal(descriptor: STDERR_FILENO)

  private let descriptor: Int32
  private let failure = Mutex<CInt?>(nil)

  private init(descriptor: Int32) { self.descriptor = descriptor }

  /// What it can show now.
  package var look: TerminalLook { TerminalLook(of: descriptor, variable: environmentVariable) }

  package var isInteractive: Bool { look.isInteractive }
  package var hasColor: Bool { look.hasColor }
  package var width: Int { look.width }
  package var pageWidth: Int { look.pageWidth }

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

  /// Why something that was written is lost; nil if nothing is, and where the reader went away because it had enough.
  package var loss: String? {
    failure.withLock { $0 }.flatMap { $0 == EPIPE ? nil : String(cString: strerror($0)) }
  }
}

/// The value of a variable of the process's environment; nil if it is not set.
func environmentVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

extension Style {
  /// As a terminal can show it; plain, and 100 columns wide, if nobody looks.
  init(terminal: Terminal) {
    self.init(
      isColored: terminal.hasColor, width: terminal.isInteractive ? terminal.width : 100,
      offset: localOffset(at:))
  }

  /// For tables of which nothing may be lost; a terminal breaks their longest lines.
  static var uncut: Style { Style(isColored: Terminal.standardOutput.hasColor, width: .max) }

  /// For files.
  static var plain: Style { Style(isColored: false, width: 100, offset: localOffset(at:)) }
}
