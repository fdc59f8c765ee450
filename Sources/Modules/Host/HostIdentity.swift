import Addresses
import Glibc
import Journal
import Names
import Processes
import Schema
package import Steps

/// Whether this is the host that is meant.
package struct HostIdentity: StepModule {
  package struct Input: Hashable, Sendable {
    package var host: String
  }

  package enum Evidence: String, CaseIterable, Hashable, Sendable {
    /// The name is this host's.
    case name
    /// The address, or one that the name leads to, is one of this host's.
    case address
  }

  package struct Output: Hashable, Sendable {
    package var name: String
    package var by: Evidence
    package var address: String?
  }

  package static let declaration = ModuleDeclaration(
    "host.identity", "Whether this host is the one that is meant, before anything is changed on it.",
    discussion: """
      The host is meant if its name is the given one (`hostname`), or if the given address, or one that the given name leads
      to, is an address of this host. Otherwise the step fails with `host.otherHost`. Behind a NAT that owns the public
      address, give the target a `host` in runbook.yaml: the name that `hostname` prints there.
      """,
    effect: .observe, judges: true, deadline: .seconds(10),
    input: Record(Input.init, Field("host", \.host, .host, "The host that is meant: its name, or an address.")),
    output: Record(
      Output.init,
      Field("name", \.name, .string, "This host's name."),
      Field("by", \.by, .enumeration(Evidence.self), "What tells that it is the one."),
      Field("address", \.address, .optional(.ip), "The address by which it was told.")
    ),
    examples: [.init("The target runs here", with: "host: ${target.host}", expect: ["output.by == 'name'"])])

  package init() {}

  package func run(_ input: Input, in context: StepContext) async throws(StepError) -> StepResult<Output> {
    let own = hostName()
    if Self.isSame(input.host, own) { return .done(Output(name: own, by: .name, address: nil)) }
    var meant: [IPAddress] = []
    if let address = IPAddress(input.host.trimmingBrackets) {
      meant = [address]
    } else {
      do throws(ResolutionError) {
        meant = try await SystemResolver.addresses(of: input.host, .any, by: context.deadline)
      } catch {
        guard error.code == .notFound else {
          throw .broken(
            "host.identityUnknown",
            "this host is \(own), and it cannot be told whether it is \(input.host): \(error.reason)",
            advice: Self.advice)
        }
        throw .failed(
          "host.otherHost", "this host is \(own), not \(input.host), and that name has no address (\(error.reason))",
          advice: Self.advice)
      }
    }
    let addresses = Self.ownAddresses()
    guard let address = meant.first(where: { addresses.contains($0.unmapped) || Self.isLoopback($0) }) else {
      let seen = meant.map(\.description).joined(separator: ", ")
      throw .failed(
        "host.otherHost", "this host is \(own), and \(input.host) (\(seen)) is none of its addresses",
        advice: Self.advice)
    }
    return .done(Output(name: own, by: .address, address: "\(address)"))
  }

  private static let advice: Sentence =
    "Log in to the host of the target, and run it there. If this is that host, behind a NAT, give the target in runbook.yaml its name: `host: NAME`, as `hostname` prints it."

  /// A name without a domain is the first label of the host's.
  private static func isSame(_ given: String, _ own: String) -> Bool {
    let (given, own) = (given.lowercased(), own.lowercased())
    return given == own || (!given.contains(".") && own.split(separator: ".").first.map(String.init) == given)
  }

  private static func isLoopback(_ address: IPAddress) -> Bool {
    let text = "\(address.unmapped)"
    return text.hasPrefix("127.") || text == "::1"
  }

  private static func ownAddresses() -> Set<IPAddress> {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var found: Set<IPAddress> = []
    var next = list
    while let entry = next {
      next = entry.pointee.ifa_next
      guard let address = entry.pointee.ifa_addr else { continue }
      let octets: [UInt8]? =
        switch Int32(address.pointee.sa_family) {
        case AF_INET:
          address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { pointer in
            withUnsafeBytes(of: pointer.pointee.sin_addr) { Array($0) }
          }
        case AF_INET6:
          address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { pointer in
            withUnsafeBytes(of: pointer.pointee.sin6_addr) { Array($0) }
          }
        default: nil
        }
      if let address = octets.flatMap({ IPAddress(octets: $0) }) { found.insert(address.unmapped) }
    }
    return found
  }
}

extension String {
  fileprivate var trimmingBrackets: String { hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : self }
}
