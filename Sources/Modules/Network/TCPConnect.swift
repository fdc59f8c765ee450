import Addresses
import Connections
import Glibc
import Journal
import Names
import Probe
import Processes
import Schema
package import Steps

/// Connects to every address of a host.
package struct TCPConnect: StepModule {
  /// Which addresses must be reached.
  package enum Family: String, Sendable, CaseIterable {
    /// One of all.
    case any
    case v4
    case v6
    /// One of each family.
    case both
  }

  package struct Input: Sendable {
    package var host: String
    package var port: Int
    package var family: Family
    package var open: Bool
  }

  package struct Output: Sendable {
    package var addresses: [TryRecord]
    package var connected: [String]
    package var refused: [String]
    package var silent: [String]
    package var unreachable: [String]
    package var nameLookup: Duration?
    package var connect: Duration?
  }

  package static let declaration = ModuleDeclaration(
    "tcp.connect", "Connects to every address of a host over TCP, and says who refused and who was silent.",
    discussion: """
      All addresses are tried at once, each to its end: `addresses` tells what each did. With `family: any` one that is connected is
      enough. One that refuses or is silent beside it is a warning (`tcp.someFailed`): clients that get it first wait, or fail.
      An address of a family that this host has no way to is none. With `v4`, `v6` and `both` an address of that family, or one
      of each, must be connected. `refused` means that nobody listens there, or that a firewall says so; `silent` that a firewall
      drops what is sent, or that the host is down.

      With `open: false` it is the other way round: a port that anybody can connect to fails the step (`tcp.open`).
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(
      Input.init,
      Field("host", \.host, .host, "The name or address."),
      Field("port", \.port, .port, "The port."),
      Field("family", \.family, .enumeration(Family.self), default: .any, "Which addresses must be reached."),
      Field("open", \.open, .bool, default: true, "Whether the port must be open; false: it must not.")
    ),
    output: Record(
      Output.init,
      Field("addresses", \.addresses, .list(.record(TryRecord.record)), "Each address that was tried."),
      Field("connected", \.connected, .list(.string), "Addresses that a connection came about with."),
      Field("refused", \.refused, .list(.string), "Addresses that refused."),
      Field("silent", \.silent, .list(.string), "Addresses from which nothing came in time."),
      Field("unreachable", \.unreachable, .list(.string), "Addresses that there is no way to, or that cannot be used."),
      Field(
        "nameLookup", \.nameLookup, .optional(.duration), "How long the search for the name took; absent: an address."),
      Field("connect", \.connect, .optional(.duration), "How long the fastest connection took; absent: there was none.")
    ),
    examples: [
      .init("The TURN server takes connections", with: "host: turn.example.com\nport: 3478"),
      .init("Nobody else reaches coturn's command line", with: "host: turn.example.com\nport: 5766\nopen: false"),
    ])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let deadline = context.deadline - min(.milliseconds(500), context.remaining / 10)
    let start = ContinuousClock.now
    let found = try await Self.addresses(of: input, by: deadline)
    let isLiteral = IPAddress(input.host) != nil
    let nameLookup = isLiteral ? nil : start.duration(to: .now)
    let port = UInt16(clamping: input.port)
    let attempts = ConnectionAttempts(to: found.map { TransportAddress(ip: $0, port: port) }, .each)
    let interruption = StopSignal()
    let (end, tries) = await withTaskCancellationHandler {
      await onBlockingThread { attempts.run(by: deadline, interruption: interruption) }
    } onCancel: {
      interruption.announce()
    }
    guard end != .interrupted else {
      throw StepError(
        .interrupted, Finding("tcp.interrupted", "the connection to \(input.host):\(input.port) was stopped"))
    }
    let output = Self.output(tries, nameLookup: nameLookup)
    return try Self.judged(output, tries, input)
  }

  private static func addresses(
    of input: Input, by deadline: ContinuousClock.Instant
  ) async throws(StepError) -> [IPAddress] {
    do throws(ResolutionError) {
      switch input.family {
      case .any: return try await SystemResolver.addresses(of: input.host, .any, by: deadline)
      case .v4: return try await SystemResolver.addresses(of: input.host, .v4, by: deadline)
      case .v6: return try await SystemResolver.addresses(of: input.host, .v6, by: deadline)
      case .both:
        // A family without an address is told by the judgement.
        var v6: [IPAddress] = []
        do throws(ResolutionError) {
          v6 = try await SystemResolver.addresses(of: input.host, .v6, by: deadline)
        } catch {
          guard error.code == .notFound else { throw error }
        }
        do throws(ResolutionError) {
          return v6 + (try await SystemResolver.addresses(of: input.host, .v4, by: deadline))
        } catch {
          guard !v6.isEmpty, error.code == .notFound else { throw error }
          return v6
        }
      }
    } catch {
      throw StepError(error, of: input.host)
    }
  }

  private static func output(_ tries: [ConnectionTry], nameLookup: Duration?) -> Output {
    func addresses(_ answers: ConnectionAnswer...) -> [String] {
      tries.filter { answers.contains($0.answer) }.map { "\($0.address)" }
    }
    return Output(
      addresses: tries.map(TryRecord.init), connected: addresses(.connected), refused: addresses(.refused),
      silent: addresses(.silent), unreachable: addresses(.unreachable, .failed), nameLookup: nameLookup,
      connect: tries.filter { $0.answer == .connected }.map(\.elapsed).min())
  }

  private static func judged(
    _ output: Output, _ tries: [ConnectionTry], _ input: Input
  ) throws(StepError) -> StepResult<Output> {
    let service = "\(input.host):\(input.port)"
    let account = output.account
    guard input.open else {
      guard output.connected.isEmpty else {
        return .failed(
          output,
          Finding(
            "tcp.open", "\(service) is open: \(account)",
            advice: "Let the service listen on other addresses, or close the port in the firewall."))
      }
      guard tries.contains(where: \.tellsOfThePort) else { throw notTested(service, account, tries) }
      return .done(output)
    }
    let families = Set(tries.filter { $0.answer == .connected }.map(\.address.ip.family))
    for (family, name) in [(AddressFamily.ipv4, "IPv4"), (.ipv6, "IPv6")]
    where input.family == .both && !families.contains(family) && !families.isEmpty {
      let exists = tries.contains { $0.address.ip.family == family }
      return .failed(
        output,
        Finding(
          "tcp.familyMissing",
          exists ? "\(service) cannot be reached over \(name): \(account)" : "\(service) has no \(name) address",
          advice: exists
            ? "Look at this host's route, and at the service's addresses." : "Look at the name's A and AAAA records."))
    }
    if families.isEmpty {
      let (code, advice): (String, Sentence) =
        if !output.silent.isEmpty {
          ("tcp.silent", "Look at firewalls on the way, and whether the host is up.")
        } else if !output.refused.isEmpty {
          ("tcp.refused", "Look whether the service runs, and at which address and port it listens.")
        } else {
          ("tcp.unreachable", "Look at this host's addresses and routes.")
        }
      return .failed(output, Finding(code, "no connection to \(service): \(account)", advice: advice))
    }
    guard output.refused.isEmpty, output.silent.isEmpty else {
      return .warned(
        output,
        Finding(
          "tcp.someFailed", "not every address of \(service) takes connections: \(account)",
          advice: "Clients that try such an address first wait, or fail: mend it, or take it out of the name's records."
        ))
    }
    return .done(output)
  }
}

extension TCPConnect {
  private static func notTested(_ service: String, _ account: Sentence, _ tries: [ConnectionTry]) -> StepError {
    let reasons = Set(tries.compactMap(\.errorNumber)).sorted().map { String(cString: strerror($0)) }
    return .broken(
      "tcp.notTested",
      "this host could not try whether \(service) is open: \(account) (\(reasons.joined(separator: ", ")))",
      advice: "Look at this host's addresses, routes and firewall, or run this from another host.")
  }
}

extension ConnectionTry {
  /// Whether the network was asked, so that no connection means a port that is closed to this host.
  fileprivate var tellsOfThePort: Bool {
    switch answer {
    case .connected, .refused, .silent: true
    // The host is down, or a firewall rejects what is sent: that comes as this error, or with IPv6 as EACCES.
    case .unreachable: errorNumber == EHOSTUNREACH
    case .failed: errorNumber == EACCES && address.ip.family == .ipv6
    case .passedOver: false
    }
  }
}

extension TCPConnect.Output {
  /// What each address did, in words.
  fileprivate var account: Sentence {
    addresses.isEmpty
      ? "no address"
      : addresses.prefix(16).enumerated().reduce(into: "" as Sentence) { text, attempt in
        if attempt.offset > 0 { text.append(", ") }
        text.append("\(attempt.element.address) ")
        text.append(attempt.element.answer.inWords)
      }
  }
}

extension ConnectionAnswer {
  fileprivate var inWords: Sentence {
    switch self {
    case .connected: "is connected"
    case .refused: "refused"
    case .silent: "is silent"
    case .unreachable: "cannot be reached"
    case .passedOver: "was passed over"
    case .failed: "failed"
    }
  }
}

extension StepError {
  /// What a name without addresses means for a step.
  init(_ error: ResolutionError, of host: String) {
    switch error.code {
    case .notFound:
      self = .failed(
        ProbeFailure.Code.nameNotFound.rawValue, "the name \(host) has no address (\(error.reason))",
        advice: "Look at the spelling, at the name's A and AAAA records, and at /etc/hosts.")
    case .unanswered, .outOfTime:
      self = .broken(
        "dns.unanswered", "the address of \(host) cannot be resolved (\(error.reason))",
        advice: "Look at this host's name servers, in /etc/resolv.conf.")
    case .cancelled:
      self.init(.interrupted, Finding("dns.interrupted", "the search for \(host) was stopped"))
    }
  }
}
