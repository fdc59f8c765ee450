/// True for an IP address, or a host name of letters, digits, hyphens and underscores in labels of at most 63, 253 in
/// all (RFC 1123; underscores occur in Compose networks). A leading hyphen is refused, so a host is never an option, and
/// a text of numbers and dots must be an address.
package func isHost(_ text: some StringProtocol) -> Bool {
  if IPAddress(text) != nil { return true }
  if text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) { return false }
  guard text.utf8.count <= 253 else { return false }
  let name = text.last == "." ? Substring(text.dropLast()) : Substring(text)
  return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
    (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
      && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") }
  }
}

/// True for `10.0.0.0/8`, `fc00::/7`: an address and a prefix length that fits it.
package func isCIDR(_ text: String) -> Bool {
  let parts = text.split(separator: "/", omittingEmptySubsequences: false)
  guard parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]) else { return false }
  return (0...address.octets.count * 8).contains(length) && parts[1].utf8.allSatisfy { (0x30...0x39).contains($0) }
}
