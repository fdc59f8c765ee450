import Foundation
import Processes
import Schema
import Testing

/// The forms of a report as the command line gives them, and where they go.
@Suite struct ReportFormatTests {
  private static let formats = ["text", "json", "junit", "tap", "markdown", "html", "nagios", "prometheus"]

  private func project(_ steps: String = "") throws -> CommandLineProject {
    let project = try CommandLineProject()
    try project.write(
      "runbooks/sample.yaml",
      """
      runbook: sample
      allow: [change]
      params:
        status: {type: string, default: '0'}
      secrets:
        key: {env: SAMPLE_KEY}
      steps:
        - id: talk
          use: command.run
          with:
            command: [sh, -c, 'echo "the key is $KEY"; exit $1', sh, "${params.status}"]
            secretEnv: {KEY: "${secrets.key}"}
          expect: [{that: "output.stdout == ''", severity: warn}]
      \(steps)
      """)
    return project
  }

  private let environment = ["SAMPLE_KEY": "hunter2-hunter2"]

  private func shell(_ project: CommandLineProject, _ script: String) async throws -> CommandLineProject.Output {
    var command = project.command(
      ["-uc", script, "sh", CommandLineProject.executable], environment: environment, program: "sh")
    command.timeout = .seconds(60)
    return project.output(of: try await command.run())
  }

  @Test("Every form is made by run, and the same by report; none holds a secret")
  func everyForm() async throws {
    let project = try project()
    let files = Self.formats.flatMap { ["--report", "\($0)=out.\($0)"] }
    let run = try await project.runbook(["run", "sample", "-p", "status=3"] + files, environment: environment)
    #expect(run.status == 1, "\(run.stderr)")
    for format in Self.formats {
      let written = try project.read("out.\(format)")
      #expect(!written.contains("hunter2") && written.contains("sample"), "\(format)")
      let shown = try await project.runbook("report", "last", "--format", format)
      #expect(shown.stdout == written, "\(format)")
      #expect(shown.status == (format == "nagios" ? 2 : 0), "\(format)")
    }
    #expect(try project.read("out.text").contains("the key is ‹secret›"))
  }

  @Test(
    "With nagios on standard output the exit code is a plugin's",
    arguments: [
      ("run sample -p status=0 --format nagios", 1, "WARNING - "),
      ("run sample -p status=0 --strict --report nagios=-", 2, "CRITICAL - "),
      ("run sample -p status=3 --format=nagios", 2, "CRITICAL - "),
      ("run checks/disk-space -p failAt=101% -p warnAt=101% --format nagios", 0, "OK - "),
      ("run simple --format nagios", 3, "UNKNOWN - there is no runbook \"simple\" (runbooks/simple.yaml)\n"),
      ("run sample --report=nagios=- --no-such", 3, "UNKNOWN - Unknown option '--no-such'"),
      ("report 4711 --format nagios", 3, "UNKNOWN - no run has the number 4711"),
    ])
  func plugin(line: String, status: Int32, start: String) async throws {
    let output = try await project().runbook(
      line.split(separator: " ").map(String.init) + ["--quiet"].filter { _ in line.hasPrefix("run") },
      environment: environment)
    #expect(output.status == status, "\(output.stdout)\(output.stderr)")
    #expect(output.stdout.hasPrefix(start), "\(output.stdout)\(output.stderr)")
    #expect(output.stdout.hasSuffix("\n") && output.stdout.count { $0 == "\n" } == 1, "\(output.stdout)")
  }

  @Test(
    "A mistake ends with 2 where nagios is not, or not at last, what is asked for",
    arguments: [
      "validate --format nagios", "run simple --format nagios --format text",
    ])
  func noPlugin(line: String) async throws {
    let output = try await project().runbook(line.split(separator: " ").map(String.init), environment: environment)
    #expect(output.status == 2, "\(output.stdout)")
    #expect(output.stdout == "")
  }

  @Test("A missing secret is UNKNOWN, and named")
  func missingSecret() async throws {
    let output = try await project().runbook("run", "sample", "--format", "nagios")
    #expect(output.status == 3)
    #expect(output.stdout.hasPrefix("UNKNOWN - ") && output.stdout.contains("SAMPLE_KEY"), "\(output.stdout)")
  }

