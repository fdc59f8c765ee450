/// A version of coturn, such as 4.6.1: what is known of its log, its configuration and its metrics depends on it.
///
/// Four numbers, since releases such as 4.5.1.2 have four; one that is not written is 0. What a distribution adds
/// (`4.6.1-1`) does not belong to the version.
package struct CoturnVersion: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Major, minor, patch, and the fourth number that releases before 4.5.2 had.
  package let numbers: [Int]

  package init(_ major: Int, _ minor: Int, _ patch: Int = 0, _ fourth: Int = 0) {
    numbers = [major, minor, patch, fourth]
  }

  /// The version at the beginning of `text`: `4.6.1`, `4.5.1.2`, `4.6.1-1`, `4.17.1 'Gorst'`; nil if there is none.
  package init?(_ text: some StringProtocol) {
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    let numbers = parts.compactMap { $0.count <= 6 ? Int($0) : nil }
    guard (2...4).contains(parts.count), numbers.count == parts.count else { return nil }
    self.numbers = numbers + Array(repeating: 0, count: 4 - numbers.count)
  }

  /// The oldest and the newest version whose records, options and metrics are known here. A newer one is read as the
  /// newest, and that is said.
  package static let oldestKnown = CoturnVersion(4, 5, 0)
  package static let newestKnown = CoturnVersion(4, 17, 1)

  package static func < (one: CoturnVersion, other: CoturnVersion) -> Bool {
    one.numbers.lexicographicallyPrecedes(other.numbers)
  }

  /// As coturn writes it: the fourth number only if it is not 0.
  package var description: String {
    (numbers[3] == 0 ? numbers.prefix(3) : numbers[...]).map(String.init).joined(separator: ".")
  }
}
