/// A file's name as rotation writes it: `turn.log`, `turn.log.1`, `turn.log.2.gz`.
struct RotatedName: Hashable {
  /// The name that the log has while it is written.
  let family: String
  /// 0 for the file that is written; the higher, the older.
  let age: Int

  init(_ path: String) {
    var name = path[...]
    for suffix in [".gz", ".xz", ".bz2", ".zst"] where name.hasSuffix(suffix) { name = name.dropLast(suffix.count) }
    let digits = name.reversed().prefix { $0.isASCII && $0.isNumber }.count
    let stem = name.dropLast(digits)
    guard (1...4).contains(digits), stem.last == ".", let age = Int(name.suffix(digits)) else {
      (family, self.age) = (String(name), 0)
      return
    }
    (family, self.age) = (String(stem.dropLast()), age + 1)
  }

  /// Puts the members of a rotated set in the order of their numbers, among the places that they have: a copied set, or one
  /// out of a backup, has times that say nothing.
  static func ordered(_ files: [LogFiles.Found]) -> [LogFiles.Found] {
    let names = files.map { RotatedName($0.path) }
    var result = files
    for (_, places) in Dictionary(grouping: files.indices, by: { names[$0].family }) where places.count > 1 {
      let oldestFirst = places.sorted { (-names[$0].age, $0) < (-names[$1].age, $1) }
      for (place, member) in zip(places, oldestFirst) { result[place] = files[member] }
    }
    return result
  }
}
