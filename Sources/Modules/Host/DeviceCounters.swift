/// What a block device counts since the boot: a line of `/proc/diskstats` (Documentation/admin-guide/iostats of the kernel).
struct DeviceCounters: Hashable, Sendable {
  var reads = 0
  /// Of 512 bytes, whatever the device's own.
  var readSectors = 0
  /// In milliseconds, of all reads together.
  var readTime = 0
  var writes = 0
  var writtenSectors = 0
  var writeTime = 0
  /// Milliseconds in which something was under way.
  var busyTime = 0

  /// By the device's name.
  static func all(in text: String) -> [String: DeviceCounters] {
    text.split(separator: "\n").reduce(into: [:]) { all, line in
      let words = line.split(separator: " ")
      let numbers = words.dropFirst(3).prefix(10).compactMap { Int($0) }
      guard numbers.count == 10 else { return }
      all[String(words[2])] = DeviceCounters(
        reads: numbers[0], readSectors: numbers[2], readTime: numbers[3], writes: numbers[4],
        writtenSectors: numbers[6], writeTime: numbers[7], busyTime: numbers[9])
    }
  }

  /// What was counted since an earlier look; nil if a counter went back: it began anew, or passed 32 bits.
  func since(_ earlier: DeviceCounters) -> DeviceCounters? {
    var counted = DeviceCounters()
    for path in Self.paths {
      let difference = self[keyPath: path] - earlier[keyPath: path]
      guard difference >= 0 else { return nil }
      counted[keyPath: path] = difference
    }
    return counted
  }

  private static var paths: [WritableKeyPath<DeviceCounters, Int>] {
    [\.reads, \.readSectors, \.readTime, \.writes, \.writtenSectors, \.writeTime, \.busyTime]
  }
}
