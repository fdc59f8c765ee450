import Glibc
import Schema
import Steps

/// What a network interface counts, since it was made: a line of `/proc/net/dev` (proc(5)).
struct InterfaceCounters: Hashable, Sendable {
  var receivedBytes = 0
  var receivedPackets = 0
  var receiveErrors = 0
  var receiveDrops = 0
  var sentBytes = 0
  var sentPackets = 0
  var sendErrors = 0
  var sendDrops = 0

  /// By the interface's name.
  static func all(in text: String) -> [String: InterfaceCounters] {
    text.split(separator: "\n").reduce(into: [:]) { all, line in
      guard let colon = line.lastIndex(of: ":") else { return }
      let numbers = line[line.index(after: colon)...].split(separator: " ").map { Int($0) }
      guard numbers.count >= 12, !numbers.contains(nil) else { return }
      let words = numbers.compactMap(\.self)
      all[line[..<colon].trimmingPrefix { $0 == " " }.description] = InterfaceCounters(
        receivedBytes: words[0], receivedPackets: words[1], receiveErrors: words[2] + words[4] + words[5],
        receiveDrops: words[3], sentBytes: words[8], sentPackets: words[9], sendErrors: words[10],
        sendDrops: words[11])
    }
  }

  /// What was counted since an earlier look; nil if a counter went back: it began anew, and what was counted is not known.
  func since(_ earlier: InterfaceCounters) -> InterfaceCounters? {
    var counted = InterfaceCounters()
    for path in Self.paths {
      let difference = self[keyPath: path] - earlier[keyPath: path]
      guard difference >= 0 else { return nil }
      counted[keyPath: path] = difference
    }
    return counted
  }

  private static var paths: [WritableKeyPath<InterfaceCounters, Int>] {
    [
      \.receivedBytes, \.receivedPackets, \.receiveErrors, \.receiveDrops, \.sentBytes, \.sentPackets, \.sendErrors,
      \.sendDrops,
    ]
  }
}

/// What is counted of UDP, of IPv4 and IPv6 together.
struct DatagramCounters: Hashable, Sendable {
  var received = 0
  /// Datagrams for which a socket had no room.
  var receiveBufferErrors = 0
  var sendBufferErrors = 0

  /// - Parameters:
  ///   - snmp: `/proc/net/snmp`: a line of names, then a line of numbers.
  ///   - snmp6: `/proc/net/snmp6`: a name and a number a line; empty without IPv6.
  init(snmp: String, snmp6: String) {
    let lines = snmp.split(separator: "\n").filter { $0.hasPrefix("Udp: ") }.map {
      $0.split(separator: " ").dropFirst()
    }
    var facts: [Substring: Int] = [:]
    if lines.count == 2 { for (name, number) in zip(lines[0], lines[1]) { facts[name] = Int(number) } }
    var facts6: [Substring: Int] = [:]
    for line in snmp6.split(separator: "\n") where line.hasPrefix("Udp6") {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.count == 2 { facts6[words[0].dropFirst(4)] = Int(words[1]) }
    }
    func sum(_ name: Substring) -> Int { (facts[name] ?? 0) + (facts6[name] ?? 0) }
    received = sum("InDatagrams")
    receiveBufferErrors = sum("RcvbufErrors")
    sendBufferErrors = sum("SndbufErrors")
  }
}

/// The counters of one network namespace at one time.
struct NetworkSample: Sendable {
  let interfaces: [String: InterfaceCounters]
  let datagrams: DatagramCounters
  /// Connections that the packet filter keeps track of, and how many it may; nil if it keeps none.
  let conntrack: (used: Int, maximum: Int)?
  let time = ContinuousClock.now

  /// Of the calling thread's namespace.
  static func now() throws(StepError) -> NetworkSample {
    func number(_ name: String) -> Int? {
      (try? ProcFile.text("/proc/sys/net/netfilter/\(name)")).flatMap { Int($0.prefix { $0.isNumber }) }
    }
    let used = number("nf_conntrack_count")
    return NetworkSample(
      interfaces: InterfaceCounters.all(in: try ProcFile.text("/proc/thread-self/net/dev")),
      datagrams: DatagramCounters(
        snmp: try ProcFile.text("/proc/thread-self/net/snmp"),
        snmp6: (try? ProcFile.text("/proc/thread-self/net/snmp6")) ?? ""),
      conntrack: used.flatMap { used in number("nf_conntrack_max").map { (used, $0) } })
  }

  /// Bits per second that an interface can carry, of our own network; nil if it has no speed.
  static func speed(of interface: String) -> Int? {
    guard !interface.contains("/"), let text = try? ProcFile.text("/sys/class/net/\(interface)/speed"),
      let megabits = Int(text.prefix { $0 != "\n" }), megabits > 0
    else { return nil }
    return megabits * 1_000_000
  }
}
