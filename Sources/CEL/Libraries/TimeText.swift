/// Times and durations as texts.
enum TimeText {
  // MARK: Durations

  private static let units: [String: Int64] = [
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000,
  ]

  /// A duration as `1h30m`, `-1.5s`, `0`: numbers with units from `ns` to `h`, a sign before all.
  static func duration(_ text: String) -> CELDuration? {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    if isNegative || rest.first == "+" { rest = rest.dropFirst() }
    if rest == "0" { return CELDuration(nanoseconds: 0) }
    if rest.isEmpty { return nil }
    // Counted downwards, for the least duration is further from zero than the greatest.
    var total: Int64 = 0
    while !rest.isEmpty {
      guard let part = component(&rest) else { return nil }
      let (sum, overflow) = total.subtractingReportingOverflow(part)
      if overflow { return nil }
      total = sum
    }
    if isNegative { return CELDuration(nanoseconds: total) }
    let (positive, overflow) = Int64(0).subtractingReportingOverflow(total)
    return overflow ? nil : CELDuration(nanoseconds: positive)
  }

  /// Takes `1.5h` from the start of the text, as nanoseconds.
  private static func component(_ rest: inout Substring) -> Int64? {
    let whole = rest.prefix(while: \.isASCIIDigit)
    rest = rest.dropFirst(whole.count)
    var fraction = Substring()
    if rest.first == "." {
      rest = rest.dropFirst()
      fraction = rest.prefix(while: \.isASCIIDigit)
      rest = rest.dropFirst(fraction.count)
    }
    if whole.isEmpty, fraction.isEmpty { return nil }
    let name = rest.prefix { !$0.isASCIIDigit && $0 != "." }
    rest = rest.dropFirst(name.count)
    guard let unit = units[String(name)], let number = whole.isEmpty ? 0 : Int64(whole) else { return nil }
    let (product, overflow) = number.multipliedReportingOverflow(by: unit)
    if overflow { return nil }
    let (sum, overflow2) = product.addingReportingOverflow(Self.part(fraction.prefix(18), of: unit))
    return overflow2 ? nil : sum
  }

  /// So many of the nanoseconds of a unit as the decimals say, rounded down.
  private static func part(_ decimals: Substring, of unit: Int64) -> Int64 {
    guard let number = UInt64(decimals) else { return 0 }
    let scale = (0..<decimals.count).reduce(UInt64(1)) { scale, _ in scale * 10 }
    let (quotient, _) = scale.dividingFullWidth(UInt64(unit).multipliedFullWidth(by: number))
    return Int64(quotient)
  }

  /// The duration in seconds, as `1.5s`.
  static func format(_ span: CELDuration) -> String {
    let magnitude = span.nanoseconds.magnitude
    let (seconds, nanoseconds) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    return "\(span.nanoseconds < 0 ? "-" : "")\(seconds)\(fraction(nanoseconds))s"
  }

  private static func fraction(_ nanoseconds: UInt64) -> String {
    if nanoseconds == 0 { return "" }
    var digits = String(nanoseconds)
    digits = String(repeating: "0", count: 9 - digits.count) + digits
    while digits.last == "0" { digits.removeLast() }
    return "." + digits
  }

  // MARK: Timestamps

  /// The time in UTC as RFC 3339 writes it, with as many decimals as needed.
  static func format(_ time: CELTimestamp) -> String {
    let civil = CivilTime(secondsSinceEpoch: time.seconds)
    let date = "\(padded(civil.year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2))"
    let clock = "\(padded(civil.hour, 2)):\(padded(civil.minute, 2)):\(padded(civil.second, 2))"
    return "\(date)T\(clock)\(fraction(UInt64(time.nanoseconds)))Z"
  }

  private static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }

  /// A time as RFC 3339 (section 5.6) writes it; decimals beyond nanoseconds are left away.
  static func timestamp(_ text: String) -> CELTimestamp? {
    var scanner = DigitScanner(Array(text.utf8))
    guard let year = scanner.number(4), scanner.skip("-"), let month = scanner.number(2), scanner.skip("-"),
      let day = scanner.number(2), scanner.skip("T"), let hour = scanner.number(2), scanner.skip(":"),
      let minute = scanner.number(2), scanner.skip(":"), let second = scanner.number(2),
      (1...12).contains(month), (1...CivilTime.days(in: month, of: year)).contains(day), hour < 24, minute < 60,
      second < 60
    else { return nil }
    guard let nanoseconds = scanner.fraction(), let offset = scanner.offset(), scanner.isAtEnd else { return nil }
    let days = CivilTime.daysSinceEpoch(year: year, month: month, day: day)
    let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second - offset)
    return CELTimestamp(seconds: seconds, nanoseconds: nanoseconds)
  }
}

/// Reads numbers of fixed width.
struct DigitScanner {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  var isAtEnd: Bool { position == bytes.count }

  mutating func number(_ width: Int) -> Int? {
    guard position + width <= bytes.count else { return nil }
    var value = 0
    for byte in bytes[position..<(position + width)] {
      guard byte.isDigit else { return nil }
      value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    position += width
    return value
  }

  mutating func skip(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// Nanoseconds of `.123`, zero when there is no dot.
  mutating func fraction() -> Int32? {
    guard skip(".") else { return 0 }
    var value: Int32 = 0
    var count = 0
    while position < bytes.count, bytes[position].isDigit {
      if count < 9 { value = value * 10 + Int32(bytes[position] - UInt8(ascii: "0")) }
      count += 1
      position += 1
    }
    if count == 0 { return nil }
    for _ in Swift.min(count, 9)..<9 { value *= 10 }
    return value
  }

  /// Seconds east of UTC: `Z`, `+01:00`, `-02:30`.
  mutating func offset() -> Int? {
    if skip("Z") { return 0 }
    let isNegative = skip("-")
    guard isNegative || skip("+"), let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60
    else { return nil }
    return (hours * 3600 + minutes * 60) * (isNegative ? -1 : 1)
  }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) && isASCII }
}
