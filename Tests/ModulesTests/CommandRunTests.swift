import Foundation
import Journal
import Schema
import Steps
import Testing

@testable import Modules

@Suite struct CommandRunTests {
  @Test("An argument stays an argument, whatever it holds (threats 9, 10)")
  func arguments() async throws {
    let hostile = ["; rm -rf /", "$(id)", "`id`", "a\nb", "-rf", "${steps.x.output}", "*"]
    let result = try await run(
      "command.run", [.init("command", .list((["printf", "%s\\0"] + hostile).map(Value.string)))])
    #expect(result.output["stdout"] == .string(hostile.map { $0 + "\0" }.joined()))
  }

  @Test("NUL is refused before anything runs (threat 9)")
  func nul() async throws {
    let error = try await stepError { _ = try await run("command.run", [.init("command", text("true", "a\0b"))]) }
    #expect(error.kind == .notStarted)
  }

  @Test("Exit codes that are not allowed fail; what the program wrote is kept")
  func exitCode() async throws {
    let result = try await run("command.run", [.init("command", text("sh", "-c", "echo out; echo why >&2; exit 3"))])
    #expect(result.objection?.finding.message == "sh ended with exit code 3")
    #expect(result.output["exitCode"] == .int(3))
    #expect(result.output["stdout"] == .string("out\n"))
    #expect(result.output["stderr"] == .string("why\n"))
  }

  @Test("A secret that the program writes out is masked, also where the limit cuts it off")
  func maskedOutput() async throws {
    let secrets: Value = .members([
      .init("LONG", .secret(Secret("s3cr3t-longer"))), .init("SHORT", .secret(Secret("s3cr3t"))),
      .init("LINES", .secret(Secret("one\ntwo"))),
    ])
    let script = #"printf '%s|%s\u0301|%s' "$LONG" "$SHORT" "$LINES"; echo "not $SHORT" >&2"#
    let result = try await run(
      "command.run", [.init("command", text("bash", "-c", script)), .init("secretEnv", secrets)])
    #expect(result.output["stdout"] == .string("‹secret›|‹secret›\u{301}|‹secret›"))
    #expect(result.output["stderr"] == .string("not ‹secret›\n"))
    let cut = try await run(
      "command.run",
      [
        .init("command", text("sh", "-c", "printf 'key %s' \"$LONG\"")), .init("secretEnv", secrets),
        .init("outputLimit", .int(9)),
      ])
    #expect(cut.output["stdout"] == .string("key ‹secret›"))
  }

  @Test("A secret that the program writes in two pieces is masked (threat 15)")
  func secretInPieces() async throws {
    let secrets: Value = .members([.init("TOKEN", .secret(Secret("s3cr3t-longer")))])
    let script = #"printf 'key %.4s' "$TOKEN"; sleep 0.1; printf '%s end' "${TOKEN#????}""#
    let result = try await run(
      "command.run", [.init("command", text("sh", "-c", script)), .init("secretEnv", secrets)])
    #expect(result.output["stdout"] == .string("key ‹secret› end"))
  }

  @Test("An exit code that is allowed is no failure")
  func allowedExitCode() async throws {
    let result = try await run(
      "command.run",
      [.init("command", text("sh", "-c", "exit 3")), .init("exitCodes", .list([.int(0), .int(3)]))])
    #expect(result.objection == nil)
  }

  @Test("A program that is not there is named, and nothing was begun")
  func missingProgram() async throws {
    let error = try await stepError { _ = try await run("command.run", [.init("command", text("no-such-program"))]) }
    #expect(error.kind == .notStarted)
    #expect(error.finding.advice == "Install the program, or give its full path.")
  }

  @Test("The environment is clean but for what is declared; a secret arrives there and not in the arguments")
  func environment() async throws {
    setenv("RUNBOOK_TEST_LEAK", "leak", 1)
    let result = try await run(
      "command.run",
      [
        .init("command", text("sh", "-c", "tr '\\0' ' ' < /proc/$$/cmdline; echo; env")),
        .init("env", .members([.init("GIVEN", .string("plain"))])),
        .init("secretEnv", .members([.init("TOKEN", .secret(Secret("s3cr3t")))])),
      ])
    guard case .string(let stdout)? = result.output["stdout"] else {
      Testing.Issue.record("stdout is text")
      return
    }
    let lines = stdout.split(separator: "\n")
    #expect(lines[0].hasPrefix("sh -c") && !lines[0].contains("s3cr3t") && !lines[0].contains(Secret.mask))
    let names = Set(lines.dropFirst().map { $0.prefix { $0 != "=" } })
    #expect(names.subtracting(["PWD", "SHLVL", "_", "OLDPWD"]) == ["PATH", "HOME", "LANG", "GIVEN", "TOKEN"])
    // Masked byte for byte: it arrived whole.
    #expect(lines.contains("TOKEN=\(Secret.mask)"))
  }

  @Test("Endless output is cut off and said to be, without a deadlock (threat 16)")
  func endlessOutput() async throws {
    let result = try await run(
      "command.run",
      [.init("command", text("sh", "-c", "yes | head -c 3000000")), .init("outputLimit", .int(1000))])
    #expect(result.output["truncated"] == .bool(true))
    #expect(result.output["stdout"]?.plainText.count == 1000)
  }

  @Test("A cancelled program is ended, and the error says that it was interrupted")
  func cancellation() async throws {
    let task = Task { try await run("command.run", [.init("command", text("sleep", "600"))]) }
    task.cancel()
    let error = try await stepError { _ = try await task.value }
    #expect([.interrupted, .notStarted].contains(error.kind))
  }
}