  @Test(
    "What is known before is refused before anything runs",
    arguments: [
      ("text=no/such/file", "no/such: No such file or directory"), ("text=runbooks", "it is a folder"),
      ("text=/dev/fd/77", "file descriptor 77 is not open"), ("text=/dev/stdin", "open for reading only"),
      ("text=\(String(repeating: "n", count: 300))", "File name too long"),
      ("text=/proc/version", "Permission denied"), ("html5=x", "html5=x"), ("text=", "text="),
      ("text=a --report json=./b/../a", "No such file"), ("text=a --report json=a", "two reports would go to a"),
      ("text=- --report json=-", "standard output takes one report"),
      ("text=- --format json", "standard output takes one report"),
    ])
  func refused(report: String, message: String) async throws {
    let project = try project()
    let arguments = report.split(separator: " ").map(String.init)
    let output = try await project.runbook(["run", "sample", "--report"] + arguments, environment: environment)
    // What root may open the kernel may still refuse to write.
    guard !report.hasPrefix("text=/proc/") || output.status == 2 else {
      #expect(output.status == 3 && geteuid() == 0 && output.stderr.contains("/proc/version"), "\(output.stderr)")
      return
    }
    #expect(output.status == 2, "\(output.stderr)")
    #expect(output.stderr.contains(message), "\(output.stderr)")
    #expect(!project.exists(".runbook/runs"))
  }

