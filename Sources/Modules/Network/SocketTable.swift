import Addresses
import CLinux
import Glibc
import Processes
import Schema
import Steps

/// The sockets of this network namespace at one port, asked of the kernel by sock_diag(7); read from `/proc/net` if it has no
/// sock_diag.
enum SocketTable {
  /// Throws `broken` if the kernel does not tell.
  static func sockets(_ transport: SocketTransport, at port: UInt16) throws(StepError) -> [BoundSocket] {
    if let sockets = try diagnosed(transport, port, AF_INET), let more = try diagnosed(transport, port, AF_INET6) {
      return sockets + more
    }
    var sockets: [BoundSocket] = []
    for suffix in ["", "6"] {
      let path = "/proc/thread-self/net/\(transport.rawValue)\(suffix)"
      // A kernel without IPv6 has no such file.
      if access(path, F_OK) != 0, suffix == "6" { continue }
      // The list is not written at one moment: a socket that comes or goes meanwhile can keep another one off it.
      var found: [BoundSocket] = []
      for _ in 0..<3 where found.isEmpty { found = listed(in: try ProcFile.text(path), transport, port) }
      sockets += found
    }
    return sockets
  }

  /// Nil if the kernel cannot be asked.
  private static func diagnosed(
    _ transport: SocketTransport, _ port: UInt16, _ family: Int32
  ) throws(StepError) -> [BoundSocket]? {
    let descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), NETLINK_SOCK_DIAG)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    let request = DiagnosisRequest(transport, port, family).bytes
    guard send(descriptor, request, request.count, 0) == request.count else { return nil }
    var sockets: [BoundSocket] = []
    // A message holds at most 32 KiB of a dump.
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw unanswered(errno) }
      let progress = buffer.withUnsafeBytes { bytes in
        read(UnsafeRawBufferPointer(rebasing: bytes.prefix(count)), transport, into: &sockets)
      }
      switch progress {
      case .goesOn: continue
      case .ended: return sockets
      case .refused: return nil
      case .damaged: throw unanswered(EBADMSG)
      }
    }
  }

  private enum Progress {
    case goesOn
    case ended
    case refused
    case damaged
  }

  /// Reads messages of netlink(7): a header of 16 octets each, then what it tells of one socket.
  private static func read(
    _ bytes: UnsafeRawBufferPointer, _ transport: SocketTransport, into sockets: inout [BoundSocket]
  ) -> Progress {
    var offset = 0
    while offset + 16 <= bytes.count {
      let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
      let type = bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt16.self)
      guard length >= 16, offset + length <= bytes.count else { return .damaged }
      switch Int32(type) {
      case NLMSG_DONE: return .ended
      case NLMSG_ERROR: return .refused
      default:
        let message = UnsafeRawBufferPointer(rebasing: bytes[(offset + 16)..<(offset + length)])
        if let socket = BoundSocket(diagnosis: message, transport) { sockets.append(socket) }
      }
      offset += (length + 3) & ~3
    }
    return .goesOn
  }

  private static func unanswered(_ number: CInt) -> StepError {
    .broken(
      "host.socketsUnknown", "the kernel does not tell its sockets: \(String(errorNumber: number))",
      advice: "Try `ss -lun` as the same user. In a container, allow netlink sockets.")
  }

  /// Reads `/proc/net/udp` and its siblings (proc(5)).
  static func listed(in text: String, _ transport: SocketTransport, _ port: UInt16) -> [BoundSocket] {
    text.split(separator: "\n").dropFirst().compactMap { line in
      let words = line.split(separator: " ")
      guard words.count > 9 else { return nil }
      let place = words[1].split(separator: ":")
      guard place.count == 2, UInt16(place[1], radix: 16) == port, let address = address(place[0]),
        let state = UInt8(words[3], radix: 16), let user = UInt32(words[7]), let inode = UInt64(words[9]),
        let waiting = words[4].split(separator: ":").last.flatMap({ Int($0, radix: 16) })
      else { return nil }
      return BoundSocket(
        transport: transport, address: address, port: port, state: state, user: user, inode: inode, isIPv6Only: false,
        waiting: waiting)
    }
  }

  /// Words of 32 bits in hexadecimal, each as this machine holds it in memory.
  private static func address(_ text: Substring) -> IPAddress? {
    var octets: [UInt8] = []
    var rest = text
    while !rest.isEmpty {
      guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
      withUnsafeBytes(of: word) { octets += $0 }
      rest = rest.dropFirst(8)
    }
    return IPAddress(octets: octets)
  }
}

/// What is asked: all sockets of a protocol and a family at a port (linux/inet_diag.h).
private struct DiagnosisRequest {
  let bytes: [UInt8]

  init(_ transport: SocketTransport, _ port: UInt16, _ family: Int32) {
    func number<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    let flags = UInt16(NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH)
    let length = 16 + MemoryLayout<inet_diag_req_v2>.size
    // All states but TIME_WAIT (6), in which nobody has the socket any more.
    let states: UInt32 = 0xFFF & ~(1 << 6)
    var bytes = number(UInt32(length)) + number(UInt16(SOCK_DIAG_BY_FAMILY)) + number(flags) + number(UInt32(1))
    bytes += number(UInt32(0)) + [UInt8(family), transport.number, 0, 0] + number(states) + number(port.bigEndian)
    // Of the socket's addresses only the own port is given; the last eight octets say that no certain socket is meant.
    bytes += [UInt8](repeating: 0, count: length - bytes.count - 8) + [UInt8](repeating: 0xFF, count: 8)
    self.bytes = bytes
  }
}

extension BoundSocket {
  /// Reads an `inet_diag_msg` with its attributes; nil if it is none.
  fileprivate init?(diagnosis bytes: UnsafeRawBufferPointer, _ transport: SocketTransport) {
    let size = MemoryLayout<inet_diag_msg>.size
    guard bytes.count >= size else { return nil }
    let isIPv6 = Int32(bytes[0]) == AF_INET6
    guard let address = IPAddress(octets: Array(bytes[8..<(isIPv6 ? 24 : 12)])) else { return nil }
    self.address = address
    self.transport = transport
    state = bytes[1]
    port = UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
    waiting = Int(bytes.loadUnaligned(fromByteOffset: 56, as: UInt32.self))
    user = bytes.loadUnaligned(fromByteOffset: 64, as: UInt32.self)
    inode = UInt64(bytes.loadUnaligned(fromByteOffset: 68, as: UInt32.self))
    var isIPv6Only = false
    var offset = size
    while offset + 4 <= bytes.count {
      let length = Int(bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
      let type = bytes.loadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)
      guard length >= 4, offset + length <= bytes.count else { break }
      if type == UInt16(INET_DIAG_SKV6ONLY), length >= 5 { isIPv6Only = bytes[offset + 4] != 0 }
      offset += (length + 3) & ~3
    }
    self.isIPv6Only = isIPv6Only
  }
}
