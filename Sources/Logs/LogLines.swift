import CLinux
import Glibc
package import Schema

/// What `LogFiles` gives its sources to, one after the other.
package protocol LogSink: AnyObject, SendableMetatype {
  /// Begins with a source.
  ///
  /// - Parameters:
  ///   - reference: when it was last written; now for what goes on.
  ///   - tail: how it ends, as far as `LogFiles.tailLength`; empty for what is no plain file.
  func begin(reference: Timestamp, tail: [UInt8])
  /// Lets `fill` put bytes into a buffer; it gives how many. Gives what `fill` gave.
  func take(_ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int
  /// Ends a source: its last line may have no line feed.
  func end()
}

extension LogSink {
  /// Takes bytes that somebody else read.
  package func take(_ bytes: UnsafeRawBufferPointer) {
    var rest = bytes
    while !rest.isEmpty {
      let count = take { space in
        let part = rest.prefix(space.count)
        space.copyBytes(from: part)
        return part.count
      }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
    }
  }
}

/// Cuts sources into whole lines for a reader that looks at each of them, with memory that stays flat.
///
/// NUL bytes at a line's start are left out, others count as a blank; a line of more than a mebibyte is cut there.
package final class LogLines: LogSink {
  /// Lines, bytes, NUL bytes and cut lines of all the sources so far.
  package private(set) var account = LogAccount()
  /// Lines of the source that was begun last.
  package private(set) var linesOfSource = 0

  private var buffer = LineBuffer()
  private let begins: (Timestamp, [UInt8]) -> Void
  private let reads: (UnsafeRawBufferPointer) -> Int

  /// - Parameters:
  ///   - begins: is told when a source begins: when it was last written, and how it ends.
  ///   - reads: gets whole lines, each with its line feed but for a source's last; gives how many they are, which it sees
  ///     anyway.
  package init(begins: @escaping (Timestamp, [UInt8]) -> Void, reads: @escaping (UnsafeRawBufferPointer) -> Int) {
    self.begins = begins
    self.reads = reads
  }

  package func begin(reference: Timestamp, tail: [UInt8] = []) {
    linesOfSource = 0
    begins(reference, tail)
  }

  package func take(_ fill: (UnsafeMutableRawBufferPointer) throws -> Int) rethrows -> Int {
    let count = try buffer.take(fill) { read($0) }
    account.bytes += count
    return count
  }

  package func end() {
    buffer.finish { read($0) }
    account.cutLines = buffer.cutLines
    account.nulBytes = buffer.nulBytes
  }

  private func read(_ block: UnsafeRawBufferPointer) {
    let count = reads(block)
    account.lines += count
    linesOfSource += count
  }

  /// How many lines there are; the last may have no line feed.
  static func count(_ block: UnsafeRawBufferPointer) -> Int {
    guard let base = block.baseAddress, !block.isEmpty else { return 0 }
    return runbook_count_bytes(base, 0x0A, block.count) + (block.last == 0x0A ? 0 : 1)
  }
}