  @Test(
    "A report on a full disk is said to be lost; the old one stays, and the verdict and the others are not lost with it",
    .enabled(if: geteuid() == 0, "mounting takes root"))
  func fullDisk() async throws {
    let project = try project()
    let script = """
      mkdir full && mount -t tmpfs -o size=16k small full && echo old >full/run.json && head -c 12k /dev/zero >full/other
      "$1" run sample -p status="$2" --report json=full/run.json --report tap=run.tap --format nagios; echo "$?"
      cat full/run.json; ls -A full; rm full/other
      """
    for (status, code) in [("0", "1"), ("3", "2")] {
      let command = project.command(
        ["--mount", "--propagation", "private", "sh", "-uc", script, "sh", CommandLineProject.executable, status],
        environment: environment, program: "unshare")
      let output = project.output(of: try await command.run())
      #expect(
        output.stderr.contains("the json report cannot be written to full/run.json: No space left on device"),
        "\(output.stderr)")
      #expect(output.stdout.hasSuffix("\n\(code)\nold\nother\nrun.json\n"), "\(output.stdout)")
      #expect(try project.read("run.tap").hasPrefix("TAP version 13\n"))
      try FileManager.default.removeItem(atPath: "\(project.root)/full")
    }
  }

  @Test("A lost report makes a passed run end with 3, and leaves the code of a failed one")
  func lostReport() async throws {
    let project = try project()
    for (status, code) in [("0", Int32(3)), ("3", 1)] {
      let output = try await project.runbook(
        "run", "sample", "-p", "status=\(status)", "--report", "text=/dev/full", environment: environment)
      #expect(output.status == code)
      #expect(output.stderr.contains("the text report cannot be written to /dev/full: No space left on device"))
      #expect(output.stdout.hasPrefix(code == 3 ? "WARN" : "FAIL"))
    }
  }

  @Test(
    "A file is replaced as a whole: its mode and a link to it stay, readers of the old one keep it, nothing is left beside"
  )
  func replaced() async throws {
    let project = try project()
    let script = """
      mkdir out && echo old >out/run.prom && chmod 640 out/run.prom && ln -s out/run.prom link
      exec 8<out/run.prom
      "$1" run sample --quiet --report prometheus=link >/dev/null; echo "$?"
      cat <&8; stat -c %a out/run.prom; readlink link; ls -A out
      ln -s out/new.prom dangling; umask 027
      "$1" report last --report prometheus=dangling; stat -c %a out/new.prom; cmp out/new.prom out/run.prom && echo same
      """
    let output = try await shell(project, script)
    #expect(output.stdout == "0\nold\n640\nout/run.prom\nrun.prom\n640\nsame\n", "\(output.stdout)\(output.stderr)")
    #expect(try project.read("out/run.prom").hasPrefix("# HELP runbook_run_outcome "))
  }

  @Test("A pipe and our own descriptors are written as they are, behind what stands there already")
  func streams() async throws {
    let project = try project()
    let script = """
      mkfifo pipe; (sleep 1; cat pipe >read) & "$1" run sample --quiet --report junit=pipe >/dev/null; echo "$?"; wait
      tail -n 1 read; test -p pipe && echo pipe
      echo before >file; "$1" report --report tap=/dev/stdout >>file; "$1" report --report tap=/dev/fd/9 9>>file
      grep -c 'TAP version 13' file; head -n 1 file
      "$1" report --report json=/dev/stderr 2>errors; head -n 1 errors
      """
    let output = try await shell(project, script)
    #expect(output.stdout == "0\n</testsuites>\npipe\n2\nbefore\n{\n", "\(output.stdout)\(output.stderr)")
  }

  @Test(
    "Who may not write to /dev writes to /dev/stdout all the same",
    .enabled(if: geteuid() == 0, "becoming somebody else takes root"))
  func ordinaryUser() async throws {
    let project = try project()
    let script = """
      "$1" run sample --quiet >/dev/null; cp -r .runbook/runs/*/ copy && chmod -R a+rX .
      setpriv --reuid 65534 --regid 65534 --clear-groups "$1" report "$PWD/copy" --report tap=/dev/stdout | head -n 1
      """
    let output = try await shell(project, script)
    #expect(output.stdout == "TAP version 13\n", "\(output.stderr)")
  }

  @Test("A pipe whose reader goes away, or never comes, is an error, and never a wait without end")
  func readerGone() async throws {
    let steps = (1...300).map {
      "  - {id: s\($0), use: command.run, with: {command: [echo, '\($0)']}, if: params.status == 'never'}"
    }
    let project = try project(steps.joined(separator: "\n"))
    let script = """
      mkfifo pipe; (exec 7<pipe; read -r line <&7) & "$1" run sample --quiet --report json=pipe >/dev/null; echo "$?"
      "$1" report --report json=pipe; echo "$?"
      """
    let start = ContinuousClock.now
    let output = try await shell(project, script)
    #expect(output.stdout == "3\n3\n", "\(output.stdout)\(output.stderr)")
    #expect(output.stderr.contains("the json report cannot be written to pipe: Broken pipe"), "\(output.stderr)")
    #expect(
      output.stderr.contains("the json report cannot be written to pipe: nobody reads from it"), "\(output.stderr)")
    #expect(start.duration(to: .now) < .seconds(60))
  }

  @Test(
    "A run over several targets: a suite and samples for each, from the journals of the runs, or from their parent's alone"
  )
  func targets() async throws {
    let project = try project()
    try project.write(
      "runbook.yaml",
      """
      project: test
      targets:
        one: {server: "turn:127.0.0.1:1"}
        two: {server: "turn:127.0.0.1:2"}

      """)
    let run = try await project.runbook(
      "run", "daily-health", "--only", "memory", "--target", "all", "--report", "junit=run.xml", "--report",
      "prometheus=run.prom", "--format", "json")
    #expect(run.status == 0, "\(run.stderr)")
    let junit = try project.read("run.xml")
    for target in ["one", "two"] {
      #expect(junit.contains("<testsuite name=\"daily-health on \(target)\" tests=\"1\" failures=\"0\""), "\(junit)")
      let prometheus = try project.read("run.prom")
      #expect(
        prometheus.contains(
          "runbook_step_figure_ratio{runbook=\"daily-health\",target=\"\(target)\",step=\"now/memory\""))
      #expect(prometheus.contains("runbook_run_partial{runbook=\"daily-health\",target=\"\(target)\"} 1\n"))
    }
    let children = try #require(try run.json["children"]?.array?.compactMap { $0["run"]?.string })
    for child in children { try FileManager.default.removeItem(atPath: "\(project.root)/.runbook/runs/\(child)") }
    let alone = try await project.runbook("report", try #require(try run.json["run"]?.string), "--format", "prometheus")
    #expect(
      alone.stdout.contains(
        "runbook_step_outcome{runbook=\"daily-health\",target=\"one\",step=\"now\",outcome=\"pass\"} 1"))
    #expect(!alone.stdout.contains("figure"), "\(alone.stdout)\(alone.stderr)")
  }

  @Test("A child run whose journal was changed in the middle is said so, and its steps are not shown")
  func damagedChild() async throws {
    let project = try project()
    try project.write(
      "runbook.yaml",
      "project: test\ntargets:\n  one: {server: \"turn:127.0.0.1:1\"}\n  two: {server: \"turn:127.0.0.1:2\"}\n")
    let run = try await project.runbook(
      "run", "daily-health", "--only", "memory", "--target", "all", "--format", "json")
    let child = try #require(try run.json["children"]?.array?.first?["run"]?.string)
    let journal = ".runbook/runs/\(child)/journal.jsonl"
    try project.write(journal, project.read(journal).replacing("\"total\":", with: "\"total\":1"))
    let report = try await project.runbook("report", try #require(try run.json["run"]?.string), "--format", "text")
    #expect(
      report.stdout.contains("note      the steps of the child run \(child) are not shown: line "), "\(report.stdout)")
  }
}
