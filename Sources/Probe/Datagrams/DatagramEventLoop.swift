import CDatagrams
import Dispatch
import Glibc
import NIOCore
import Synchronization

/// An event loop for UDP sockets: one thread that waits for all of them.
///
/// NIO's own UDP channels end the process when an ICMP message other than "port unreachable" comes for one of their sockets,
/// and cannot tell one kind from another.
final class DatagramEventLoop: EventLoop, @unchecked Sendable {
  private let poller: CInt
  private let bell: CInt
  private let timer: CInt
  private let thread = Atomic<UInt>(0)
  /// What other threads want to be done.
  private let inbox = Mutex<[@Sendable () -> Void]>([])
  /// What the loop itself wants to be done.
  private var queue: [@Sendable () -> Void] = []
  private var timers = TimerQueue()
  /// When the timer rings.
  private var alarm: NIODeadline?
  private var channels: [CInt: DatagramChannel] = [:]
  /// Used by one channel at a time, on the loop.
  let scratch = DatagramScratch()

  private static let loops = Mutex<[DatagramEventLoop]>([])
  private static let turn = Atomic<Int>(0)
  /// Counted once: NIO opens files of the control group each time.
  private static let processors = max(1, System.coreCount)

  /// A loop to share with others, of as many as there are processors. They last as long as the process.
  ///
  /// - Throws: `IOError` if the system gives no descriptor or thread for one.
  static func shared() throws -> DatagramEventLoop {
    let turn = turn.add(1, ordering: .relaxed).oldValue
    return try loops.withLock { loops in
      let index = turn % processors
      if index < loops.count { return loops[index] }
      let loop = try DatagramEventLoop()
      loops.append(loop)
      return loop
    }
  }

  private init() throws {
    poller = poller_open()
    bell = poller_bell_open()
    timer = poller_timer_open()
    guard poller >= 0, bell >= 0, timer >= 0, poller_add(poller, bell, true, false) == 0,
      poller_add(poller, timer, true, false) == 0
    else {
      let error = IOError(errnoCode: errno, reason: "event loop")
      for descriptor in [poller, bell, timer] where descriptor >= 0 { Glibc.close(descriptor) }
      throw error
    }
    var handle = pthread_t()
    let status = unsafe pthread_create(
      &handle, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        unsafe Unmanaged<DatagramEventLoop>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(self).toOpaque())
    guard status == 0 else {
      unsafe Unmanaged.passUnretained(self).release()
      throw IOError(errnoCode: status, reason: "thread of an event loop")
    }
    pthread_detach(handle)
  }

  // MARK: Tasks

  var inEventLoop: Bool { thread.load(ordering: .relaxed) == pthread_self() }

  func execute(_ task: @escaping @Sendable () -> Void) {
    if inEventLoop { return queue.append(task) }
    let wasEmpty = inbox.withLock { inbox in
      defer { inbox.append(task) }
      return inbox.isEmpty
    }
    if wasEmpty { poller_bell_ring(bell) }
  }

  func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    let promise = makePromise(of: T.self)
    let entry = TimerQueue.Entry(at: deadline) {
      do {
        promise.assumeIsolatedUnsafeUnchecked().succeed(try task())
      } catch {
        promise.fail(error)
      }
    }
    if inEventLoop { timers.insert(entry) } else { execute { self.timers.insert(entry) } }
    return Scheduled(promise: promise) {
      if self.inEventLoop { entry.cancel() } else { self.execute { entry.cancel() } }
    }
  }

  func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
    scheduleTask(deadline: .now() + delay, task)
  }

  func next() -> any EventLoop { self }

  func makeIterator() -> EventLoopIterator { EventLoopIterator([self]) }

  /// Loops last as long as the process.
  func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
    queue.async { callback(EventLoopError.unsupportedOperation) }
  }

  // MARK: Sockets

  func add(_ channel: DatagramChannel) throws {
    guard poller_add(poller, channel.descriptor, true, false) == 0 else {
      throw IOError(errnoCode: errno, reason: "waiting for a UDP socket")
    }
    channels[channel.descriptor] = channel
  }

  func change(_ channel: DatagramChannel, reads: Bool, writes: Bool) {
    poller_change(poller, channel.descriptor, reads, writes)
  }

  func remove(_ channel: DatagramChannel) {
    poller_remove(poller, channel.descriptor)
    channels[channel.descriptor] = nil
  }

  // MARK: The thread

  private func run() {
    thread.store(UInt(pthread_self()), ordering: .relaxed)
    var events = [poller_event](repeating: poller_event(), count: poller_events)
    while true {
      runTasks()
      setAlarm()
      let count = unsafe poller_wait(poller, &events, !queue.isEmpty)
      for event in events.prefix(Int(max(0, count))) { take(event) }
      for task in timers.takeDue(at: .now()) { task() }
    }
  }

  private func take(_ event: poller_event) {
    switch event.descriptor {
    case bell: poller_bell_silence(bell)
    case timer:
      poller_timer_silence(timer)
      alarm = nil
    default: channels[event.descriptor]?.ready(event)
    }
  }

  /// Runs what there is to do, and what that leads to; after many tasks sockets have their turn.
  private func runTasks() {
    var done = 0
    while done < Self.tasksBetweenSockets {
      var tasks: [@Sendable () -> Void] = []
      swap(&tasks, &queue)
      tasks += inbox.withLock { inbox in
        defer { inbox.removeAll(keepingCapacity: true) }
        return inbox
      }
      if tasks.isEmpty { return }
      for task in tasks { task() }
      done += tasks.count
    }
    // What is in the inbox has rung the bell.
  }

  private static let tasksBetweenSockets = 4096

  private func setAlarm() {
    guard let next = timers.next, next < alarm ?? .distantFuture else { return }
    alarm = next
    poller_timer_set(timer, next.uptimeNanoseconds)
  }
}

/// Memory for the datagrams of one batch.
final class DatagramScratch {
  /// No datagram of UDP is longer.
  static let longest = 65_536
  let incoming = UnsafeMutablePointer<UInt8>.allocate(capacity: longest * datagrams_batch)
  let outgoing = UnsafeMutablePointer<UInt8>.allocate(capacity: outgoingCapacity)
  static let outgoingCapacity = 2 * longest
  var arrivals = [datagram_arrival](repeating: datagram_arrival(), count: datagrams_batch)

  deinit {
    unsafe incoming.deallocate()
    unsafe outgoing.deallocate()
  }
}
