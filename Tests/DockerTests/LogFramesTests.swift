import Docker
import Testing

/// The output of containers, taken apart.
@Suite struct LogFramesTests {
  private func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
    let length = UInt32(text.utf8.count)
    return [stream, 0, 0, 0] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      + Array(text.utf8)
  }

  private func read(_ bytes: [UInt8], hasTerminal: Bool = false, piece: Int) -> (
    frames: LogFrames, out: String, err: String
  ) {
    var frames = LogFrames(hasTerminal: hasTerminal)
    var (out, err): ([UInt8], [UInt8]) = ([], [])
    for start in stride(from: 0, to: bytes.count, by: piece) {
      frames.take(Array(bytes[start..<min(start + piece, bytes.count)])) { stream, text in
        if stream == .standardOutput { out += text } else { err += text }
      }
    }
    return (frames, String(decoding: out, as: UTF8.self), String(decoding: err, as: UTF8.self))
  }

  @Test("Frames are told apart wherever they are cut", arguments: [1, 2, 7, 8, 9, 1000])
  func frames(piece: Int) {
    let bytes = frame(1, "one\n") + frame(2, "two\n") + frame(1, "") + frame(1, "three\n")
    let read = read(bytes, piece: piece)
    #expect(read.out == "one\nthree\n")
    #expect(read.err == "two\n")
    #expect(read.frames.isWhole)
  }

  @Test(
    "A terminal's text is kept whole, also where it looks like a frame, and its line ends become a file's",
    arguments: [1, 3, 1000])
  func terminal(piece: Int) {
    let text = "\u{1}\0\0\0\0\0\0\u{3}hi\r\nprogress 1\rprogress 2\r\n\r\n"
    let read = read(Array(text.utf8), hasTerminal: true, piece: piece)
    #expect(read.out == "\u{1}\0\0\0\0\0\0\u{3}hi\nprogress 1\rprogress 2\n\n")
    #expect(read.frames.isWhole)
  }

  @Test("A frame that is cut off, and what is none, are no whole output")
  func cut() {
    #expect(!read(Array(frame(1, "one\n").dropLast()), piece: 100).frames.isWhole)
    #expect(!read(Array(frame(1, "one\n").prefix(5)), piece: 100).frames.isWhole)
    #expect(read(Array("plain text\n".utf8), piece: 100).frames.isMalformed)
  }

  @Test("What the engine itself says went wrong is no line of the container")
  func failure() {
    let read = read(frame(1, "one\n") + frame(3, "error grabbing logs: unexpected EOF"), piece: 5)
    #expect(read.out == "one\n")
    #expect(read.frames.failure.map { String(decoding: $0, as: UTF8.self) } == "error grabbing logs: unexpected EOF")
  }
}
