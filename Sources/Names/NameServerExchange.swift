import Addresses
import CAres
import Connections
import Glibc

/// Questions to one name server, all at once, on one thread.
struct NameServerExchange {
  let server: TransportAddress
  /// How long it may take.
  let patience: Duration

  /// How often a question is sent; each time, c-ares waits twice as long as before.
  private static let tries: Int32 = 3

  /// The servers of /etc/resolv.conf, in their order.
  static func configuredServers() -> [TransportAddress] {
    guard let channel = Channel() else { return [] }
    return channel.servers
  }

  /// The answers, in the order of the questions; nil if the interruption was announced.
  func answers(to questions: [DNSQuestion], interruption: StopSignal) -> [DNSAnswer]? {
    let start = ContinuousClock.now
    let none = questions.map { DNSAnswer($0, .unreachable, server: server, elapsed: .zero) }
    guard let channel = Channel(server: server, firstWait: patience / 7, tries: Self.tries) else { return none }
    let replies = questions.map { _ in Reply() }
    for (question, reply) in zip(questions, replies) { channel.ask(question, reply) }
    let isInterrupted = channel.run(by: start + patience, interruption: interruption)
    guard !isInterrupted else { return nil }
    // What ICMP says reaches one question alone; the others share the socket and are told of a timeout.
    let isRefused = replies.contains { $0.status == ARES_ECONNREFUSED } && replies.allSatisfy { $0.message == nil }
    return zip(questions, replies).map { question, reply in
      answer(to: question, reply, isRefused: isRefused, elapsed: start.duration(to: reply.arrival ?? .now))
    }
  }

  private func answer(to question: DNSQuestion, _ reply: Reply, isRefused: Bool, elapsed: Duration) -> DNSAnswer {
    func none(_ outcome: DNSOutcome) -> DNSAnswer {
      DNSAnswer(question, outcome, server: server, elapsed: elapsed)
    }
    guard let bytes = reply.message else {
      return switch reply.status {
      case ARES_ECONNREFUSED: none(.unreachable)
      case ARES_EBADRESP, ARES_EFORMERR: none(.malformed)
      case ARES_EBADNAME, ARES_EBADQUERY: none(.notUnderstood)
      default: none(isRefused ? .unreachable : .timedOut)
      }
    }
    guard let message = DNSMessage(bytes) else { return none(.malformed) }
    let (outcome, records, aliases) = message.answer(to: question)
    return DNSAnswer(
      question, outcome, records: records, aliases: aliases.compactMap(\.aliasTarget),
      lifetime: (records + aliases).map(\.lifetime).min(), server: server, elapsed: elapsed)
  }
}

/// What came back for one question.
private final class Reply {
  fileprivate(set) var status: Int32 = -1
  fileprivate(set) var message: [UInt8]?
  fileprivate(set) var arrival: ContinuousClock.Instant?
}

/// Owns one `ares_channel`. It is used on one thread.
private final class Channel {
  private let raw: ares_channel
  /// How many questions are open.
  private var open = 0

  private static let isLibraryReady = ares_library_init(0) == ARES_SUCCESS

  /// A channel to the servers of /etc/resolv.conf; nil without memory.
  init?() {
    var raw: ares_channel?
    guard Self.isLibraryReady, ares_init(&raw) == ARES_SUCCESS, let raw else { return nil }
    self.raw = raw
  }

  /// A channel to one server, which takes its answers as they come: which code is no answer, the caller decides.
  init?(server: TransportAddress, firstWait: Duration, tries: Int32) {
    var options = ares_options()
    options.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES
    let milliseconds = firstWait / .milliseconds(1)
    options.timeout = Int32(max(1, min(milliseconds, 60_000)))
    options.tries = tries
    var raw: ares_channel?
    let mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
    guard Self.isLibraryReady, ares_init_options(&raw, &options, mask) == ARES_SUCCESS, let raw else { return nil }
    self.raw = raw
    guard ares_set_servers_ports_csv(raw, "\(server)") == ARES_SUCCESS else { return nil }
  }

  deinit { ares_destroy(raw) }

  var servers: [TransportAddress] {
    var list: UnsafeMutablePointer<ares_addr_port_node>?
    guard ares_get_servers_ports(raw, &list) == ARES_SUCCESS else { return [] }
    defer { ares_free_data(list) }
    return sequence(first: list, next: { $0?.pointee.next }).compactMap { node in
      guard let node = node?.pointee else { return nil }
      let octets = withUnsafeBytes(of: node.addr) { Array($0.prefix(node.family == AF_INET ? 4 : 16)) }
      return IPAddress(octets: octets).map {
        TransportAddress(ip: $0, port: node.udp_port > 0 ? UInt16(clamping: node.udp_port) : 53)
      }
    }
  }

  func ask(_ question: DNSQuestion, _ reply: Reply) {
    open += 1
    let context = Unmanaged.passRetained(Pending(reply: reply, channel: self)).toOpaque()
    ares_query(
      raw, question.name, 1, Int32(question.type.rawValue),
      { context, status, _, bytes, count in
        guard let context else { return }
        let pending = Unmanaged<Pending>.fromOpaque(context).takeRetainedValue()
        pending.reply.status = status
        pending.reply.arrival = .now
        if let bytes, count > 0 {
          pending.reply.message = Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
        }
        pending.channel?.open -= 1
      }, context)
  }

  private final class Pending {
    let reply: Reply
    weak var channel: Channel?

    init(reply: Reply, channel: Channel) {
      self.reply = reply
      self.channel = channel
    }
  }

  /// Goes on until every question has its answer or the time is over. True if the interruption was announced.
  func run(by deadline: ContinuousClock.Instant, interruption: StopSignal) -> Bool {
    while open > 0 {
      guard ContinuousClock.now < deadline else {
        ares_cancel(raw)
        return false
      }
      var sockets = [ares_socket_t](repeating: -1, count: Int(ARES_GETSOCK_MAXNUM))
      let wanted = ares_getsock(raw, &sockets, ARES_GETSOCK_MAXNUM)
      var events: [pollfd] = sockets.indices.compactMap { index in
        let reads = wanted & (1 << index) != 0
        let writes = wanted & (1 << (index + Int(ARES_GETSOCK_MAXNUM))) != 0
        guard reads || writes else { return nil }
        return pollfd(
          fd: sockets[index], events: Int16((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)), revents: 0)
      }
      events.append(pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0))
      poll(&events, nfds_t(events.count), min(waitingTime(until: deadline), ownWait))
      guard events[events.count - 1].revents == 0 else {
        ares_cancel(raw)
        return true
      }
      let ready = events.dropLast().filter { $0.revents != 0 }
      if ready.isEmpty { ares_process_fd(raw, -1, -1) }
      for event in ready {
        let isReadable = event.revents & Int16(POLLIN | POLLERR | POLLHUP) != 0
        let isWritable = event.revents & Int16(POLLOUT) != 0
        ares_process_fd(raw, isReadable ? event.fd : -1, isWritable ? event.fd : -1)
      }
    }
    return false
  }

  /// Milliseconds until c-ares wants to do something by itself.
  private var ownWait: Int32 {
    var limit = timeval(tv_sec: 1, tv_usec: 0)
    var wait = timeval()
    guard let time = ares_timeout(raw, &limit, &wait) else { return 1000 }
    return Int32(clamping: time.pointee.tv_sec * 1000 + time.pointee.tv_usec / 1000 + 1)
  }
}
