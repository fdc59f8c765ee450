import Addresses

extension CertificateDetails {
  /// Whether it is for a host name or an IP address, by its alternative names alone (RFC 9525): the common name counts for
  /// nothing, and a wildcard stands for one whole label, the leftmost, of a name with two more at least.
  ///
  /// - Parameter name: an IPv6 address may stand in brackets; a name may have letters that are not ASCII.
  package func covers(_ name: String) -> Bool {
    let bare = name.hasPrefix("[") && name.hasSuffix("]") ? String(name.dropFirst().dropLast()) : name
    if let address = IPAddress(bare) { return addresses.contains { $0.octets == address.octets } }
    let wanted = Self.labels(asciiHostName(bare) ?? bare)
    return hostNames.contains { Self.covers(Self.labels($0), wanted) }
  }

  private static func covers(_ pattern: [String], _ name: [String]) -> Bool {
    guard pattern.first == "*" else { return pattern == name }
    return pattern.count > 2 && pattern.count == name.count && pattern.dropFirst() == name.dropFirst()
      && name.first?.isEmpty == false && name.first != "*"
  }

  private static func labels(_ name: String) -> [String] {
    let end = name.hasSuffix(".") ? name.dropLast() : name[...]
    return end.split(separator: ".", omittingEmptySubsequences: false).map { $0.lowercased() }
  }
}
