package import Schema

/// What a container uses, as `docker stats` computes it. What the engine does not tell is nil, and never 0.
package struct ContainerStatistics: Hashable, Sendable {
  /// 100 is one processor, as in `docker stats`.
  package var cpu: Double?
  package var processors: Int?
  /// Without what the kernel can take back from the cache of files.
  package var memory: Int?
  package var memoryLimit: Int?
  package var processes: Int?
  /// Nil on the host's network, whose counters are the host's.
  package var received: Int?
  package var sent: Int?
  package var read: Int?
  package var written: Int?
  /// How many periods the scheduler held it back in, of those that there were.
  package var throttledPeriods: Int?

  package var memoryUsed: Double? {
    guard let memory, let memoryLimit, memoryLimit > 0 else { return nil }
    return Double(memory) / Double(memoryLimit) * 100
  }

  /// Reads `GET /containers/ID/stats?stream=false`, of control groups of version 1 and 2. Nil for a container that does not run.
  package init?(_ json: JSON) {
    guard let read = json["read"]?.string, Timestamp(engine: read) != nil else { return nil }
    readProcessor(json)
    readMemory(json["memory_stats"])
    processes = json["pids_stats"]?["current"].flatMap(Self.number)
    readNetworks(json["networks"])
    readDisks(json["blkio_stats"]?["io_service_bytes_recursive"])
  }

  private static func number(_ json: JSON) -> Int? {
    switch json {
    case .int(let number): Int(exactly: number)
    // A limit of 2⁶⁴ − 1, which stands for none, is beyond an integer of 64 bits.
    case .double(let number): Int(exactly: number.rounded())
    default: nil
    }
  }

  private mutating func readProcessor(_ json: JSON) {
    let now = json["cpu_stats"]
    let before = json["precpu_stats"]
    processors =
      now?["online_cpus"].flatMap(Self.number).flatMap { $0 > 0 ? $0 : nil }
      ?? now?["cpu_usage"]?["percpu_usage"]?.array.map(\.count).flatMap { $0 > 0 ? $0 : nil }
    throttledPeriods = now?["throttling_data"]?["throttled_periods"].flatMap(Self.number)
    // Without a sample of before there is no rate: the counters since the start are none.
    guard let system = now?["system_cpu_usage"].flatMap(Self.number),
      let systemBefore = before?["system_cpu_usage"].flatMap(Self.number),
      let total = now?["cpu_usage"]?["total_usage"].flatMap(Self.number),
      let totalBefore = before?["cpu_usage"]?["total_usage"].flatMap(Self.number), let processors,
      system > systemBefore, total >= totalBefore
    else { return }
    cpu = Double(total - totalBefore) / Double(system - systemBefore) * Double(processors) * 100
  }

  private mutating func readMemory(_ json: JSON?) {
    guard let usage = json?["usage"].flatMap(Self.number) else { return }
    // Version 1 calls it total_inactive_file, version 2 inactive_file.
    let cache =
      json?["stats"]?["total_inactive_file"].flatMap(Self.number)
      ?? json?["stats"]?["inactive_file"].flatMap(Self.number)
    memory = cache.flatMap { $0 < usage ? usage - $0 : nil } ?? usage
    memoryLimit = json?["limit"].flatMap(Self.number).flatMap { $0 > 0 ? $0 : nil }
  }

  private mutating func readNetworks(_ json: JSON?) {
    guard case .object(let interfaces)? = json, !interfaces.isEmpty else { return }
    received = sum(interfaces.map { $0.value["rx_bytes"] })
    sent = sum(interfaces.map { $0.value["tx_bytes"] })
  }

  private mutating func readDisks(_ json: JSON?) {
    // Without any entry nothing was counted: the disks may not be counted at all.
    guard let entries = json?.array, !entries.isEmpty else { return }
    func bytes(_ operation: String) -> Int? {
      sum(entries.filter { $0["op"]?.string?.lowercased() == operation }.map { $0["value"] })
    }
    read = bytes("read")
    written = bytes("write")
  }

  private func sum(_ values: [JSON?]) -> Int? {
    let numbers = values.compactMap { $0.flatMap(Self.number) }
    return numbers.isEmpty ? nil : numbers.reduce(0, +)
  }
}

extension DockerEngine {
  /// What a container uses. It takes the engine a second or two, which it needs between two samples.
  ///
  /// - Returns: nil for a container that does not run.
  package func statistics(
    of id: String, by deadline: ContinuousClock.Instant
  ) async throws(DockerError) -> ContainerStatistics? {
    ContainerStatistics(
      try await document("/containers/\(id)/stats", query: [("stream", "false")], by: deadline).json)
  }
}
