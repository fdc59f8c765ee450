/// What is due when: items by time, those of the same time in the order in which they were put in.
///
/// The first is there to be read at once; putting one in or taking the first out costs the logarithm of their number.
struct Agenda<Item: Sendable>: Sendable {
  struct Entry: Sendable {
    let due: Duration
    /// Told apart from every other entry by this number.
    let number: Int
    let item: Item

    fileprivate func isBefore(_ other: Entry) -> Bool { (due, number) < (other.due, other.number) }
  }

  /// A heap: every entry is before the two at twice its place.
  private var heap: [Entry] = []
  private var count = 0

  var first: Entry? { heap.first }

  /// Gives the number of the entry.
  mutating func add(_ item: Item, due: Duration) -> Int {
    count += 1
    heap.append(Entry(due: due, number: count, item: item))
    var place = heap.count - 1
    while place > 0, heap[place].isBefore(heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
    return count
  }

  mutating func removeFirst() {
    guard let last = heap.popLast(), !heap.isEmpty else { return }
    heap[0] = last
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count && heap[child].isBefore(heap[least]) {
        least = child
      }
      guard least != place else { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
