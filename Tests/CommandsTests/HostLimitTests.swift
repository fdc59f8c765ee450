import Foundation
import Processes
import Schema
import Testing

/// File systems and cgroups of a test's own, which need root: mounts are seen by the test's own processes alone.
@Suite(.enabled(if: geteuid() == 0, "mounts and cgroups are root's to make"))
struct HostLimitTests {
  /// Runs a script in a mount namespace of its own; `$1` is `runbook`.
  private func run(_ project: CommandLineProject, _ script: String) async throws -> CommandLineProject.Output {
    var command = project.command([])
    command.executable = "unshare"
    command.arguments = [
      "--mount", "--propagation", "private", "/bin/sh", "-euc", script, "script", CommandLineProject.executable,
    ]
    return project.output(of: try await command.run())
  }

  @Test("A path on a volume that is not mounted fails the check, and says where it lies")
  func unmounted() async throws {
    let project = try CommandLineProject()
    let script = """
      mkdir data; mount -t tmpfs -o size=1m volume data
      "$1" run checks/disk-space -p path=$PWD/data -p mountPoint=$PWD/data --format json >mounted.json
      umount data
      "$1" run checks/disk-space -p path=$PWD/data -p mountPoint=$PWD/data -p failAt=101% -p warnAt=101% --format json
      """
    let output = try await run(project, script)
    #expect(output.status == 1, "\(output.stderr)")
    let mounted = try JSON(parsing: try project.read("mounted.json"))
    #expect(mounted["outcome"] == "pass")
    let step = try #require(mounted.step("diskSpace/disk")?["output"])
    #expect(step["mountPoint"]?.string == "\(project.root)/data")
    #expect(step["device"] == "volume" && step["fileSystem"] == "tmpfs" && step["readOnly"] == false)
    #expect(try output.json["outcome"] == "fail")
    #expect(output.stdout.contains("\(project.root)/data lies on the file system at"))
  }

  /// Runs the runbook `look`. Nobody reads what the kernel asks of the file system at `stuck`.
  private static let besideHangingFileSystem = """
    mkdir stuck; exec 9<>/dev/fuse
    mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 dead stuck
    "$1" run look --format json 9>&-
    """

  @Test("If the kernel does not tell whether its clock is kept, what systemd-timesyncd has left does")
  func timesyncd() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/look.yaml",
      "runbook: look\nsteps:\n  - {id: clock, use: host.clock, expect: [{that: output.synchronised, severity: warn}]}\n"
    )
    let script = """
      mount -t tmpfs none /run; mkdir -p /run/systemd/timesync
      cp /bin/sleep systemd-timesyncd; ./systemd-timesyncd 60 & keeper=$!; trap 'kill $keeper' EXIT
      until grep -q '^systemd-timesyn' "/proc/$keeper/comm"; do kill -0 "$keeper"; sleep 0.01; done
      look() {
        strace -f -qq -o trace -e trace=adjtimex,clock_adjtime -e inject=adjtimex,clock_adjtime:error=EPERM \\
          "$1" run look --format json
      }
      look "$@" >before.json
      touch /run/systemd/timesync/synchronized
      look "$@"
      """
    let output = try await run(project, script)
    #expect(output.status == 0, "\(output.stdout)\(output.stderr)")
    let before = try JSON(parsing: try project.read("before.json"))
    #expect(before.step("clock")?["output"]?["synchronised"] == false, "\(before)")
    #expect(try output.json.step("clock")?["output"]?["synchronised"] == true, "\(output.stdout)")
  }

  @Test("A file system that does not answer is named, and the run goes on")
  func hanging() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      steps:
        - {id: disk, use: host.disk, with: {path: "\(project.root)/stuck/below"}, timeout: 1s, expect: [output.used < 99.0], onFailure: continue}
        - {id: after, use: host.load, expect: [output.load1 < 9000.0]}
      """)
    let output = try await run(project, Self.besideHangingFileSystem)
    let step = try #require(try output.json.step("disk"), "\(output.stdout)\(output.stderr)")
    #expect(step["error"]?["code"] == "step.timeout")
    let message = try #require(step["error"]?["message"]?.string)
    #expect(message.contains("the file system at \(project.root)/stuck (fuse on dead) does not answer"), "\(message)")
    #expect(try output.json.step("after")?["outcome"] == "pass")
  }

  @Test(
    "A command whose folder or program lies on a file system that does not answer says so, and nothing hangs",
    arguments: [("[ls]", "stuck/below", "stuck/below"), ("[ROOT/stuck/tool]", ".", "stuck/tool")])
  func hangingCommand(command: String, directory: String, named: String) async throws {
    let project = try CommandLineProject()
    let program = command.replacing("ROOT", with: project.root)
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      steps:
        - {id: list, use: command.run, effect: observe, with: {command: \(program), directory: "\(project.root)/\(directory)"}, timeout: 1s, onFailure: continue}
        - {id: after, use: host.load, expect: [output.load1 < 9000.0]}
      """)
    let output = try await run(project, Self.besideHangingFileSystem)
    let step = try #require(try output.json.step("list"), "\(output.stdout)\(output.stderr)")
    #expect(step["error"]?["code"] == "step.timeout")
    let message = try #require(step["error"]?["message"]?.string)
    #expect(message.contains("\(project.root)/\(named) cannot be looked at"), "\(message)")
    #expect(message.contains("the file system at \(project.root)/stuck (fuse on dead) does not answer"), "\(message)")
    #expect(try output.json.step("after")?["outcome"] == "pass")
  }

  @Test("A read-only file system is said to be")
  func readOnly() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      steps:
        - {id: disk, use: host.disk, with: {path: "\(project.root)/data"}, expect: [output.readOnly]}
      """)
    let output = try await run(
      project,
      "mkdir data; mount -t tmpfs -o ro,size=1m volume data; \"$1\" run look --format json")
    #expect(try output.json["outcome"] == "pass", "\(output.stdout)\(output.stderr)")
  }

  @Test("The memory limit of a cgroup stands beside the host's memory")
  func cgroup() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/look.yaml",
      "runbook: look\nsteps:\n  - {id: memory, use: host.memory, expect: [output.used <= 100.0]}\n")
    let version1 = "/sys/fs/cgroup/memory"
    let isVersion1 = FileManager.default.fileExists(atPath: "\(version1)/memory.limit_in_bytes")
    let group = "\(isVersion1 ? version1 : "/sys/fs/cgroup")/runbook-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: group, withIntermediateDirectories: false)
    defer { rmdir(group) }
    try Data("536870912".utf8).write(
      to: URL(filePath: "\(group)/\(isVersion1 ? "memory.limit_in_bytes" : "memory.max")"))
    var command = project.command([])
    command.executable = "/bin/sh"
    command.arguments = [
      "-euc", #"echo $$ >"$2/cgroup.procs"; "$1" run look --format json"#, "script",
      CommandLineProject.executable, group,
    ]
    let output = project.output(of: try await command.run())
    let found = try #require(try output.json.step("memory")?["output"], "\(output.stderr)")
    #expect(found["limit"] == 536_870_912)
    guard case .double(let used)? = found["limitUsed"] else { throw NoNumber() }
    #expect(used > 0 && used < 100)
    #expect(try #require(found["total"]?.int) > 536_870_912)
  }
}

private struct NoNumber: Error {}
