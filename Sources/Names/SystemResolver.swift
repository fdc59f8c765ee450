package import Addresses
import Glibc
import Processes

/// Which of a name's addresses are wanted.
package enum AddressPreference: String, Hashable, Sendable, CaseIterable {
  /// Those that this host has a way to.
  case any
  case v4
  case v6
}

/// Why a name has no address.
package struct ResolutionError: Error, Hashable, Sendable {
  package enum Code: Hashable, Sendable {
    /// The name, or an address of the wanted family, does not exist.
    case notFound
    /// No name server answered, or none could.
    case unanswered
    case outOfTime
    case cancelled
  }

  package let code: Code
  /// The resolver's words.
  package let reason: String
}

/// The system's resolver: what every other program of this host finds, with /etc/hosts, nsswitch.conf(5) and resolv.conf(5).
package enum SystemResolver {
  /// The addresses of a host in the order in which the system prefers them (RFC 6724), each once; a literal address is its own.
  ///
  /// The search holds a thread. If it is cancelled or its time passes, that thread ends on its own, and nobody waits for it.
  package static func addresses(
    of host: String, _ preference: AddressPreference, by deadline: ContinuousClock.Instant
  ) async throws(ResolutionError) -> [IPAddress] {
    if let literal = IPAddress(host) {
      guard preference == .any || (preference == .v4) == (literal.family == .ipv4) else {
        throw ResolutionError(code: .notFound, reason: "it is an address of the other family")
      }
      return [literal]
    }
    let search = Task { await onAbandonedThread { lookup(host, preference) } }
    let limit = Task {
      do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
      search.cancel()
    }
    let found = await withTaskCancellationHandler {
      await search.value
    } onCancel: {
      search.cancel()
    }
    limit.cancel()
    guard let found else {
      throw Task.isCancelled
        ? ResolutionError(code: .cancelled, reason: "the search was stopped")
        : ResolutionError(code: .outOfTime, reason: "the resolver did not answer in time")
    }
    return try found.get()
  }

  private static func lookup(_ host: String, _ preference: AddressPreference) -> Result<[IPAddress], ResolutionError> {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    switch preference {
    case .any: hints.ai_flags = AI_ADDRCONFIG
    case .v4: hints.ai_family = AF_INET
    case .v6: hints.ai_family = AF_INET6
    }
    var list: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, nil, &hints, &list)
    defer { freeaddrinfo(list) }
    guard code == 0 else {
      let isUnanswered = code == EAI_AGAIN || code == EAI_FAIL || code == EAI_SYSTEM || code == EAI_MEMORY
      return .failure(
        ResolutionError(code: isUnanswered ? .unanswered : .notFound, reason: String(cString: gai_strerror(code))))
    }
    var addresses: [IPAddress] = []
    for entry in sequence(first: list, next: { $0?.pointee.ai_next }) {
      guard let entry, let address = address(of: entry.pointee), !addresses.contains(address) else { continue }
      addresses.append(address)
    }
    return addresses.isEmpty
      ? .failure(ResolutionError(code: .notFound, reason: "no address")) : .success(addresses)
  }

  private static func address(of entry: addrinfo) -> IPAddress? {
    guard let socketAddress = entry.ai_addr else { return nil }
    let bytes = UnsafeRawBufferPointer(start: socketAddress, count: Int(entry.ai_addrlen))
    switch entry.ai_family {
    case AF_INET where bytes.count >= 8: return IPAddress(octets: bytes[4..<8])
    case AF_INET6 where bytes.count >= 24: return IPAddress(octets: bytes[8..<24])
    default: return nil
    }
  }
}
