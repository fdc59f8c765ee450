import Synchronization

/// Time zones by name, from the system's compiled time zone files (RFC 9636).
package enum TimeZoneDatabase {
  private static let zones = Mutex<[String: TimeZoneFile]>([:])
  private static let folder = "/usr/share/zoneinfo"

  /// Seconds east of UTC at a time, for `UTC`, `Europe/Berlin`, `+01:00`, `-02:30` or `02:00`.
  package static func offset(of zone: String, at seconds: Int64) throws(EvaluationError) -> Int {
    if let offset = fixedOffset(zone) { return offset }
    if let known = zones.withLock({ $0[zone] }) { return known.offset(at: seconds) }
    guard isName(zone), let bytes = FileBytes.read("\(folder)/\(zone)", limit: 1 << 18),
      let file = TimeZoneFile(bytes)
    else {
      throw EvaluationError(.invalidArgument, "unknown time zone '\(zone.prefix(60))'")
    }
    zones.withLock { $0[zone] = file }
    return file.offset(at: seconds)
  }

  private static func fixedOffset(_ zone: String) -> Int? {
    if zone == "UTC" || zone == "GMT" || zone == "Z" { return 0 }
    var scanner = DigitScanner(Array(zone.utf8))
    if let offset = scanner.offset(), scanner.isAtEnd { return offset }
    scanner = DigitScanner(Array("+\(zone)".utf8))
    if let offset = scanner.offset(), scanner.isAtEnd { return offset }
    return nil
  }

  /// Whether the text can be a zone's name, and is no path out of the folder.
  private static func isName(_ zone: String) -> Bool {
    guard zone.utf8.count < 64, let first = zone.utf8.first, first.isLetter else { return false }
    return zone.utf8.allSatisfy {
      $0.isWordPart || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "-")
    }
  }
}
