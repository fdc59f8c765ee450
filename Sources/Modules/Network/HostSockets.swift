import Addresses
package import Journal
import Processes
import Schema
package import Steps

/// Who has a port, and whether exactly one does.
package struct HostSockets: StepModule {
  package struct Input: Hashable, Sendable {
    package var port: Int
    package var transport: SocketTransport
    package var address: String?
    package var owner: ProcessChoice?
    package var network: ProcessChoice?
  }

  package struct Socket: Hashable, Sendable {
    package var address: String
    package var user: String
    package var pids: [Int]
    package var answers: Bool
  }

  package struct Owner: Hashable, Sendable {
    package var pid: Int
    package var name: String
    package var executable: String?
    package var user: String
  }

  package struct Output: Hashable, Sendable {
    package var sockets: [Socket]
    package var owners: [Owner]
    package var exclusive: Bool
    package var connections: Int
    package var waiting: Int
  }

  private static let socket = Record(
    Socket.init,
    Field("address", \.address, .string, "The address and port to which it is bound; 0.0.0.0 and [::] are all."),
    Field("user", \.user, .string, "By whose rights it was opened."),
    Field("pids", \.pids, .list(.int), "The processes that have it open, as far as they can be seen."),
    Field("answers", \.answers, .bool, "Whether it is among those that get what comes in at the address.")
  )

  private static let owner = Record(
    Owner.init,
    Field("pid", \.pid, .int, "Its number."),
    Field("name", \.name, .string, "What it calls itself."),
    Field("executable", \.executable, .optional(.path), "Its program; absent if this user may not see it."),
    Field("user", \.user, .string, "By whose rights it acts.")
  )

  package static let declaration = ModuleDeclaration(
    "host.sockets", "Who has a port, and whether exactly one does.",
    discussion: """
      It fails if nobody has the port, and if several do: coturn opens its ports so that a second server starts on them without an
      error (`SO_REUSEPORT`), and the kernel divides the clients between the two. Processes that share a socket, as a server and
      its workers do, count as one.

      With `address` only the sockets count that get what comes in there: one that is bound to the address goes before one that is
      bound to all. Without it everybody who has the port on some address counts. With `owner` it fails if another process has it.

      A socket whose owner this user may not see is an error, and never nobody's. Ports belong to a network namespace: with
      `network` it is that of a process, which needs root; otherwise it is our own.
      """,
    effect: .observe, judges: true, deadline: .seconds(20),
    input: Record(
      Input.init,
      Field("port", \.port, .port, "The port."),
      Field("transport", \.transport, .enumeration(SocketTransport.self), default: .udp, "UDP or TCP."),
      Field("address", \.address, .optional(.ip), "The address at which clients come in; any, if not given."),
      Field("owner", \.owner, .optional(.record(ProcessChoice.record)), "Who should have it."),
      Field(
        "network", \.network, .optional(.record(ProcessChoice.record)), "The process whose network is looked at.")
    ),
    output: Record(
      Output.init,
      Field("sockets", \.sockets, .list(.record(socket)), "The sockets that listen at the port."),
      Field("owners", \.owners, .list(.record(owner)), "The processes that have those which answer."),
      Field("exclusive", \.exclusive, .bool, "Whether exactly one server has them."),
      Field("connections", \.connections, .int, "Sockets at the port that belong to one peer: its connections."),
      Field(
        "waiting", \.waiting, .byteSize,
        "What came in over UDP and was not read yet. If it stays, the owner is hung; if clients ask and it is 0, nothing gets here."
      )
    ),
    examples: [
      .init("The TURN server alone has its port", with: "port: 3478\ntransport: udp\nowner: {name: turnserver}")
    ])

  package init() {}

  package static func objection(to input: Input, within timeout: Duration) -> Finding? {
    input.owner?.objection ?? input.network?.objection
  }

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    if let objection = Self.objection(to: input, within: .zero) { throw StepError(.notStarted, objection) }
    let network = try NetworkNamespace.process(of: input.network)
    let (transport, port) = (input.transport, UInt16(clamping: input.port))
    let sockets = try await NetworkNamespace.inside(network) { () throws(StepError) in
      try SocketTable.sockets(transport, at: port)
    }
    let listening = sockets.filter(\.isListening).sorted { ("\($0.address)", $0.inode) < ("\($1.address)", $1.inode) }
    let wanted = input.address.flatMap { IPAddress($0) }
    let nearest = wanted.flatMap { wanted in listening.compactMap { $0.nearness(to: wanted) }.max() }
    let answering = listening.filter { socket in
      guard let wanted else { return true }
      return nearest != nil && socket.nearness(to: wanted) == nearest
    }
    let owners = await onBlockingThread { SocketOwners(of: Set(listening.map(\.inode))) }
    let groups = owners.groups(of: answering.map(\.inode))
    let processes = groups.joined().sorted().compactMap { ProcessEntry(pid: $0) }.compactMap(ProcessFacts.init)
    let unowned = answering.filter { owners.processes[$0.inode] == nil }
    let output = Output(
      sockets: listening.map { Socket($0, owners, answers: answering.contains($0)) },
      owners: processes.map { Owner($0) },
      exclusive: groups.count == 1 && unowned.isEmpty, connections: sockets.count { $0.isConnected },
      waiting: transport == .udp ? answering.map(\.waiting).reduce(0, +) : 0)
    let place = Place(input)
    if answering.isEmpty { return .failed(output, place.free()) }
    if groups.count > 1 { return .failed(output, place.shared(processes)) }
    if let socket = unowned.first {
      if owners.areSomeHidden { throw place.hidden(socket) }
      // Nobody has it: either it was closed meanwhile, or the kernel itself has it, or a process that this PID namespace does not show.
      return .failed(output, place.ownerless(socket))
    }
    if let owner = input.owner {
      let meant = Set(try owner.find().map(\.pid))
      if let other = processes.first(where: { !meant.contains($0.pid) }) {
        return .failed(output, place.other(other, owner))
      }
    }
    return .done(output)
  }
}

