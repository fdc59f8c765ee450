import Foundation
import Glibc
import Journal
import Schema
import Steps
import TestSupport
import Testing

@testable import Modules

/// Processors and settings of the kernel.
@Suite struct HostResourceTests {
  private func number(_ value: Value?) -> Double {
    switch value {
    case .double(let number): number
    case .int(let number): Double(number)
    default: .nan
    }
  }

  @Test("host.cpu adds up, and sees a processor that is busy")
  func busy() async throws {
    let busy = try LiveProcess.shell("echo; while :; do :; done")
    defer { withExtendedLifetime(busy) {} }
    let output = try await run("host.cpu", [.init("window", .duration(.seconds(1)))]).output
    #expect(number(output["used"]) > 0 && number(output["busiest"]) >= number(output["used"]) - 0.01)
    let sum = number(output["user"]) + number(output["system"])
    #expect(abs(sum - number(output["used"])) < 0.05)
    #expect(sum + number(output["ioWait"]) + number(output["steal"]) <= 100.05)
    #expect(output["processors"] == .int(Int64(sysconf(Int32(_SC_NPROCESSORS_ONLN)))))
    busy.signal(SIGKILL)
  }

  @Test("Time for disks and for other guests is no use, guests are not counted twice, and counters may go back")
  func processorTimes() throws {
    let first = try #require(
      ProcessorSample("cpu  100 0 100 1000 50 0 0 10 7 0\ncpu0 100 0 100 1000 50 0 0 10 7 0\nintr 1"))
    let last = try #require(
      ProcessorSample("cpu  150 10 120 1100 40 5 5 30 57 0\ncpu0 150 10 120 1100 40 5 5 30 57 0\n"))
    let spent = last.all.since(first.all)
    #expect((spent.user, spent.system, spent.idle) == (60, 30, 100))
    #expect((spent.ioWait, spent.steal, spent.total) == (0, 20, 210))
    #expect(first.each.count == 1)
    #expect(ProcessorSample("nothing") == nil)
    // Kernels of before 2.6.11 know no steal.
    #expect(ProcessorSample("cpu  1 2 3 4\n")?.all.total == 10)
  }

  @Test("A cgroup's use is held against its quota, in both versions", arguments: [true, false])
  func quota(isUnified: Bool) throws {
    let group = { (used: Int, periods: Int, throttled: Int) in
      ControlGroup.QuotaUse(
        folder: "/a", processors: 0.5, used: .milliseconds(used), periods: periods, throttledPeriods: throttled)
    }
    let quota = try #require(ControlGroup.tightest([group(1000, 10, 1)], [group(1450, 20, 6)], over: .seconds(1)))
    #expect(quota.processors == 0.5 && quota.used == 90 && quota.throttled == 50)
    #expect(ControlGroup.tightest([], [group(1, 1, 1)], over: .seconds(1)) == nil)
    // The files of both versions, as the kernel writes them.
    let folder = try TemporaryFolder()
    if isUnified {
      try folder.write("50000 100000\n", to: "cpu.max")
      try folder.write("usage_usec 250000\nnr_periods 4\nnr_throttled 2\n", to: "cpu.stat")
    } else {
      try folder.write("50000\n", to: "cpu.cfs_quota_us")
      try folder.write("100000\n", to: "cpu.cfs_period_us")
      try folder.write("nr_periods 4\nnr_throttled 2\nthrottled_time 1\n", to: "cpu.stat")
    }
    let kind = isUnified ? "cgroup2 none rw" : "cgroup none rw,cpu"
    let own = ControlGroup(
      "cpu", membership: isUnified ? "0::/\n" : "4:cpu:/\n",
      mounts: MountTable.mounts(in: "36 22 0:30 / \(folder.path) rw - \(kind)\n"))
    let use = try #require(own.quotaUses().first)
    #expect(use.processors == 0.5 && use.periods == 4 && use.throttledPeriods == 2)
    // Version 1 counts it elsewhere.
    if isUnified { #expect(use.used == .milliseconds(250)) }
  }

  @Test("Settings are read as sysctl shows them, with blanks for tabs, and slashes in names")
  func sysctl() async throws {
    let range = try String(contentsOfFile: "/proc/sys/net/ipv4/ip_local_port_range", encoding: .utf8)
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let output = try await run(
      "host.sysctl",
      [
        .init("names", .list([.string("net/ipv4/conf/lo/rp_filter"), .string("kernel.ostype")])),
        .init(
          "equal", .members([.init("net.ipv4.ip_local_port_range", .string(" \(range.replacing(" ", with: "\t"))"))])),
        .init("atLeast", .members([.init("kernel.pid_max", .int(2))])),
      ])
    #expect(output.objection == nil, "\(String(describing: output.objection))")
    #expect(output.output["values"]?["kernel.ostype"] == .string("Linux"))
    #expect(output.output["numbers"]?["kernel.ostype"] == nil)
    #expect(
      output.output["numbers"]?["net.ipv4.ip_local_port_range"]
        == .list(range.split(separator: " ").map { .int(Int64($0) ?? 0) }))
    #expect(output.output["numbers"]?["net/ipv4/conf/lo/rp_filter"] != nil)
  }

  @Test("A setting that differs fails; one that is not there, is no number or can only be written is an error")
  func sysctlTroubles() async throws {
    func result(_ member: Value.Member) async throws -> String? {
      do { return try await run("host.sysctl", [member]).objection?.finding.code } catch let error as StepError {
        return error.finding.code
      }
    }
    func names(_ name: String) -> Value.Member { .init("names", .list([.string(name)])) }
    #expect(try await result(.init("atMost", .members([.init("kernel.pid_max", .int(1))]))) == "host.sysctlDiffers")
    #expect(
      try await result(.init("equal", .members([.init("kernel.ostype", .string("BSD"))]))) == "host.sysctlDiffers")
    #expect(
      try await result(.init("atLeast", .members([.init("net.ipv4.ip_local_port_range", .int(1))])))
        == "host.sysctlNoNumber")
    for name in ["net.core.no_such", "net.core.rmem_max.below", "nosuch.thing"] {
      #expect(try await result(names(name)) == "host.sysctlMissing", "\(name)")
    }
    #expect(try await result(names("net.ipv4.route.flush")) == "host.sysctlUnreadable")
    for name in ["../../etc/passwd", "net...core", "/etc/passwd", "net", "net/../../../etc/passwd", "net.core.", ""] {
      #expect(try await result(names(name)) == "host.sysctlName", "\(name)")
    }
    let error = try await stepError { _ = try await run("host.sysctl", [names("net.core.rmem_maxx")]) }
    #expect(error.finding.advice?.contains("Did you mean rmem_max?") == true)
  }

  @Test(
    "Settings of the network are those of the process that is named",
    .enabled(if: geteuid() == 0, "network namespaces are root's to make"))
  func sysctlOfNamespace() async throws {
    let process = try LiveProcess(
      "/usr/bin/unshare",
      ["--net", "/bin/sh", "-euc", "echo 20001 20999 >/proc/sys/net/ipv4/ip_local_port_range; echo; exec sleep 60"],
      isReplacingItself: true)
    defer { withExtendedLifetime(process) {} }
    try process.awaitLine()
    func value(_ members: [Value.Member]) async throws -> Value? {
      let name = Value.Member("names", .list([.string("net.ipv4.ip_local_port_range")]))
      return try await run("host.sysctl", [name] + members).output["values"]?["net.ipv4.ip_local_port_range"]
    }
    let choice = Value.Member("process", .members([.init("pid", .int(Int64(process.pid)))]))
    #expect(try await value([choice]) == .string("20001 20999"))
    #expect(try await value([]) != .string("20001 20999"))
  }
}
