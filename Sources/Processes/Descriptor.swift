import CLinux
import Glibc

/// An open file descriptor with one owner, closed when the owner lets go of it. Always close-on-exec.
///
/// Its number is at least `lowest`: the numbers below belong to what a child inherits, and a parent whose own standard
/// streams are closed would otherwise be handed those numbers and overwrite one descriptor of the child by another.
package struct Descriptor: ~Copyable {
  static let lowest: Int32 = 64

  package let number: Int32

  /// Takes over `number`, the result of a system call that opens something.
  ///
  /// Throws `ProcessError.Code.system` where that call had failed (-1, with errno).
  package init(adopting number: Int32, from call: StaticString) throws(ProcessError) {
    guard number >= 0 else { throw ProcessError(systemCall: call) }
    guard number < Descriptor.lowest else {
      self.number = number
      return
    }
    let moved = runbook_duplicate_above(number, Descriptor.lowest)
    let reason = errno
    close(number)
    guard moved >= 0 else { throw ProcessError(systemCall: "fcntl", errno: reason) }
    self.number = moved
  }

  deinit {
    close(number)
  }

  /// Opens a file (open(2)); `O_CLOEXEC` is added to the flags.
  package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0) throws(ProcessError) -> Descriptor {
    try Descriptor(adopting: Glibc.open(path, flags | O_CLOEXEC, mode), from: "open")
  }

  /// A descriptor that becomes readable for good once somebody has written to it (eventfd(2)).
  static func event() throws(ProcessError) -> Descriptor {
    try Descriptor(adopting: runbook_event(), from: "eventfd")
  }

  /// A file in memory with no name anywhere, positioned at its start, that holds `bytes` (memfd_create(2)).
  static func memory(holding bytes: [UInt8]) throws(ProcessError) -> Descriptor {
    let file = try Descriptor(adopting: runbook_memory_file(), from: "memfd_create")
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { write(file.number, $0.baseAddress, $0.count) }
      guard written >= 0 || errno == EINTR else { throw ProcessError(systemCall: "write") }
      rest = rest.dropFirst(max(written, 0))
    }
    guard lseek(file.number, 0, SEEK_SET) == 0 else { throw ProcessError(systemCall: "lseek") }
    return file
  }
}

/// A pipe: what is written to `writeEnd` comes out of `readEnd`, whose reads never wait.
struct Pipe: ~Copyable {
  let readEnd: Descriptor
  let writeEnd: Descriptor

  static func open() throws(ProcessError) -> Pipe {
    var ends: [Int32] = [-1, -1]
    guard runbook_pipe(&ends) == 0 else { throw ProcessError(systemCall: "pipe2") }
    let writeEnd: Descriptor
    do throws(ProcessError) {
      writeEnd = try Descriptor(adopting: ends[1], from: "pipe2")
    } catch {
      close(ends[0])
      throw error
    }
    let readEnd = try Descriptor(adopting: ends[0], from: "pipe2")
    guard runbook_set_nonblocking(readEnd.number) == 0 else { throw ProcessError(systemCall: "fcntl") }
    return Pipe(readEnd: readEnd, writeEnd: writeEnd)
  }
}
