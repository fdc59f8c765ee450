import Glibc

/// This host's name, as the kernel has it; `unknown` if it cannot be had.
package func hostName() -> String {
  withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
    guard let start = buffer.baseAddress, gethostname(start, buffer.count - 1) == 0 else { return "unknown" }
    buffer[buffer.count - 1] = 0
    return String(cString: start)
  }
}
