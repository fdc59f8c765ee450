package import Journal
import Schema
package import Steps

/// What network interfaces carry and lose, over a window.
package struct HostNetwork: StepModule {
  package struct Input: Hashable, Sendable {
    package var interfaces: [String]
    package var window: Duration
    package var network: ProcessChoice?
  }

  package struct Interface: Hashable, Sendable {
    package var name: String
    package var received: Int?
    package var sent: Int?
    package var packetsReceived: Double?
    package var packetsSent: Double?
    package var errors: Int?
    package var drops: Int?
    package var speed: Int?
    package var used: Double?
  }

  package struct Output: Hashable, Sendable {
    package var interfaces: [Interface]
    package var highest: Double?
    package var datagramsReceived: Int?
    package var receiveBufferErrors: Int?
    package var sendBufferErrors: Int?
    package var receiveBufferErrorsSinceBoot: Int
    package var conntrackEntries: Int?
    package var conntrackMaximum: Int?
    package var conntrackUsed: Double?
  }

  private static let interface = Record(
    Interface.init,
    Field("name", \.name, .string, "Its name."),
    Field("received", \.received, .optional(.bandwidth), "What came in, per second."),
    Field("sent", \.sent, .optional(.bandwidth), "What went out, per second."),
    Field("packetsReceived", \.packetsReceived, .optional(.double), "Packets that came in, per second."),
    Field("packetsSent", \.packetsSent, .optional(.double), "Packets that went out, per second."),
    Field("errors", \.errors, .optional(.int), "Damaged, cut or overrun packets of the window, in both directions."),
    Field("drops", \.drops, .optional(.int), "Packets of the window that were dropped, in both directions."),
    Field("speed", \.speed, .optional(.bandwidth), "What it can carry; absent if it has no speed."),
    Field("used", \.used, .optional(.percent), "The used part of that, in the direction that carries more.")
  )

  package static let declaration = ModuleDeclaration(
    "host.network",
    "What network interfaces carry and lose, what UDP sockets have no room for, and use of connection tracking.",
    discussion: """
      Rates are those between two looks, `window` apart. An interface whose counters begin anew in between, because it was
      reset, has none: they are absent. `receiveBufferErrors` are datagrams that had arrived and for which the server's socket
      had no room: media that is lost on this very host.

      A full table of connection tracking drops new clients. All is of one network namespace: that of the process `network`, which
      needs root, or else our own.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("interfaces", \.interfaces, .list(.string), default: [], "Those to look at; all, if none is given."),
      Field(
        "window", \.window, .duration.within(.milliseconds(200) ... .seconds(3600)), default: .seconds(2),
        "How long it is measured."),
      Field(
        "network", \.network, .optional(.record(ProcessChoice.record)), "The process whose network is looked at.")
    ),
    output: Record(
      Output.init,
      Field("interfaces", \.interfaces, .list(.record(interface)), "Each interface."),
      Field("highest", \.highest, .optional(.percent), "The largest used part among the interfaces with a speed."),
      Field("datagramsReceived", \.datagramsReceived, .optional(.int), "UDP datagrams that sockets got in the window."),
      Field(
        "receiveBufferErrors", \.receiveBufferErrors, .optional(.int),
        "UDP datagrams of the window for which a socket had no room."),
      Field(
        "sendBufferErrors", \.sendBufferErrors, .optional(.int),
        "UDP datagrams of the window that could not be sent for want of room."),
      Field(
        "receiveBufferErrorsSinceBoot", \.receiveBufferErrorsSinceBoot, .int,
        "UDP datagrams for which a socket had no room, since the namespace was made."),
      Field(
        "conntrackEntries", \.conntrackEntries, .optional(.int),
        "Connections that the packet filter keeps track of; absent if it keeps none."),
      Field("conntrackMaximum", \.conntrackMaximum, .optional(.int), "How many it may keep."),
      Field("conntrackUsed", \.conntrackUsed, .optional(.percent), "The used part of that.")
    ),
    examples: [
      .init(
        "The network has room, and nothing is lost in it", with: "window: 5s",
        expect: [
          "output.?highest.orValue(0.0) < 80.0", "output.?receiveBufferErrors.orValue(1) == 0",
          "output.?conntrackUsed.orValue(0.0) < 80.0",
        ])
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    SamplingWindow.objection(input.window, within: timeout) ?? input.network?.objection
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let network = try NetworkNamespace.process(of: input.network)
    let look = { @Sendable () throws(StepError) in try NetworkSample.now() }
    let first = try await NetworkNamespace.inside(network, look)
    try await SamplingWindow.wait(input.window)
    let last = try await NetworkNamespace.inside(network, look)
    let isOwn = network == nil
    let names = (input.interfaces.isEmpty ? Array(last.interfaces.keys) : input.interfaces).sorted()
    let interfaces = names.compactMap { name in
      last.interfaces[name].map { counters in
        Interface(
          name, counted: first.interfaces[name].flatMap { counters.since($0) }, over: last.time - first.time,
          speed: isOwn ? NetworkSample.speed(of: name) : nil)
      }
    }
    let output = Output(interfaces, first, last)
    if let missing = names.first(where: { last.interfaces[$0] == nil }) {
      return .failed(
        output,
        Finding(
          "host.noInterface", "there is no network interface \(missing)",
          advice: "There are: \(last.interfaces.keys.sorted().joined(separator: ", "))"))
    }
    return .done(output)
  }
}

extension HostNetwork.Interface {
  /// - Parameter counted: of the window; nil if that is not known.
  init(_ name: String, counted: InterfaceCounters?, over window: Duration, speed: Int?) {
    let seconds = window / .seconds(1)
    func rate(_ number: Int) -> Double { (Double(number) / seconds * 100).rounded() / 100 }
    let received = counted.map { Int(Double($0.receivedBytes) * 8 / seconds) }
    let sent = counted.map { Int(Double($0.sentBytes) * 8 / seconds) }
    self.init(
      name: name, received: received, sent: sent, packetsReceived: counted.map { rate($0.receivedPackets) },
      packetsSent: counted.map { rate($0.sentPackets) }, errors: counted.map { $0.receiveErrors + $0.sendErrors },
      drops: counted.map { $0.receiveDrops + $0.sendDrops }, speed: speed,
      used: speed.flatMap { speed in counted == nil ? nil : percentage(max(received ?? 0, sent ?? 0), of: speed) })
  }
}

extension HostNetwork.Output {
  fileprivate init(_ interfaces: [HostNetwork.Interface], _ first: NetworkSample, _ last: NetworkSample) {
    func counted(_ path: KeyPath<DatagramCounters, Int>) -> Int? {
      let difference = last.datagrams[keyPath: path] - first.datagrams[keyPath: path]
      return difference < 0 ? nil : difference
    }
    self.init(
      interfaces: interfaces, highest: interfaces.compactMap(\.used).max(), datagramsReceived: counted(\.received),
      receiveBufferErrors: counted(\.receiveBufferErrors), sendBufferErrors: counted(\.sendBufferErrors),
      receiveBufferErrorsSinceBoot: last.datagrams.receiveBufferErrors, conntrackEntries: last.conntrack?.used,
      conntrackMaximum: last.conntrack?.maximum,
      conntrackUsed: last.conntrack.map { percentage($0.used, of: $0.maximum) })
  }
}
