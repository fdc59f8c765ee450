import Foundation
import TestSupport
import Testing

@testable import Modules

/// Files as the kernel writes them, in a folder that stands for the mounted hierarchy.
@Suite struct ControlGroupTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func write(_ files: [String: String]) throws {
    for (name, text) in files { try folder.write(text + "\n", to: name) }
  }

  private func group(
    _ controller: String, _ membership: String, type: String, root: String = "/", options: String = "rw"
  )
    -> ControlGroup
  {
    ControlGroup(
      controller, membership: membership,
      mounts: MountTable.mounts(in: "41 31 0:38 \(root) \(folder.path) rw - \(type) cgroup \(options)"))
  }

  @Test("Version 2: of the limits upwards that counts which is nearest to being reached; cache is not used memory")
  func memoryV2() throws {
    try write([
      "ops.slice/memory.max": "2000", "ops.slice/memory.current": "1900",
      "ops.slice/memory.stat": "anon 1\ninactive_file 100",
      "ops.slice/web.service/memory.max": "1000", "ops.slice/web.service/memory.current": "500",
      "ops.slice/web.service/memory.stat": "inactive_file 200", "ops.slice/web.service/sub/memory.max": "max",
      "ops.slice/web.service/sub/memory.current": "1",
    ])
    let group = group("memory", "0::/ops.slice/web.service/sub\n", type: "cgroup2")
    let limit = try #require(group.memoryLimit(below: 10_000))
    #expect(limit.bytes == 2000 && limit.used == 1800)
    #expect(group.memoryLimit(below: 1000) == nil)
  }

  @Test("Version 1: a limit beyond all memory is none; a container sees its own group at the mount's point")
  func memoryV1() throws {
    try write([
      "memory.limit_in_bytes": "4096", "memory.usage_in_bytes": "3072",
      "memory.stat": "cache 9\ntotal_inactive_file 1024",
    ])
    let membership = "5:cpu,cpuacct:/x\n4:memory:/docker/1f2e\n0::/\n"
    let container = group("memory", membership, type: "cgroup", root: "/docker/1f2e", options: "rw,memory")
    let limit = try #require(container.memoryLimit(below: 1 << 30))
    #expect(limit.bytes == 4096 && limit.used == 2048)
    try write(["memory.limit_in_bytes": "9223372036854771712"])
    #expect(container.memoryLimit(below: 1 << 30) == nil)
  }

  @Test("Quotas of processors, and how often they held the group back")
  func processors() throws {
    try write([
      "a/cpu.max": "150000 100000", "a/cpu.stat": "usage_usec 7\nnr_periods 200\nnr_throttled 50",
      "a/b/cpu.max": "max 100000",
    ])
    let unified = try #require(group("cpu", "0::/a/b\n", type: "cgroup2").processorLimit(below: 4096))
    #expect(unified.processors == 1.5 && unified.throttled == 25)
    try write(["cpu.cfs_quota_us": "50000", "cpu.cfs_period_us": "100000", "cpu.stat": "nr_periods 10\nnr_throttled 1"])
    let first = group("cpu", "2:cpuacct,cpu:/\n", type: "cgroup", options: "rw,cpuacct,cpu")
    let limit = try #require(first.processorLimit(below: 4096))
    #expect(limit.processors == 0.5 && limit.throttled == 10)
  }

  @Test("Without a hierarchy there is no limit, and a membership outside of what is mounted is not followed")
  func nothing() throws {
    try write(["memory.max": "100", "memory.current": "10"])
    #expect(ControlGroup("memory", membership: "0::/\n", mounts: []).memoryLimit(below: 1000) == nil)
    let outside = group("memory", "0::/../../etc\n", type: "cgroup2")
    #expect(outside.memoryLimit(below: 1000)?.bytes == 100)
  }
}
