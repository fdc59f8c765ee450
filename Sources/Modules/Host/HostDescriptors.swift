import Glibc
package import Journal
import Processes
import Schema
package import Steps

/// How many descriptors are open, of those that may be.
package struct HostDescriptors: StepModule {
  package struct Input: Hashable, Sendable {
    package var process: ProcessChoice?
  }

  package struct Use: Hashable, Sendable {
    package var pid: Int
    package var name: String
    package var open: Int
    package var limit: Int?
    package var used: Double?
  }

  package struct Output: Hashable, Sendable {
    package var open: Int
    package var maximum: Int
    package var used: Double
    package var processes: [Use]
    package var highest: Double?
  }

  private static let use = Record(
    Use.init,
    Field("pid", \.pid, .int, "Its number."),
    Field("name", \.name, .string, "What it calls itself."),
    Field("open", \.open, .int, "Files, sockets and other descriptors that it has open."),
    Field("limit", \.limit, .optional(.int), "How many it may have open; absent without a limit."),
    Field("used", \.used, .optional(.percent), "The part of its limit that is used.")
  )

  package static let declaration = ModuleDeclaration(
    "host.descriptors",
    "How many descriptors are open, on the host and in a service's processes, of those that may be.",
    discussion: """
      A TURN server needs a socket for each allocation, and refuses clients when it may have no more. The limit is that of the
      running process, not of a shell. The host's figures are the kernel's (`/proc/sys/fs/file-nr`), in a container too.
      """,
    effect: .observe, judges: false, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field(
        "process", \.process, .optional(.record(ProcessChoice.record)),
        "The service's processes; without it only the host is looked at.")
    ),
    output: Record(
      Output.init,
      Field("open", \.open, .int, "Files and sockets that are open on the host."),
      Field("maximum", \.maximum, .int, "How many may be open on the host."),
      Field("used", \.used, .percent, "The part of that which is used."),
      Field("processes", \.processes, .list(.record(use)), "Each process of the service."),
      Field("highest", \.highest, .optional(.percent), "The largest used part among the processes with a limit.")
    ),
    examples: [
      .init(
        "The TURN server has sockets left", with: "process: {name: turnserver}",
        expect: ["output.used < 80.0", "output.?highest.orValue(0.0) < 80.0"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? { input.process?.objection }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let numbers = try ProcFile.text("/proc/sys/fs/file-nr").split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
    guard numbers.count == 3 else { throw ProcFile.unexpected("/proc/sys/fs/file-nr", "does not hold three numbers") }
    // Allocated, of them free (0 since Linux 2.6), and the most there may be.
    let open = numbers[0] - numbers[1]
    var uses: [Use] = []
    if let choice = input.process {
      if let objection = choice.objection { throw StepError(.notStarted, objection) }
      for process in try choice.running() { uses += [try Self.use(of: process)].compactMap(\.self) }
      guard !uses.isEmpty else { throw StepError(.failed, choice.notRunning([])) }
    }
    return .done(
      Output(
        open: open, maximum: numbers[2], used: percentage(open, of: numbers[2]), processes: uses,
        highest: uses.compactMap(\.used).max()))
  }

  /// Nil if it ended meanwhile.
  private static func use(of process: ProcessFacts) throws(StepError) -> Use? {
    guard let open = try OpenDescriptors.count(of: process), let limits = try ProcessLimits(of: process) else {
      return nil
    }
    let limit = limits["nofile"]?.soft
    return Use(
      pid: process.pid, name: process.entry.name, open: open, limit: limit, used: limit.map { percentage(open, of: $0) }
    )
  }
}

enum OpenDescriptors {
  /// Nil if the process ended meanwhile. Throws `broken` if this user may not see them.
  static func count(of process: ProcessFacts) throws(StepError) -> Int? {
    let path = "\(process.folder)/fd"
    var status = stat()
    // Since Linux 6.2 the folder's size is their number, which is told at once.
    if stat(path, &status) == 0, status.st_size > 0 { return Int(status.st_size) }
    guard let folder = opendir(path) else {
      let number = errno
      guard [EACCES, EPERM].contains(number) else { return nil }
      throw .broken(
        "process.descriptorsHidden", "this user may not see what \(process.title) has open",
        advice: "Run this as root, or as the user of the service.")
    }
    defer { closedir(folder) }
    var count = 0
    while let entry = readdir(folder) {
      if entry.pointee.d_name.0 != CChar(UInt8(ascii: ".")) { count += 1 }
    }
    return count
  }
}
