import Foundation
import Journal
import Schema
import Steps
import Testing

@testable import Modules

@Suite struct HostModuleTests {
  /// What a program of the system prints.
  private func output(_ program: String, _ arguments: [String]) async throws -> String {
    let result = try await run("command.run", [.init("command", .list(([program] + arguments).map(Value.string)))])
    guard case .string(let text)? = result.output["stdout"] else { return "" }
    return text
  }

  @Test("host.disk agrees with df")
  func disk() async throws {
    let output = try await run("host.disk", [.init("path", .string("/usr"))]).output
    let df = try await self.output("df", ["-B1", "--output=size,pcent,itotal", "/usr"])
    let fields = df.split(separator: "\n")[1].split(separator: " ")
    #expect(output["total"] == .int(try #require(Int64(fields[0]))))
    guard case .double(let used)? = output["used"] else {
      Testing.Issue.record("used is a percentage")
      return
    }
    // df rounds up to whole percents; another process may write meanwhile.
    #expect(abs(used.rounded(.up) - (try #require(Double(fields[1].dropLast())))) <= 1)
    #expect((output["inodesUsed"] == .null) == (fields[2] == "0" || fields[2] == "-"))
  }

  @Test("host.disk says which path cannot be looked at, and that is our own error")
  func missingPath() async throws {
    let error = try await stepError { _ = try await run("host.disk", [.init("path", .string("/no/such/folder"))]) }
    #expect(error.kind == .broken)
    #expect(error.finding.code == "host.path-unreadable")
    #expect(error.finding.message == "/no/such/folder cannot be looked at: No such file or directory")
  }

  @Test("host.memory agrees with free")
  func memory() async throws {
    let output = try await run("host.memory").output
    let free = try await self.output("free", ["-b"])
    let total = free.split(separator: "\n")[1].split(separator: " ")[1]
    #expect(output["total"] == .int(try #require(Int64(total))))
    guard case .double(let used)? = output["used"] else {
      Testing.Issue.record("used is a percentage")
      return
    }
    #expect((0...100).contains(used))
  }

  @Test("host.memory reads what proc(5) describes and nothing else")
  func memoryFacts() {
    let facts = HostMemory.facts(in: "MemTotal:       16318072 kB\nHugePages_Total:       0\nnonsense\nX: y kB\n")
    #expect(facts == ["MemTotal": 16_318_072 * 1024])
  }

  @Test("host.load agrees with nproc and has three averages")
  func load() async throws {
    let output = try await run("host.load").output
    let processors = try await self.output("nproc", ["--all"])
    #expect(
      output["processors"] == .int(try #require(Int64(processors.trimmingCharacters(in: .whitespacesAndNewlines)))))
    guard case .double(let load5)? = output["load5"], case .double(let each)? = output["perProcessor"],
      case .int(let count)? = output["processors"]
    else {
      Testing.Issue.record("loads are numbers")
      return
    }
    #expect(abs(load5 / Double(count) - each) < 0.01)
  }
}
