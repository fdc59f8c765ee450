/// One SRV record (RFC 2782).
struct ServiceRecord: Sendable, Hashable {
  let priority: UInt16
  let weight: UInt16
  let port: UInt16
  /// Without the final dot.
  let target: String

  /// The order in which a client tries them: by priority, within one by chance according to weight.
  static func inOrder(
    _ records: [ServiceRecord], using generator: inout some RandomNumberGenerator
  ) -> [ServiceRecord] {
    var ordered: [ServiceRecord] = []
    for priority in Set(records.map(\.priority)).sorted() {
      var left = records.filter { $0.priority == priority }.sorted { $0.weight < $1.weight }
      while !left.isEmpty {
        let total = left.reduce(0) { $0 + Int($1.weight) }
        var chance = Int.random(in: 0...total, using: &generator)
        let index = left.firstIndex { record in
          chance -= Int(record.weight)
          return chance <= 0
        }
        ordered.append(left.remove(at: index ?? 0))
      }
    }
    return ordered
  }
}
