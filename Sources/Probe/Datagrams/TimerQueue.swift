import NIOCore

/// What is to be done at a time, the earliest first: a binary heap.
struct TimerQueue {
  final class Entry: @unchecked Sendable {
    fileprivate let deadline: NIODeadline
    fileprivate var task: (() -> Void)?

    init(at deadline: NIODeadline, _ task: @escaping () -> Void) {
      self.deadline = deadline
      self.task = task
    }

    /// Forgets the task; to be called on its event loop.
    func cancel() { task = nil }
  }

  private var entries: [Entry] = []

  /// When the first task is due; those that were cancelled are passed over.
  var next: NIODeadline? {
    mutating get {
      while let first = entries.first, first.task == nil { removeFirst() }
      return entries.first?.deadline
    }
  }

  mutating func insert(_ entry: Entry) {
    entries.append(entry)
    var index = entries.count - 1
    while index > 0, entries[index].deadline < entries[(index - 1) / 2].deadline {
      entries.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  /// Removes the tasks that are due, and gives them.
  mutating func takeDue(at now: NIODeadline) -> [() -> Void] {
    var due: [() -> Void] = []
    while let next, next <= now {
      let entry = removeFirst()
      // One that is due may cancel another that is.
      due.append { entry.task?() }
    }
    return due
  }

  @discardableResult
  private mutating func removeFirst() -> Entry {
    entries.swapAt(0, entries.count - 1)
    let removed = entries.removeLast()
    var index = 0
    while true {
      let children = (2 * index + 1..<2 * index + 3).filter { $0 < entries.count }
      guard let least = children.min(by: { entries[$0].deadline < entries[$1].deadline }),
        entries[least].deadline < entries[index].deadline
      else { return removed }
      entries.swapAt(index, least)
      index = least
    }
  }
}
