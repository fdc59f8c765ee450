import Glibc
import Processes
import TestSupport
import Testing

@Suite("Starting a command")
struct CommandStartTests {
  private func failure(of command: Command) async -> ProcessError? {
    do throws(ProcessError) {
      _ = try await command.run()
      return nil
    } catch {
      return error
    }
  }

  @Test("that is nowhere in PATH names it and the PATH")
  func notFound() async {
    var command = Command("no-such-command")
    command.environment["PATH"] = "/usr/bin:/bin"
    let error = await failure(of: command)
    #expect(error?.code == .notFound)
    #expect(error?.message == "there is no command no-such-command in PATH (/usr/bin:/bin)")
  }

  @Test("by a path that is not there names the path")
  func noSuchPath() async {
    let error = await failure(of: Command("/nowhere/tool"))
    #expect(error?.code == .notFound)
    #expect(error?.message == "there is no file /nowhere/tool")
  }

  @Test("that may not be executed says so", arguments: ["/etc/passwd", "/usr"])
  func notExecutable(_ path: String) async {
    #expect(await failure(of: Command(path))?.code == .notExecutable)
  }

  @Test(
    "whose file is no program, or names a missing interpreter, says so", arguments: ["\u{1}\u{2}", "#!/nowhere/sh\n"])
  func noProgram(_ content: String) async throws {
    let folder = try TemporaryFolder()
    try folder.write(content, to: "program", mode: 0o755)
    #expect(await failure(of: Command("\(folder.path)/program"))?.code == .notExecutable)
  }

  @Test("whose first line ends in a carriage return says so", arguments: ["#!/bin/sh\r\n", "#!/bin/sh -e\r\nls\r\n"])
  func carriageReturn(_ content: String) async throws {
    let folder = try TemporaryFolder()
    try folder.write(content, to: "program", mode: 0o755)
    let error = await failure(of: Command("\(folder.path)/program"))
    #expect(error?.code == .lineEnds)
    #expect(
      error?.message
        == "the first line of \(folder.path)/program ends in a carriage return: the file has the line ends of Windows")
  }

  @Test("that names a missing interpreter names it")
  func missingInterpreter() async throws {
    let folder = try TemporaryFolder()
    try folder.write("#! /nowhere/sh -e\n", to: "program", mode: 0o755)
    let error = await failure(of: Command("\(folder.path)/program"))
    #expect(error?.message == "\(folder.path)/program names the interpreter /nowhere/sh, which is not there")
  }

  @Test("in a folder that is not there names the folder")
  func noDirectory() async {
    var command = Command("true")
    command.directory = "/nowhere"
    let error = await failure(of: command)
    #expect(error?.code == .workingDirectory)
    #expect(error?.message.hasPrefix("/nowhere cannot be entered") == true)
  }

  @Test("by a path relative to its working directory works")
  func relativePath() async throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho here\n", to: "program", mode: 0o755)
    var command = Command("./program")
    command.directory = folder.path
    #expect(try await command.run().standardOutput.text == "here\n")
  }

  @Test("with a NUL byte in an argument, a variable or its name is refused")
  func nul() async {
    #expect(await failure(of: Command("echo", ["a\0b"]))?.code == .invalidText)
    #expect(await failure(of: Command("ec\0ho"))?.code != nil)
    for (name, value) in [("A", "b\0c"), ("A\0", "b"), ("", "b"), ("A=B", "c")] {
      var command = Command("true")
      command.environment[name] = value
      #expect(await failure(of: command)?.code == .invalidText)
    }
  }

  @Test("with arguments too long for the kernel says so, without them")
  func tooLong() async {
    let error = await failure(of: Command("true", [String(repeating: "x", count: 1 << 20)]))
    #expect(error?.code == .system)
    #expect(error?.message.contains("xxxx") == false)
  }

  @Test("gives it PATH, HOME, LANG and what is declared, and nothing else")
  func environment() async throws {
    setenv("RUNBOOK_TEST_STRAY", "1", 1)
    var command = Command("env")
    command.environment = ["ZONE": "a=b", "LANG": "de_DE.UTF-8"]
    let lines = try await command.run().standardOutput.text.split(separator: "\n").map(String.init)
    #expect(Set(lines.map { $0.prefix { $0 != "=" } }) == ["PATH", "HOME", "LANG", "ZONE"])
    #expect(lines.contains("ZONE=a=b"))
    #expect(lines.contains("LANG=de_DE.UTF-8"))
  }

  @Test("searches the standard folders too where PATH lacks them")
  func standardFolders() throws {
    let path = try #require(CleanEnvironment.variables()["PATH"])
    let folders = path.split(separator: ":")
    #expect(Set(folders).isSuperset(of: ["/usr/local/sbin", "/usr/sbin", "/sbin", "/bin"]))
    let inherited = String(cString: getenv("PATH"))
    #expect(path.hasPrefix(inherited))
  }

  @Test("hands over a secret as a file in memory or as a variable, never as an argument")
  func credentials() async throws {
    var command = Command(
      "/bin/sh", ["-c", #"cat "$KEY_FILE"; printf '|%s|' "$TOKEN"; cat "$KEY_FILE"; tr '\0' ' ' < /proc/$$/cmdline"#])
    command.credentials = [
      .init(variable: "TOKEN", secret: Array("first secret".utf8), delivery: .variable),
      .init(variable: "KEY_FILE", secret: Array("second secret".utf8), delivery: .descriptor),
    ]
    let text = try await command.run().standardOutput.text
    #expect(text.hasPrefix("second secret|first secret|second secret/bin/sh -c"))
    #expect(text.components(of: "secret") == 3)
    #expect("\(command)".components(of: "secret") == 0)
  }
}

extension String {
  /// How often it holds `part`.
  fileprivate func components(of part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}
