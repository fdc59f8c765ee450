import Glibc
package import Journal
import Processes
import Schema
package import Steps

/// Settings of the kernel.
package struct HostSysctl: StepModule {
  package struct Input: Hashable, Sendable {
    package var names: [String]
    package var equal: [String: String]
    package var atLeast: [String: Int]
    package var atMost: [String: Int]
    package var process: ProcessChoice?

    fileprivate var all: [String] { Set(names + equal.keys + atLeast.keys + atMost.keys).sorted() }
  }

  package struct Output: Hashable, Sendable {
    package var values: [String: String]
    package var numbers: [String: [Int]]
  }

  package static let declaration = ModuleDeclaration(
    "host.sysctl", "Settings of the kernel as they are now, not as a file says that they should be.",
    discussion: """
      Names are written as sysctl(8) takes them, `net.ipv4.tcp_rmem`, or with slashes. `values` holds each as text, with one
      blank between its words, and `numbers` those of whole numbers. It fails if a setting is not as `equal`, `atLeast` or
      `atMost` ask for. A setting that is not there is an error: its module is not loaded, or this is a container, which sees
      few of them.

      Most of what begins with `net.` belongs to a network namespace. With `process` it is that of the process; otherwise it is
      our own. Reading another's needs root.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("names", \.names, .list(.string), default: [], "Settings to read, besides those below."),
      Field("equal", \.equal, .map(.string), default: [:], "What settings must be, by their names."),
      Field("atLeast", \.atLeast, .map(.int), default: [:], "What settings of one number must be at least."),
      Field("atMost", \.atMost, .map(.int), default: [:], "What settings of one number may be at most."),
      Field(
        "process", \.process, .optional(.record(ProcessChoice.record)), "The process in whose network they are read.")
    ),
    output: Record(
      Output.init,
      Field("values", \.values, .map(.string), "Each setting as text."),
      Field("numbers", \.numbers, .map(.list(.int)), "Each setting that is made of whole numbers.")
    ),
    examples: [
      .init(
        "Sockets may have large buffers",
        with: "atLeast: {net.core.rmem_max: 2500000}\nequal: {net.ipv4.ip_local_port_range: 10000 65535}",
        expect: ["output.numbers['net.ipv4.ip_local_port_range'][1] > 60000"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard !input.all.isEmpty else {
      return Finding("host.sysctlNone", "no setting is named", advice: "Give `names`, `equal`, `atLeast` or `atMost`.")
    }
    for name in input.all where path(of: name) == nil {
      return Finding(
        "host.sysctlName", "\"\(name)\" is no name of a setting",
        advice: "Write it as sysctl shows it, such as net.core.rmem_max.")
    }
    return input.process?.objection
  }

  /// The first separator decides: in `net.ipv4.conf.eth0/100.rp_filter` dots part, and the slash is a dot of the name.
  private static func path(of name: String) -> String? {
    guard let first = name.first(where: { $0 == "." || $0 == "/" }) else { return nil }
    let parts = name.split(separator: first, omittingEmptySubsequences: false)
      .map { first == "." ? String($0).replacing("/", with: ".") : String($0) }
    guard !parts.contains(where: { ["", ".", ".."].contains($0) || $0.contains("\0") || $0.contains("/") }) else {
      return nil
    }
    return "/proc/sys/" + parts.joined(separator: "/")
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let process = try NetworkNamespace.process(of: input.process)
    let names = input.all
    let values = try await NetworkNamespace.inside(process) { () throws(StepError) in
      var values: [String: String] = [:]
      for name in names { values[name] = try Self.read(name) }
      return values
    }
    let numbers = values.compactMapValues { value -> [Int]? in
      let words = value.split(separator: " ")
      let numbers = words.compactMap { Int($0) }
      return numbers.count == words.count && !words.isEmpty ? numbers : nil
    }
    let output = Output(values: values, numbers: numbers)
    let findings = input.equal.sorted { $0.key < $1.key }.compactMap { name, wanted -> Finding? in
      let wanted = Self.plain(wanted)
      return values[name] == wanted ? nil : Self.differs(name, values, "\(wanted)")
    }
    if let finding = Finding.joined(
      findings + (try Self.bounds(input.atLeast, output, "at least", >=))
        + (try Self.bounds(input.atMost, output, "at most", <=)))
    {
      return .failed(output, finding)
    }
    return .done(output)
  }

  private static func bounds(
    _ wanted: [String: Int], _ output: Output, _ words: String, _ holds: (Int, Int) -> Bool
  ) throws(StepError) -> [Finding] {
    var findings: [Finding] = []
    for (name, bound) in wanted.sorted(by: { $0.key < $1.key }) {
      guard let numbers = output.numbers[name], numbers.count == 1 else {
        throw .broken(
          "host.sysctlNoNumber", "\(name) is \"\(output.values[name] ?? "")\", which is not one number",
          advice: "Compare it with `equal`, or with an expectation on output.numbers['\(name)'].")
      }
      if !holds(numbers[0], bound) { findings.append(differs(name, output.values, "\(bound) \(words)")) }
    }
    return findings
  }

  private static func differs(_ name: String, _ values: [String: String], _ wanted: String) -> Finding {
    Finding(
      "host.sysctlDiffers", "\(name) is \(values[name] ?? ""), and should be \(wanted).",
      advice: "Set it in a file of /etc/sysctl.d and load it: sysctl --system. A later file may set it again.")
  }

  /// One blank between the words: the kernel parts them by tabs, people by blanks.
  private static func plain(_ text: String) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  private static func read(_ name: String) throws(StepError) -> String {
    guard let path = path(of: name) else {
      throw .broken(
        "host.sysctlName", "\"\(name)\" is no name of a setting",
        advice: "Write it as sysctl(8) does, such as net.core.somaxconn.")
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(name, path, errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { throw unreadable(name, path, errno) }
      guard count > 0, bytes.count < 1 << 20 else { return plain(String(decoding: bytes, as: UTF8.self)) }
      bytes += buffer[..<count]
    }
  }

  private static func unreadable(_ name: String, _ path: String, _ number: CInt) -> StepError {
    guard [ENOENT, ENOTDIR].contains(number) else {
      return .broken(
        "host.sysctlUnreadable", "the kernel's setting \(name) cannot be read: \(String(errorNumber: number))",
        advice: "Some are for root alone, and some can only be written.")
    }
    let folder = String(path.prefix(upTo: path.lastIndex(of: "/") ?? path.startIndex))
    let own = String(path.dropFirst(folder.count + 1))
    let near = nearName(to: own, among: namesInFolder(folder)).map { "Did you mean \($0)? " } ?? ""
    return .broken(
      "host.sysctlMissing", "the kernel has no setting \(name)",
      advice: "\(near)A module that makes it may not be loaded (nf_conntrack), and a container sees few of the host's.")
  }
}
