import Addresses
import CDatagrams
import STUN

extension datagram_address {
  init(_ address: TransportAddress) {
    self.init()
    family = address.ip.family == .ipv4 ? 4 : 6
    port = address.port
    unsafe withUnsafeMutableBytes(of: &octets) { unsafe $0.copyBytes(from: address.ip.octets) }
  }
}

extension TransportAddress {
  /// nil if there is none.
  init?(_ address: datagram_address) {
    guard let ip = IPAddress(address) else { return nil }
    self.init(ip: ip, port: address.port)
  }
}

extension IPAddress {
  /// nil if there is none.
  init?(_ address: datagram_address) {
    guard address.family != 0 else { return nil }
    let found = unsafe withUnsafeBytes(of: address.octets) { octets in
      unsafe IPAddress(octets: octets.prefix(address.family == 4 ? 4 : 16))
    }
    guard let found else { return nil }
    self = found
  }
}

extension ICMPError {
  init(_ report: datagram_error) {
    self.init(
      version: report.is_version6 ? .icmpv6 : .icmp, type: report.type, code: report.code,
      mtu: report.mtu > 0 ? Int(report.mtu) : nil, reporter: IPAddress(report.reporter))
  }
}
