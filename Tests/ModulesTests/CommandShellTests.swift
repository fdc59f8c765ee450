import Foundation
import Journal
import Schema
import Steps
import Testing

@testable import Modules

@Suite struct CommandShellTests {
  @Test("A value reaches the script through its environment, and stays a value (threats 9 to 11)")
  func values() async throws {
    let hostile = ["; rm -rf /", "$(id)", "`id`", "a\nb", "-rf", "${steps.x.output}", "*", "'", "\\"]
    for text in hostile {
      let result = try await run(
        "command.shell",
        [
          .init("script", .string("printf '%s|' \"$VALUE\"")), .init("env", .members([.init("VALUE", .string(text))])),
        ])
      #expect(result.output["stdout"] == .string(text + "|"))
    }
  }

  @Test(
    "The script ends at the first command that fails, and at a variable that is not set",
    arguments: ["false", "echo $NOT_SET"])
  func strict(_ line: String) async throws {
    let result = try await run("command.shell", [.init("script", .string("\(line)\necho reached\n"))])
    #expect(result.objection?.finding.code == "command.failed")
    #expect(result.output["stdout"] == .string(""))
  }

  @Test("An empty script is refused")
  func empty() async throws {
    let error = try await stepError { _ = try await run("command.shell", [.init("script", .string(" \n"))]) }
    #expect(error.kind == .notStarted)
  }

  private static let secret = "s3cr3t-of-the-test"

  private func secrets(_ name: String) -> Value { .members([.init(name, .secret(Secret(Self.secret)))]) }

  @Test(
    "A secret is read from a descriptor, by children of the script too, and stands in no environment and no argument")
  func descriptor() async throws {
    let script = """
      test "$(sh -c 'cat "$1"' sh "$TOKEN")" = "$(cat "$TOKEN")" && cat "$TOKEN"
      if tr '\\0' '\\n' </proc/$$/environ | grep -q s3cr3t; then echo leaked; fi
      case $TOKEN in /dev/fd/*) ;; *) echo "at $TOKEN" ;; esac
      """
    let result = try await run(
      "command.shell", [.init("script", .string(script)), .init("secretFiles", secrets("TOKEN"))])
    #expect(result.objection == nil)
    #expect(result.output["stdout"] == .string("‹secret›"))
  }

  @Test("A secret is a file of the folder of credentials, private and in memory; the folder goes with the command")
  func credential() async throws {
    let script = """
      cat "$CREDENTIALS_DIRECTORY/token"; stat -c ' %a' "$CREDENTIALS_DIRECTORY" "$CREDENTIALS_DIRECTORY/token"
      stat -f -c %T "$CREDENTIALS_DIRECTORY"; echo "$CREDENTIALS_DIRECTORY"
      """
    let result = try await run(
      "command.shell", [.init("script", .string(script)), .init("credentials", secrets("token"))])
    guard case .string(let stdout)? = result.output["stdout"] else {
      Testing.Issue.record("stdout is text")
      return
    }
    let lines = stdout.split(separator: "\n").map(String.init)
    #expect(lines.prefix(3) == ["‹secret› 700", " 400", "tmpfs"])
    let folder = try #require(lines.last)
    #expect(folder.hasPrefix("/"))
    #expect(!FileManager.default.fileExists(atPath: folder))
  }

  @Test("A folder of credentials that a killed process left is removed by the next one, one in use is not")
  func abandoned() async throws {
    let left = "/dev/shm/runbook-credentials-\(geteuid())-left-by-a-test-\(getpid())"
    try FileManager.default.createDirectory(
      atPath: left, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
    let used = try CredentialFolder(["a": Secret(Self.secret)])
    let other = try CredentialFolder(["b": Secret(Self.secret)])
    #expect(!FileManager.default.fileExists(atPath: left))
    #expect(FileManager.default.fileExists(atPath: used.path))
    withExtendedLifetime(other) {}
  }

  @Test("A credential whose name is a path is refused, and nothing has run", arguments: ["../x", "a/b", "", ".."])
  func names(_ name: String) async throws {
    let error = try await stepError {
      _ = try await run(
        "command.run", [.init("command", .list([.string("true")])), .init("credentials", secrets(name))])
    }
    #expect(error.kind == .notStarted)
    #expect(error.finding.code == "command.noCredentials")
  }
}
