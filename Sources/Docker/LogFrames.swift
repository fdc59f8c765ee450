/// Takes what an engine sends of a container's output apart.
///
/// The output of a container with a terminal comes as it is. That of any other comes in frames of an eight-byte head (stream, three zeros, length
/// in network order) and the text. Which of the two it is says `Config.Tty`, and never the bytes: text may look like a frame.
package struct LogFrames: Sendable {
  package enum Stream: Sendable {
    case standardOutput
    case standardError
  }

  private let hasTerminal: Bool
  private var head: [UInt8] = []
  private var rest = 0
  private var stream = Stream.standardOutput
  private var endedWithReturn = false
  /// What the engine itself says went wrong, in the middle of the log.
  package private(set) var failure: [UInt8]?
  private var isFailure = false
  /// Whether what came is no sequence of frames.
  package private(set) var isMalformed = false

  package init(hasTerminal: Bool) { self.hasTerminal = hasTerminal }

  /// Whether the last frame came to its end.
  package var isWhole: Bool { head.isEmpty && rest == 0 && !isMalformed }

  /// Takes the next bytes, however they are cut; calls back with the text in them. A terminal's line ends become those of a file.
  package mutating func take(_ bytes: [UInt8], _ text: (Stream, ArraySlice<UInt8>) -> Void) {
    guard !isMalformed else { return }
    guard !hasTerminal else { return takeTerminal(bytes, text) }
    var bytes = bytes[...]
    while !bytes.isEmpty {
      if rest == 0 {
        let missing = bytes.prefix(8 - head.count)
        head += missing
        bytes = bytes.dropFirst(missing.count)
        guard head.count == 8 else { return }
        guard head[0] <= 3, head[1...3].allSatisfy({ $0 == 0 }) else {
          isMalformed = true
          return
        }
        isFailure = head[0] == 3
        stream = head[0] == 2 ? .standardError : .standardOutput
        rest = head[4...].reduce(0) { $0 << 8 | Int($1) }
        head = []
      }
      let part = bytes.prefix(rest)
      rest -= part.count
      bytes = bytes.dropFirst(part.count)
      if isFailure { failure = (failure ?? []) + part } else if !part.isEmpty { text(stream, part) }
    }
  }

  private mutating func takeTerminal(_ bytes: [UInt8], _ text: (Stream, ArraySlice<UInt8>) -> Void) {
    var plain: [UInt8] = []
    plain.reserveCapacity(bytes.count + 1)
    for byte in bytes {
      if endedWithReturn, byte != 0x0A { plain.append(0x0D) }
      endedWithReturn = byte == 0x0D
      if byte != 0x0D { plain.append(byte) }
    }
    if !plain.isEmpty { text(.standardOutput, plain[...]) }
  }
}
