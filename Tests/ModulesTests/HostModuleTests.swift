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
    #expect(error.finding.code == "host.pathUnreadable")
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

  @Test("host.disk says where the file system is mounted, as findmnt does")
  func mounted() async throws {
    let output = try await run("host.disk", [.init("path", .string("/usr/bin"))]).output
    let line = try await self.output("findmnt", ["-nr", "-o", "TARGET,SOURCE,FSTYPE", "-T", "/usr/bin"])
    #expect(
      [output["mountPoint"], output["device"], output["fileSystem"]].map { $0?.plainText }
        == line.split(whereSeparator: \.isWhitespace).map(String.init))
    #expect(output["readOnly"] == .bool(false))
  }

  @Test("A file system without a size is an error by name, and no disk of which nothing is used")
  func noSize() async throws {
    let error = try await stepError { _ = try await run("host.disk", [.init("path", .string("/proc/self"))]) }
    #expect(error.kind == .broken && error.finding.code == "host.noSize")
    #expect(error.finding.message == "the file system at /proc (proc), which holds /proc/self, has no size")
  }

  @Test("The table of mounts is read with its blanks, bind mounts and optional fields")
  func mountTable() {
    let mounts = MountTable.mounts(
      in: """
        22 27 0:21 / / rw,relatime - ext4 /dev/vda rw
        36 22 98:0 /mnt1 /srv/a\\040b rw,noatime master:1 shared:7 - nfs4 server:/export\\134x rw,vers=4
        37 36 98:0 / /srv/a\\040b rw - cgroup cgroup rw,cpu,cpuacct
        nonsense
        """)
    #expect(mounts.map(\.point) == ["/", "/srv/a b", "/srv/a b"])
    #expect(mounts[1].device == #"server:/export\x"# && mounts[1].root == "/mnt1" && mounts[1].fileSystem == "nfs4")
    #expect(mounts[2].options == ["rw", "cpu", "cpuacct"])
    #expect(MountTable.mount(above: "/srv/a b/c", in: mounts)?.id == "37")
    #expect(MountTable.mount(above: "/srv/a bc", in: mounts)?.id == "22")
  }
}
