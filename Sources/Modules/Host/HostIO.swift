import Glibc
package import Journal
import Schema
package import Steps

/// How busy the disks are, and how long they take, over a window.
package struct HostIO: StepModule {
  package struct Input: Hashable, Sendable {
    package var devices: [String]
    package var window: Duration
  }

  package struct Device: Hashable, Sendable {
    package var name: String
    package var used: Double?
    package var read: Int?
    package var written: Int?
    package var readLatency: Duration?
    package var writeLatency: Duration?
  }

  package struct Output: Hashable, Sendable {
    package var devices: [Device]
    package var busiest: Double?
    package var slowest: Duration?
  }

  private static let device = Record(
    Device.init,
    Field("name", \.name, .string, "Its name, such as `sda`."),
    Field("used", \.used, .optional(.percent), "The part of the window in which something was under way."),
    Field("read", \.read, .optional(.byteSize), "What was read, per second."),
    Field("written", \.written, .optional(.byteSize), "What was written, per second."),
    Field(
      "readLatency", \.readLatency, .optional(.duration), "How long a read took, waiting included; absent without any."),
    Field("writeLatency", \.writeLatency, .optional(.duration), "How long a write took; absent without any.")
  )

  package static let declaration = ModuleDeclaration(
    "host.io", "How busy the disks are, and how long they take, over a window.",
    discussion: """
      It looks at whole devices, and at the partitions that are named. `used` is the part of the window in which something was
      under way: a device that does many things at a time has room even at 100%, so look at the latency too. In a container the
      disks are the host's.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("devices", \.devices, .list(.string), default: [], "Names such as `sda`; all disks, if none is given."),
      Field(
        "window", \.window, .duration.within(.milliseconds(200) ... .seconds(3600)), default: .seconds(2),
        "How long it is measured.")
    ),
    output: Record(
      Output.init,
      Field("devices", \.devices, .list(.record(device)), "Each device."),
      Field("busiest", \.busiest, .optional(.percent), "The largest used part; absent without a disk."),
      Field("slowest", \.slowest, .optional(.duration), "The longest latency; absent if nothing was read or written.")
    ),
    examples: [
      .init(
        "The disks keep up", with: "window: 5s",
        expect: ["output.?busiest.orValue(0.0) < 90.0", "output.?slowest.orValue(duration('0s')) < duration('100ms')"])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    SamplingWindow.objection(input.window, within: timeout)
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let first = DeviceCounters.all(in: try ProcFile.text("/proc/diskstats"))
    let start = ContinuousClock.now
    try await SamplingWindow.wait(input.window)
    let last = DeviceCounters.all(in: try ProcFile.text("/proc/diskstats"))
    let elapsed = ContinuousClock.now - start
    let wanted = input.devices.map { $0.hasPrefix("/dev/") ? String($0.dropFirst(5)) : $0 }
    let names = wanted.isEmpty ? last.keys.filter { Self.isDisk($0, last[$0]) } : wanted
    let devices = names.sorted().compactMap { name in
      last[name].map { counters in
        Device(name, counted: first[name].flatMap { counters.since($0) }, over: elapsed)
      }
    }
    let output = Output(
      devices: devices, busiest: devices.compactMap(\.used).max(),
      slowest: devices.flatMap { [$0.readLatency, $0.writeLatency] }.compactMap(\.self).max())
    if let missing = names.first(where: { last[$0] == nil }) {
      return .failed(
        output,
        Finding(
          "host.noDevice", "there is no block device \(missing)",
          advice: "There are: \(last.keys.filter { Self.isDisk($0, last[$0]) }.sorted().joined(separator: ", "))"))
    }
    return .done(output)
  }

  /// No partition, and nothing that was never used, as most loop devices.
  private static func isDisk(_ name: String, _ counters: DeviceCounters?) -> Bool {
    access("/sys/class/block/\(name)/partition", F_OK) != 0 && counters != DeviceCounters()
  }
}

extension HostIO.Device {
  /// - Parameter counted: of the window; nil if that is not known.
  init(_ name: String, counted: DeviceCounters?, over window: Duration) {
    let seconds = window / .seconds(1)
    func latency(_ time: Int, _ count: Int) -> Duration? {
      count == 0 ? nil : .microseconds(Int64(time) * 1000 / Int64(count))
    }
    self.init(
      name: name, used: counted.map { min(100, (Double($0.busyTime) / (seconds * 10) * 100).rounded() / 100) },
      read: counted.map { Int(Double($0.readSectors) * 512 / seconds) },
      written: counted.map { Int(Double($0.writtenSectors) * 512 / seconds) },
      readLatency: counted.flatMap { latency($0.readTime, $0.reads) },
      writeLatency: counted.flatMap { latency($0.writeTime, $0.writes) })
  }
}
