/// Numbers as texts in decimal.
enum DecimalText {
  /// The shortest text that reads back as the number: `1.5`, `3`, `1e+20`, `NaN`, `-Infinity`.
  static func shortest(_ number: Double) -> String {
    if let name = special(number) { return name }
    let text = "\(number)"
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// The number with so many decimals, rounded from its exact value, halves to even.
  static func fixed(_ number: Double, decimals: Int) -> String {
    if let name = special(number) { return name }
    var digits = ExactDecimal(number)
    digits.round(to: decimals)
    return (number.sign == .minus ? "-" : "") + digits.text(decimals: decimals)
  }

  /// The number as `1.5e+03`, with so many decimals.
  static func scientific(_ number: Double, decimals: Int) -> String {
    if let name = special(number) { return name }
    var digits = ExactDecimal(number)
    var exponent = digits.exponent
    digits.round(to: decimals - exponent)
    if digits.exponent > exponent { exponent = digits.exponent }
    let mantissa = digits.digits(from: exponent, count: decimals + 1)
    var text = number.sign == .minus ? "-" : ""
    text += mantissa.prefix(1)
    if decimals > 0 { text += "." + mantissa.dropFirst() }
    let magnitude = String(exponent.magnitude)
    return text + "e" + (exponent < 0 ? "-" : "+") + (magnitude.count < 2 ? "0" : "") + magnitude
  }

  private static func special(_ number: Double) -> String? {
    if number.isNaN { return "NaN" }
    if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
    return nil
  }
}

/// All decimal digits of a finite number without its sign.
private struct ExactDecimal {
  /// Digits, the most significant first, without leading zeros; empty for zero.
  private var digits: [UInt8]
  /// The power of ten of the last digit.
  private var scale: Int

  init(_ number: Double) {
    guard number != 0 else {
      digits = []
      scale = 0
      return
    }
    // number = significand * 2^power; a negative power makes digits * 5^n / 10^n.
    let bits = number.magnitude.bitPattern
    let raw = Int(bits >> 52)
    let significand = raw == 0 ? bits : (bits & 0xF_FFFF_FFFF_FFFF) | 0x10_0000_0000_0000
    let power = (raw == 0 ? 1 : raw) - 1075
    var limbs = [UInt32(significand % 1_000_000_000), UInt32(significand / 1_000_000_000)]
    // By as many factors at once as fit 32 bits.
    let (base, chunk): (UInt64, Int) = power < 0 ? (5, 13) : (2, 31)
    var remaining = Swift.abs(power)
    while remaining > 0 {
      let factors = Swift.min(remaining, chunk)
      Self.multiply(&limbs, by: (0..<factors).reduce(1) { product, _ in product * base })
      remaining -= factors
    }
    var text = ""
    for limb in limbs.reversed() {
      let part = String(limb)
      text += String(repeating: "0", count: 9 - part.count) + part
    }
    digits = Array(text.utf8.drop { $0 == UInt8(ascii: "0") }).map { $0 - UInt8(ascii: "0") }
    scale = Swift.min(power, 0)
  }

  private static func multiply(_ limbs: inout [UInt32], by factor: UInt64) {
    var carry: UInt64 = 0
    for index in limbs.indices {
      let product = UInt64(limbs[index]) * factor + carry
      limbs[index] = UInt32(product % 1_000_000_000)
      carry = product / 1_000_000_000
    }
    while carry > 0 {
      limbs.append(UInt32(carry % 1_000_000_000))
      carry /= 1_000_000_000
    }
  }

  /// The power of ten of the first digit.
  var exponent: Int { digits.isEmpty ? 0 : digits.count - 1 + scale }

  /// Leaves away digits below 10^-decimals.
  mutating func round(to decimals: Int) {
    let surplus = -decimals - scale
    guard surplus > 0, !digits.isEmpty else { return }
    let kept = digits.count - surplus
    guard kept >= 0 else {
      digits = []
      scale = -decimals
      return
    }
    let rest = digits[kept...]
    let isMoreThanHalf = (rest.first ?? 0) > 5 || (rest.first == 5 && rest.dropFirst().contains { $0 != 0 })
    let isHalf = rest.first == 5 && !isMoreThanHalf
    let isOdd = kept > 0 && digits[kept - 1] % 2 == 1
    digits.removeLast(surplus)
    scale = -decimals
    if isMoreThanHalf || (isHalf && isOdd) { increment() }
  }

  private mutating func increment() {
    var index = digits.count - 1
    while index >= 0, digits[index] == 9 {
      digits[index] = 0
      index -= 1
    }
    if index >= 0 { digits[index] += 1 } else { digits.insert(1, at: 0) }
  }

  /// The digit of a power of ten.
  private func digit(at power: Int) -> UInt8 {
    let index = digits.count - 1 - (power - scale)
    return digits.indices.contains(index) ? digits[index] : 0
  }

  /// So many digits from a power of ten downwards.
  func digits(from power: Int, count: Int) -> String {
    String(decoding: (0..<count).map { digit(at: power - $0) + UInt8(ascii: "0") }, as: UTF8.self)
  }

  /// The digits with so many decimals.
  func text(decimals: Int) -> String {
    let highest = Swift.max(0, exponent)
    let whole = digits(from: highest, count: highest + 1)
    return decimals > 0 ? "\(whole).\(digits(from: -1, count: decimals))" : whole
  }
}
