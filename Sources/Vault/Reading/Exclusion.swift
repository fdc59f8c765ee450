import Glibc

/// A pattern for paths that are left out: of fnmatch(3), with `**` for any number of folders. Without a slash it is for names in any folder.
package struct Exclusion {
  private let parts: [[UInt8]]

  package init(_ pattern: String) {
    let parts = pattern.utf8.split(separator: 0x2F).map(Array.init)
    self.parts = pattern.contains("/") ? parts : [Self.anything] + parts
  }

  private static let anything = Array("**".utf8)

  /// - Parameter path: absolute.
  package func matches(_ path: [UInt8]) -> Bool {
    Self.match(parts[...], path.split(separator: 0x2F).map(Array.init)[...])
  }

  private static func match(_ pattern: ArraySlice<[UInt8]>, _ path: ArraySlice<[UInt8]>) -> Bool {
    guard let first = pattern.first else { return path.isEmpty }
    if first == anything {
      return match(pattern.dropFirst(), path) || !path.isEmpty && match(pattern, path.dropFirst())
    }
    guard let name = path.first else { return false }
    let fits = first.withCString { pattern in name.withCString { fnmatch(pattern, $0, 0) == 0 } }
    return fits && match(pattern.dropFirst(), path.dropFirst())
  }
}
