import Addresses

/// A network by its prefix: `10.0.0.0/8`.
struct AddressBlock {
  let text: String
  let first: IPAddress
  let last: IPAddress

  /// nil for what is no address with the length of a prefix.
  init?(_ text: String) {
    let parts = text.split(separator: "/")
    guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]),
      let (first, last) = PeerRange.block(address, length)
    else { return nil }
    self.text = text
    self.first = first
    self.last = last
  }

  /// The line that denies its addresses.
  var denial: String { "denied-peer-ip=\(first)-\(last)" }
}
