/// The ASCII form of a host name that holds other letters (RFC 5891): `xn--bcher-kva.example` for `bücher.example`; nil if
/// that is no host name.
///
/// Letters are taken as they are composed: a name with combining marks gives nil.
package func asciiHostName(_ name: String) -> String? {
  var labels: [String] = []
  for label in name.lowercased().split(separator: ".", omittingEmptySubsequences: false) {
    if label.unicodeScalars.allSatisfy(\.isASCII) {
      labels.append(String(label))
      continue
    }
    let scalars = Array(label.unicodeScalars)
    let areLetters = scalars.allSatisfy {
      $0 == "-" || (($0.properties.isAlphabetic || $0.properties.numericType != nil) && !$0.properties.isWhitespace)
    }
    guard areLetters, scalars.allSatisfy({ $0.properties.canonicalCombiningClass == .notReordered }),
      let encoded = punycode(scalars)
    else { return nil }
    labels.append("xn--" + encoded)
  }
  let ascii = labels.joined(separator: ".")
  return isHost(ascii) ? ascii : nil
}

/// The encoding of RFC 3492, section 6.3; nil if a number does not fit.
private func punycode(_ input: [Unicode.Scalar]) -> String? {
  let (base, thresholdMinimum, thresholdMaximum, skew, damp) = (36, 1, 26, 38, 700)
  func digit(_ value: Int) -> Character { Character(Unicode.Scalar(UInt8(value < 26 ? 97 + value : 22 + value))) }
  func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
    var delta = isFirst ? delta / damp : delta / 2
    delta += delta / count
    var steps = 0
    while delta > (base - thresholdMinimum) * thresholdMaximum / 2 {
      delta /= base - thresholdMinimum
      steps += base
    }
    return steps + (base - thresholdMinimum + 1) * delta / (delta + skew)
  }
  guard input.count <= 63 else { return nil }
  var output = String(String.UnicodeScalarView(input.filter(\.isASCII)))
  let basicCount = output.unicodeScalars.count
  var handled = basicCount
  if basicCount > 0 { output.append("-") }
  var (code, delta, bias) = (128, 0, 72)
  while handled < input.count {
    guard let next = input.map({ Int($0.value) }).filter({ $0 >= code }).min() else { return nil }
    delta += (next - code) * (handled + 1)
    code = next
    for scalar in input {
      if scalar.value < code { delta += 1 }
      guard scalar.value == code else { continue }
      var rest = delta
      var step = base
      while true {
        let threshold = min(max(step - bias, thresholdMinimum), thresholdMaximum)
        guard rest >= threshold else { break }
        output.append(digit(threshold + (rest - threshold) % (base - threshold)))
        rest = (rest - threshold) / (base - threshold)
        step += base
      }
      output.append(digit(rest))
      bias = adapted(delta, handled + 1, isFirst: handled == basicCount)
      delta = 0
      handled += 1
    }
    delta += 1
    code += 1
  }
  return output
}
