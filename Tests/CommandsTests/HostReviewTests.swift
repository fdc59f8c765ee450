import Foundation
import Processes
import Schema
import TestSupport
import Testing

/// `daily-host-review` and its checks beside a real server, and what users without rights are told.
@Suite struct HostReviewTests {
  /// Runs a script; `$1` is `runbook`, `$2` a server that calls itself by a name of its own, `$3` its port, `$4` another one.
  private func run(_ project: CommandLineProject, _ script: String) async throws -> CommandLineProject.Output {
    let port = try freePort()
    let server = "turn-\(getpid())-\(port % 1000)"
    try FileManager.default.copyItem(atPath: "/usr/bin/turnserver", toPath: "\(project.root)/\(server)")
    let serve = """
      serve() {
        "./$2" -n --listening-ip 127.0.0.1 --relay-ip 127.0.0.1 --listening-port "$3" --no-tls --no-dtls --no-cli \\
          --allow-loopback-peers --pidfile "$PWD/$1.pid" --log-file stdout >/dev/null 2>&1 &
        servers="${servers:-} $!"
        trap 'kill $servers' EXIT
        until grep -qx "$!" "$1.pid" 2>/dev/null && ss -Hlntup "sport = :$3" | grep -q "pid=$!,"; do
          kill -0 "$!"; sleep 0.05
        done
      }
      """
    var command = project.command([])
    command.executable = "/bin/sh"
    command.arguments = [
      "-euc", serve + "\n" + script, "script", CommandLineProject.executable, server, "\(port)", "\(try freePort())",
    ]
    return project.output(of: try await command.run())
  }

  @Test(
    "Beside one server it names no trouble with it, nor with another one on a port of its own; with a second one on the port it does",
    .enabled(if: geteuid() == 0, "what root's servers have open is for root to see"))
  func review() async throws {
    let project = try CommandLineProject()
    let output = try await run(
      project,
      """
      serve first "$2" "$3"
      review() { "$1" run daily-host-review -p process="$2" -p port="$3" -p nofile=64 -p nproc=16 --format json || true; }
      review "$@" >one.json
      serve other "$2" "$4"
      review "$@" >other.json
      serve second "$2" "$3"
      review "$@"
      """)
    let one = try JSON(parsing: try project.read("one.json"))
    let other = try JSON(parsing: try project.read("other.json"))
    for report in [one, other] {
      for name in ["process", "udp", "tcp", "descriptors"] {
        let step = try #require(report.step("resources/\(name)"), "\(report)")
        #expect(step["outcome"] == "pass", "\(step)")
      }
      #expect(report.step("tuning/limits")?["outcome"] == "pass")
      #expect(report.step("resources/process")?["output"]?["count"] == 1)
    }
    #expect(one.step("tuning/clock")?["output"]?["keeper"] != nil)
    let two = try output.json
    #expect(two["outcome"] == "fail")
    #expect(two.step("resources/udp")?["error"]?["code"] == "host.portShared")
  }

  @Test(
    "A user who may not see the owner, or the processes, is told so, and not that there is none",
    .enabled(if: geteuid() == 0, "to become another user"))
  func withoutRights() async throws {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/look.yaml",
      """
      runbook: look
      params: {port: {type: port}, program: {type: path}, pid: {type: int}}
      steps:
        - {id: owner, use: host.sockets, with: {port: "${params.port}"}, onFailure: continue}
        - {id: program, use: process.running, with: {executable: "${params.program}"}, onFailure: continue}
        - {id: open, use: host.descriptors, with: {process: {pid: "${params.pid}"}}, expect: [output.used < 99.0], onFailure: continue}
        - {id: limits, use: host.limits, with: {process: {pid: "${params.pid}"}}, onFailure: continue}
        - {id: version, use: coturn.version, with: {binary: "${params.program}"}, onFailure: continue}
      """)
    let output = try await run(
      project,
      """
      serve first "$2" "$3"
      chown -R 65534:65534 .; chmod 755 "$2"
      look() { setpriv --reuid 65534 --regid 65534 --clear-groups "$1" run look -p port="$3" -p program="$PWD/$2" -p pid="$(cat first.pid)" --format json || true; }
      look "$@" >seen.json
      pid=$(cat first.pid)
      unshare --mount --propagation private /bin/sh -euc '
        mount -t proc -o hidepid=2 proc /proc
        exec setpriv --reuid 65534 --regid 65534 --clear-groups "$1" run look -p port="$3" -p program="$PWD/$2" -p pid="$4" --format json
      ' script "$1" "$2" "$3" "$pid" || true
      """)
    let seen = try JSON(parsing: try project.read("seen.json"))
    #expect(seen.step("owner")?["error"]?["code"] == "host.ownerHidden", "\(seen)")
    #expect(seen.step("owner")?["outcome"] == "error")
    #expect(seen.step("program")?["error"]?["code"] == "process.hidden")
    #expect(seen.step("version")?["error"]?["code"] == "process.hidden", "\(seen)")
    // Limits are for all to see.
    #expect(seen.step("limits")?["outcome"] == "pass")
    let hidden = try output.json
    for name in ["program", "open", "limits", "version"] {
      #expect(hidden.step(name)?["error"]?["code"] == "process.hidden", "\(name): \(output.stdout)\(output.stderr)")
    }
    #expect(hidden.step("owner")?["error"]?["code"] == "host.ownerHidden")
  }
}
