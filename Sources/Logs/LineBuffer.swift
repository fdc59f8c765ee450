import CLinux
import Glibc

/// Cuts a stream of bytes into blocks of whole lines, with memory that stays flat.
///
/// NUL bytes, which a log that was truncated under its writer begins with, are left out and counted; within a line they count
/// as a blank. A line that is longer than the buffer is cut there and counted.
struct LineBuffer: ~Copyable {
  static let capacity = 1 << 20

  private let storage = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.capacity, alignment: 64)
  /// Bytes at the start that hold the beginning of a line.
  private var filled = 0
  /// True while the rest of a line that was cut is passed over.
  private var isSkipping = false
  private(set) var nulBytes = 0
  private(set) var cutLines = 0

  deinit { storage.deallocate() }

  /// Lets `fill` put bytes into the free space; it gives how many. Then calls back with the whole lines there are, each
  /// with its line feed. Gives what `fill` gave.
  mutating func take(
    _ fill: (UnsafeMutableRawBufferPointer) throws -> Int, _ lines: (UnsafeRawBufferPointer) -> Void
  ) rethrows -> Int {
    let count = try fill(UnsafeMutableRawBufferPointer(rebasing: storage[filled...]))
    let kept = withoutNULs(UnsafeMutableRawBufferPointer(rebasing: storage[filled..<filled + count]))
    var start = 0
    if isSkipping {
      guard let end = lineFeed(from: 0, to: kept) else { return count }
      isSkipping = false
      start = end + 1
    }
    let end = filled + kept
    guard let last = lastLineFeed(from: max(start, filled), to: end) else {
      if start > 0 { keep(from: start, to: end) } else { filled = end }
      if filled == storage.count { cut(lines) }
      return count
    }
    lines(UnsafeRawBufferPointer(rebasing: storage[start...last]))
    keep(from: last + 1, to: end)
    return count
  }

  /// Calls back with a last line that has no line feed.
  mutating func finish(_ lines: (UnsafeRawBufferPointer) -> Void) {
    if filled > 0 { lines(UnsafeRawBufferPointer(rebasing: storage[..<filled])) }
    filled = 0
    isSkipping = false
  }

  private mutating func keep(from start: Int, to end: Int) {
    if end > start, let base = storage.baseAddress { memmove(base, base + start, end - start) }
    filled = end - start
  }

  private mutating func cut(_ lines: (UnsafeRawBufferPointer) -> Void) {
    lines(UnsafeRawBufferPointer(rebasing: storage[..<filled]))
    cutLines += 1
    filled = 0
    isSkipping = true
  }

  /// Closes the gaps that NULs leave; gives how many bytes remain. Within a line a blank stays in their place: two words that
  /// they part do not become one.
  private mutating func withoutNULs(_ bytes: UnsafeMutableRawBufferPointer) -> Int {
    guard let base = bytes.baseAddress, !bytes.isEmpty, let first = memchr(base, 0, bytes.count) else {
      return bytes.count
    }
    var kept = base.distance(to: first)
    var index = kept
    while index < bytes.count {
      let start = index
      while index < bytes.count, bytes[index] == 0 { index += 1 }
      nulBytes += index - start
      if index > start, !isLineStart(kept, in: bytes) {
        bytes[kept] = 0x20
        kept += 1
      }
      let end =
        index < bytes.count
        ? memchr(base + index, 0, bytes.count - index).map { base.distance(to: $0) } ?? bytes.count : index
      memmove(base + kept, base + index, end - index)
      kept += end - index
      index = end
    }
    return kept
  }

  /// Whether a line begins at a place of bytes that stand behind what the buffer holds.
  private func isLineStart(_ place: Int, in bytes: UnsafeMutableRawBufferPointer) -> Bool {
    if place > 0 { return bytes[place - 1] == 0x0A }
    return filled == 0 && !isSkipping
  }

  private func lineFeed(from start: Int, to end: Int) -> Int? {
    guard let base = storage.baseAddress, end > start else { return nil }
    return memchr(base + start, 0x0A, end - start).map { base.distance(to: $0) }
  }

  private func lastLineFeed(from start: Int, to end: Int) -> Int? {
    guard let base = storage.baseAddress, end > start else { return nil }
    return runbook_last_byte(base + start, 0x0A, end - start).map { UnsafeRawPointer(base).distance(to: $0) }
  }
}