/// The port in sentences.
private struct Place {
  let name: String
  let transport: String

  init(_ input: HostSockets.Input) {
    transport = input.transport.rawValue.uppercased()
    name = "port \(input.port) of \(transport)" + (input.address.map { " at \($0)" } ?? "")
  }

  func free() -> Finding {
    Finding(
      "host.portFree", "nobody has \(name)",
      advice: "Look whether the server runs, and at the addresses and ports of its configuration.")
  }

  func shared(_ processes: [ProcessFacts]) -> Finding {
    Finding(
      "host.portShared",
      "several servers have \(name): \(processes.map { "\($0.title) of \(ProcessFacts.userName($0.user))" }.joined(separator: ", "))",
      advice: "The kernel divides the clients between them. End the one that is too many, and look who started it.")
  }

  func hidden(_ socket: BoundSocket) -> StepError {
    .broken(
      "host.ownerHidden",
      "a process that user \(FileStatus.userName(socket.user)) started has \(name), and this user may not see which",
      advice: "Run this as root, or as the user of the service.")
  }

  func ownerless(_ socket: BoundSocket) -> Finding {
    Finding(
      "host.portOwnerUnknown",
      "\(name) is taken, and no process that can be seen here has it (user \(FileStatus.userName(socket.user)))",
      advice: "The kernel itself may have it (WireGuard, VXLAN), or a process outside of this container.")
  }

  func other(_ process: ProcessFacts, _ owner: ProcessChoice) -> Finding {
    Finding(
      "host.portTaken", "\(process.title) has \(name), and is no process \(owner.title)",
      advice: "Find out whose it is first. Then end what took the port, and start the server.")
  }
}

extension HostSockets.Socket {
  fileprivate init(_ socket: BoundSocket, _ owners: SocketOwners, answers: Bool) {
    let isIPv6 = socket.address.family == .ipv6
    self.init(
      address: (isIPv6 ? "[\(socket.address)]" : "\(socket.address)") + ":\(socket.port)",
      user: FileStatus.userName(socket.user), pids: (owners.processes[socket.inode] ?? []).sorted().map { Int($0) },
      answers: answers)
  }
}

extension HostSockets.Owner {
  fileprivate init(_ process: ProcessFacts) {
    self.init(
      pid: process.pid, name: process.entry.name, executable: process.executablePath,
      user: ProcessFacts.userName(process.user))
  }
}
