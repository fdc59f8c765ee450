import Synchronization

/// How many tries are at work at the same time in this process: each may take a thread, a connection or a child process. Those that find
/// no room wait for their turn, in the order in which they came.
final class DeliverySlots: Sendable {
  /// Those of the process.
  static let shared = DeliverySlots(count: 16)
  /// Those for files, of the process.
  static let files = DeliverySlots(count: 16)

  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
    /// How many of `waiting` had their turn: they are removed all at once.
    var served = 0
  }

  private let state: Mutex<State>

  init(count: Int) { state = Mutex(State(free: count)) }

  /// Waits for room, works, and makes room.
  func use<R>(_ body: () async throws(DeliveryError) -> R) async throws(DeliveryError) -> R {
    await take()
    defer { giveBack() }
    return try await body()
  }

  private func take() async {
    await withCheckedContinuation { turn in
      let hasRoom = state.withLock { state in
        guard state.free == 0 else {
          state.free -= 1
          return true
        }
        state.waiting.append(turn)
        return false
      }
      if hasRoom { turn.resume() }
    }
  }

  private func giveBack() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.served < state.waiting.count else {
        state.waiting.removeAll()
        state.served = 0
        state.free += 1
        return nil
      }
      state.served += 1
      return state.waiting[state.served - 1]
    }
    next?.resume()
  }
}
