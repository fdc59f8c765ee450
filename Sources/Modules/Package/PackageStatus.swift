import Glibc
package import Journal
import Processes
import Schema
package import Steps

/// How a package of Debian is installed.
package struct PackageStatus: StepModule {
  package struct Input: Hashable, Sendable {
    package var name: String
    package var unit: String?
    package var root: String
  }

  package struct Output: Hashable, Sendable {
    package var installed: Bool
    package var version: String?
    package var held: Bool
    package var candidate: String?
    package var upgradable: Bool?
    package var listsAge: Duration?
    package var unitEnabled: Bool?
    package var unitMasked: Bool?
    package var switches: [String: String]
  }

  package static let declaration = ModuleDeclaration(
    "package.status",
    "How a package of Debian is installed: version, hold, half-done work, upgrades, its unit and its defaults.",
    discussion: """
      It fails if the package is not installed, or dpkg was interrupted in its work on it. Upgrades are those that the package
      lists on this disk tell of: nothing is fetched, and `listsAge` says how old they are. Without lists `upgradable` is absent.

      `unitEnabled` says whether the unit is started with the system. `switches` holds what `/etc/default/NAME` switches
      on and off: older packages of coturn start only with `TURNSERVER_ENABLED=1` there, and units of systemd ignore it. Other
      settings of that file may hold secrets, and are not shown.
      """,
    effect: .observe, judges: true, programs: [RequiredProgram("dpkg-query", package: "dpkg")],
    deadline: .seconds(30),
    input: Record(
      Input.init,
      Field("name", \.name, .string, "The package, such as `coturn`."),
      Field("unit", \.unit, .optional(.string), "Its systemd unit, to see whether it is enabled."),
      Field("root", \.root, .path, default: "/", "The root of the system to look at, such as a container's.")
    ),
    output: Record(
      Output.init,
      Field("installed", \.installed, .bool, "Whether it is installed, in full."),
      Field("version", \.version, .optional(.string), "Its version, with the distribution's part."),
      Field("held", \.held, .bool, "Whether somebody told apt not to upgrade it."),
      Field("candidate", \.candidate, .optional(.string), "The version that apt would install by its lists."),
      Field("upgradable", \.upgradable, .optional(.bool), "Whether that is another one; absent without lists."),
      Field("listsAge", \.listsAge, .optional(.duration), "How long ago apt's lists were fetched last."),
      Field("unitEnabled", \.unitEnabled, .optional(.bool), "Whether the unit is started with the system."),
      Field("unitMasked", \.unitMasked, .optional(.bool), "Whether the unit is masked: it cannot be started at all."),
      Field("switches", \.switches, .map(.string), "What the package's file in /etc/default switches on and off.")
    ),
    examples: [
      .init(
        "The package is up to date, and started with the system", with: "name: coturn\nunit: coturn.service",
        expect: ["output.?upgradable.orValue(true) == false", "output.?unitEnabled.orValue(false)"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    guard input.name.wholeMatch(of: /[a-z0-9][a-z0-9+.-]+/) == nil else { return nil }
    return Finding(
      "package.nameInvalid", "\"\(input.name)\" is no name of a package of Debian",
      advice:
        "Write it as `dpkg-query --show` does, without version and architecture: lower-case letters, digits, plus, hyphen and full stop."
    )
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let root = input.root == "/" ? "" : input.root
    let status = try await Self.dpkg(input, in: context)
    var output = Output(
      installed: status?.state == "installed", version: status?.version, held: status?.want == "hold", switches: [:])
    if let candidate = await Self.candidate(input, in: context) {
      output.candidate = candidate
      output.upgradable = output.version.map { $0 != candidate }
    }
    output.listsAge = Self.age(of: "\(root)/var/lib/apt/lists")
    if let unit = input.unit {
      let files = UnitFiles(ProcessChoice.unitName(unit), root: root)
      output.unitEnabled = files.isEnabled
      output.unitMasked = files.isMasked
    }
    output.switches = Self.switches(in: (try? ProcFile.text("\(root)/etc/default/\(input.name)")) ?? "")
    guard let status, status.state != "not-installed", status.state != "config-files" else {
      return .failed(
        output,
        Finding(
          "package.missing", "the package \(input.name) is not installed", advice: "apt-get install \(input.name)"))
    }
    guard output.installed else {
      return .failed(
        output,
        Finding(
          "package.halfDone", "dpkg was interrupted in its work on \(input.name): it is \(status.state)",
          advice: "dpkg --configure -a, then apt-get --fix-broken install"))
    }
    return .done(output)
  }

  /// Nil if dpkg knows no such package.
  private static func dpkg(
    _ input: Input, in context: StepContext
  ) async throws(StepError) -> (want: String, state: String, version: String?)? {
    // Of packages for several architectures the first line is taken.
    let format = "${db:Status-Want}\\t${db:Status-Status}\\t${Version}\\n"
    var command = Command("dpkg-query", ["--root=\(input.root)", "--show", "--showformat=\(format)", input.name])
    command.timeout = .seconds(10)
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch {
      throw .broken(
        "package.noDpkg", "\(error.message)", advice: "This module knows packages of Debian and Ubuntu alone.")
    }
    guard result.isSuccess else {
      // 1 is its word for a package that it does not know.
      guard result.ending == .exited(1) else {
        throw .broken(
          "package.unknown", "dpkg-query fails: \(result.standardError.text.prefix(300))",
          advice: "Run `dpkg-query --show` and `dpkg --audit` by hand: the database of packages may be damaged.")
      }
      return nil
    }
    let fields = (result.standardOutput.text.split(separator: "\n").first ?? "").split(
      separator: "\t", omittingEmptySubsequences: false)
    guard fields.count == 3 else {
      throw .broken(
        "package.unknown", "dpkg-query prints something else than it should",
        advice: "Run `dpkg-query --show` and `dpkg --audit` by hand: the database of packages may be damaged.")
    }
    return (String(fields[0]), String(fields[1]), fields[2].isEmpty ? nil : String(fields[2]))
  }

  /// What apt would install; nil if it has no lists, or is not there.
  private static func candidate(_ input: Input, in context: StepContext) async -> String? {
    var command = Command("apt-cache", ["-o", "Dir=\(input.root)", "policy", input.name])
    command.environment = ["LC_ALL": "C"]
    command.timeout = .seconds(15)
    let result: ProcessResult
    do throws(ProcessError) { result = try await command.run(in: context) } catch { return nil }
    guard result.isSuccess else { return nil }
    let text = result.standardOutput.text
    // Without lists the only source is what dpkg says.
    guard text.contains("://") || text.contains(" file:") || text.contains(" copy:") else { return nil }
    let line = text.split(separator: "\n").first { $0.contains("Candidate:") }
    let version = line?.split(separator: " ").last.map(String.init)
    return version == "(none)" ? nil : version
  }

  private static func age(of folder: String) -> Duration? {
    var status = stat()
    guard stat(folder, &status) == 0,
      let fetched = Timestamp(seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int32(status.st_mtim.tv_nsec))
    else { return nil }
    return max(.zero, Moment.now().wall.duration(since: fetched))
  }

  /// Lines such as `NAME="1"`; a later one goes before an earlier. Values that are no switch are left out.
  static func switches(in text: String) -> [String: String] {
    let known: Set<String> = ["0", "1", "yes", "no", "true", "false", "on", "off"]
    return text.split(separator: "\n").reduce(into: [:]) { switches, line in
      let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let name = parts[0].split(separator: " ").last.map(String.init),
        name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil, !parts[0].contains("#")
      else { return }
      var value = parts[1][...]
      while let last = value.last, last.isWhitespace { value.removeLast() }
      if let quote = value.first, quote == "\"" || quote == "'", value.count > 1, value.last == quote {
        value = value.dropFirst().dropLast()
      }
      switches[name] = known.contains(value.lowercased()) ? String(value) : nil
    }
  }
}
