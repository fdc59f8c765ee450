import CLinux
import Glibc

/// What this process was given by whoever started it.
package enum OwnProcess {
  /// The arguments behind the program's name, as C's `main` gets them. Swift's `CommandLine` reads /proc in their place, and
  /// has none if a container hides it.
  package static var arguments: [[UInt8]] {
    var vector: UnsafePointer<UnsafeMutablePointer<CChar>?>?
    let count = Int(runbook_arguments(&vector))
    guard let vector, count > 1 else { return [] }
    return (1..<count).compactMap { index in
      vector[index].map { Array(UnsafeBufferPointer(start: $0, count: strlen($0))).map(UInt8.init(bitPattern:)) }
    }
  }

  /// Whether /proc shows this process. Dispatch, which runs Swift's tasks, traps sooner or later where it does not.
  package static var hasProc: Bool { access("/proc/\(getpid())/stat", R_OK) == 0 }

  /// The PID namespace in which process numbers count for us, as `/proc/self/ns/pid` names it; nil if the kernel does not
  /// tell.
  package static var pidNamespace: String? { linkTarget("/proc/self/ns/pid") }

  /// Puts something in the place of standard input, output and error that are closed, or else the next file that is opened,
  /// a journal perhaps, would be written to by whoever means standard output. What is put there can be neither read nor
  /// written, so that who tries is told.
  ///
  /// - Throws: `ProcessError` if there is no `/dev/null`.
  package static func fillClosedDescriptors() throws(ProcessError) {
    for (descriptor, flags) in [(STDIN_FILENO, O_WRONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_RDONLY)]
    where fcntl(descriptor, F_GETFD) < 0 {
      // The lowest number that is free: this one.
      guard open("/dev/null", flags) == descriptor else {
        throw ProcessError(.system, "descriptor \(descriptor) is closed, and /dev/null cannot be opened")
      }
    }
  }
}
