import Addresses
import NIOPosix
import STUN
import Schema

#if canImport(Glibc)
  import Glibc
#endif

/// Finds the addresses of a host name through the system's resolver.
enum NameResolution {
  /// The addresses of a host in the order in which the system prefers them (RFC 6724); a literal address is its own.
  ///
  /// The call blocks a thread of NIO's pool. When the deadline passes first, the thread finishes on its own.
  static func addresses(of host: String, by deadline: Instant) async throws(ProbeFailure) -> [IPAddress] {
    if let literal = IPAddress(host) { return [literal] }
    let lookup = Task { try await NIOThreadPool.singleton.runIfActive { systemLookup(host) } }
    let limit = Task {
      try? await Task.sleep(until: deadline, clock: .continuous)
      lookup.cancel()
    }
    defer { limit.cancel() }
    let result = await withTaskCancellationHandler {
      (try? await lookup.value) ?? .failure(EAI_AGAIN)
    } onCancel: {
      lookup.cancel()
    }
    switch result {
    case .success(let addresses): return addresses
    case .failure where Task.isCancelled:
      throw ProbeFailure(
        .cancelled, "The search for \(host) was stopped before it was done.",
        evidence: [ProbeFailure.Evidence("host", host)])
    case .failure(let code):
      throw ProbeFailure(
        .nameNotFound, "The name \(host) has no address (\(unsafe String(cString: gai_strerror(code)))).",
        advice: "Look at the spelling, at the name's A and AAAA records, and at this host's resolver.",
        evidence: [ProbeFailure.Evidence("host", host)])
    }
  }

  private enum LookupResult: Sendable {
    case success([IPAddress])
    case failure(CInt)
  }

  private static func systemLookup(_ host: String) -> LookupResult {
    var hints = addrinfo()
    hints.ai_socktype = CInt(SOCK_DGRAM.rawValue)
    hints.ai_flags = AI_ADDRCONFIG
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    guard code == 0, let list else { return .failure(code) }
    defer { unsafe freeaddrinfo(list) }
    var addresses: [IPAddress] = []
    for entry in unsafe sequence(first: list, next: { unsafe $0.pointee.ai_next }) {
      guard let address = unsafe address(of: entry.pointee), !addresses.contains(address) else { continue }
      addresses.append(address)
    }
    return addresses.isEmpty ? .failure(EAI_NONAME) : .success(addresses)
  }

  private static func address(of entry: addrinfo) -> IPAddress? {
    guard let socketAddress = unsafe entry.ai_addr else { return nil }
    let bytes = unsafe UnsafeRawBufferPointer(start: socketAddress, count: Int(entry.ai_addrlen))
    switch entry.ai_family {
    case AF_INET where bytes.count >= 8: return unsafe IPAddress(octets: bytes[4..<8])
    case AF_INET6 where bytes.count >= 24: return unsafe IPAddress(octets: bytes[8..<24])
    default: return nil
    }
  }
}
