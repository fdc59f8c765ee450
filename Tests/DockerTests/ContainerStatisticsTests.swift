import Docker
import Schema
import Testing

/// Recorded answers of engines on hosts with control groups of version 1 and 2.
@Suite struct ContainerStatisticsTests {
  private func statistics(_ text: String) throws -> ContainerStatistics? {
    ContainerStatistics(try JSON(parsing: text))
  }

  /// Docker 20.10, version 1, on the host's network.
  private static let versionOne = """
    {"read":"2026-11-28T23:00:34.12019222Z","preread":"2026-11-28T23:00:33.115558439Z","pids_stats":{"current":7},
    "blkio_stats":{"io_service_bytes_recursive":[],"io_serviced_recursive":[]},"num_procs":0,"storage_stats":{},
    "cpu_stats":{"cpu_usage":{"total_usage":51491251,"percpu_usage":[21361325,30129926]},"system_cpu_usage":137110960000000,
    "online_cpus":2,"throttling_data":{"periods":0,"throttled_periods":0,"throttled_time":0}},
    "precpu_stats":{"cpu_usage":{"total_usage":50372823},"system_cpu_usage":137108960000000,"online_cpus":2},
    "memory_stats":{"usage":4583424,"max_usage":4632576,"stats":{"cache":69632,"inactive_file":65536,"total_inactive_file":65536},
    "limit":25276514304},"name":"/c1"}
    """

  /// Docker 24, version 2, on a bridge.
  private static let versionTwo = """
    {"read":"2026-11-28T23:00:34.12019222Z","preread":"2026-11-28T23:00:33.115558439Z","pids_stats":{"current":9,"limit":18446744073709551615},
    "blkio_stats":{"io_service_bytes_recursive":[{"major":254,"minor":0,"op":"read","value":4096},
    {"major":254,"minor":0,"op":"write","value":8192},{"major":254,"minor":16,"op":"read","value":1024}],"io_serviced_recursive":null},
    "cpu_stats":{"cpu_usage":{"total_usage":3000000000},"system_cpu_usage":20000000000,"online_cpus":4,
    "throttling_data":{"periods":10,"throttled_periods":3,"throttled_time":5}},
    "precpu_stats":{"cpu_usage":{"total_usage":2000000000},"system_cpu_usage":16000000000,"online_cpus":4},
    "memory_stats":{"usage":104857600,"stats":{"anon":80000000,"file":20000000,"inactive_file":4857600},"limit":209715200},
    "networks":{"eth0":{"rx_bytes":1000,"tx_bytes":2000},"eth1":{"rx_bytes":10,"tx_bytes":20}}}
    """

  @Test("Version 1: use of processors and memory as docker stats has them; without counters of its own nothing is 0")
  func versionOne() throws {
    let found = try #require(try statistics(Self.versionOne))
    #expect(found.cpu.map { ($0 * 1000).rounded() / 1000 } == 0.112)
    #expect(found.memory == 4_583_424 - 65_536)
    #expect(found.memoryLimit == 25_276_514_304)
    #expect(found.processes == 7)
    #expect(found.received == nil && found.sent == nil && found.read == nil && found.written == nil)
  }

  @Test("Version 2: the cache has another name, and networks and disks are summed up")
  func versionTwo() throws {
    let found = try #require(try statistics(Self.versionTwo))
    #expect(found.cpu == 100)
    #expect(found.memory == 100_000_000)
    #expect(found.memoryUsed.map { Int($0 * 100) } == 4768)
    #expect(found.received == 1010 && found.sent == 2020 && found.read == 5120 && found.written == 8192)
    #expect(found.throttledPeriods == 3)
  }

  @Test("A container that does not run has no figures, though the engine answers with zeros")
  func ended() throws {
    let zeros = """
      {"read":"0001-01-01T00:00:00Z","preread":"0001-01-01T00:00:00Z","pids_stats":{},"blkio_stats":{},
      "cpu_stats":{"cpu_usage":{"total_usage":0}},"precpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{}}
      """
    #expect(try statistics(zeros) == nil)
  }

  @Test("Without a first sample there is no rate, and without figures none is made up")
  func firstSample() throws {
    let text = """
      {"read":"2026-11-28T23:00:34Z","cpu_stats":{"cpu_usage":{"total_usage":51491251},"system_cpu_usage":137110960000000,
      "online_cpus":2},"precpu_stats":{"cpu_usage":{"total_usage":0}},"memory_stats":{},"networks":{}}
      """
    let found = try #require(try statistics(text))
    #expect(found.cpu == nil && found.memory == nil && found.memoryUsed == nil && found.processes == nil)
    #expect(found.received == nil)
    #expect(found.processors == 2)
  }
}
