import Files
import Glibc

// What tests of `Files` have another process do. Says on standard output when it has got somewhere; what does not end then waits
// to be killed.
//
//   FilesProbe begin PATH       writes aside what PATH is to hold, and never puts it in place
//   FilesProbe write PATH       puts a file in place, and ends
//   FilesProbe rewrite PATH     puts 1 MiB of a, then 1 MiB of b, then of a … in place
//   FilesProbe lock PATH        holds the lock of a file
//   FilesProbe lock-folder PATH holds the lock of a folder
//   FilesProbe copy BYTES       writes so many bytes to standard output while a timer interrupts it

let (task, argument) = (CommandLine.arguments[1], CommandLine.arguments[2])

func say(_ text: String) {
  do throws(FileError) { try writeAll(Array((text + "\n").utf8), to: STDOUT_FILENO, "standard output") } catch {
    exit(3)
  }
}

func waitForever() -> Never {
  while true { pause() }
}

/// Interrupts system calls for as long as the process lives: the handler does nothing, and calls are not restarted.
func interruptOften() {
  var action = sigaction()
  action.__sigaction_handler.sa_handler = { _ in }
  sigaction(SIGALRM, &action, nil)
  let often = timeval(tv_sec: 0, tv_usec: 200)
  var timer = itimerval(it_interval: often, it_value: often)
  setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &timer, nil)
}

do throws(FileError) {
  switch task {
  case "begin":
    let pending = try PendingFile(
      lastName(of: argument), in: Folder(parentFolder(of: argument)), Permissions(0o600))
    try pending.file.write(Array("half".utf8))
    withExtendedLifetime(pending) {
      say("written")
      waitForever()
    }
  case "write":
    try File.writeWhole(Array("whole".utf8), to: argument, Permissions(0o600))
    say("done")
  case "rewrite":
    say("begun")
    while true {
      for letter in ["a", "b"] {
        try File.writeWhole(
          Array(repeating: UInt8(ascii: letter.unicodeScalars.first ?? "a"), count: 1 << 20), to: argument,
          Permissions(0o600))
      }
    }
  case "lock":
    let file = try File.openOrCreate(argument, O_RDWR, Permissions(0o600))
    try file.lock()
    withExtendedLifetime(file) {
      say("locked")
      waitForever()
    }
  case "lock-folder":
    let folder = try Folder(argument)
    try folder.lock()
    withExtendedLifetime(folder) {
      say("locked")
      waitForever()
    }
  case "copy":
    interruptOften()
    try writeAll(Array(repeating: 0x78, count: Int(argument) ?? 0), to: STDOUT_FILENO, "standard output")
  default: exit(2)
  }
} catch {
  say(error.message)
  exit(1)
}
