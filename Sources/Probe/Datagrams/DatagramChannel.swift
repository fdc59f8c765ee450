import Addresses
import CDatagrams
import Glibc
import NIOCore
import STUN
import Synchronization

/// A datagram with where it goes, for a socket that is not connected.
struct AddressedDatagram: Sendable {
  let bytes: ByteBuffer
  let target: TransportAddress
}

/// A UDP socket as a NIO channel. It hands in each datagram as a `ReceivedFrame`, and takes a `ByteBuffer` where it is
/// connected, else an `AddressedDatagram`.
///
/// What the network says of what was sent goes through the pipeline as an error, a `TransportFailure`, and never closes
/// the channel.
final class DatagramChannel: Channel, ChannelCore, @unchecked Sendable {
  /// Whom a socket speaks with.
  enum Destination: Sendable {
    case connected(TransportAddress)
    /// Whoever is named; ICMP messages are not told.
    case anyone(AddressFamily)
  }

  let descriptor: CInt
  let allocator = ByteBufferAllocator()
  let localAddress: SocketAddress?
  let remoteAddress: SocketAddress?
  private let loop: DatagramEventLoop
  private let server: TransportAddress?
  private let closePromise: EventLoopPromise<Void>
  nonisolated(unsafe) private var ownPipeline: ChannelPipeline?
  private let active = Atomic<Bool>(false)
  private let writable = Atomic<Bool>(true)

  /// Used on the loop.
  private var isOpen = true
  private var reads = true
  private var waitsToWrite = false
  private var outbound: [Outbound] = []
  /// How many of them were flushed.
  private var flushed = 0
  private var outboundBytes = 0

  private struct Outbound {
    let bytes: ByteBuffer
    let target: TransportAddress?
    let promise: EventLoopPromise<Void>?
  }

  /// Opens a socket, with the handlers that `initializer` adds.
  ///
  /// - Parameter receiveBuffer: how many bytes the kernel keeps that are not read yet; nil as the system has it.
  /// - Throws: `IOError`, and what `initializer` throws.
  static func open<Value: Sendable>(
    _ destination: Destination, in network: ProbeNetwork, on loop: DatagramEventLoop, receiveBuffer: Int? = nil,
    _ initializer: @escaping @Sendable (DatagramChannel) throws -> Value
  ) async throws -> Value {
    let open: @Sendable () throws -> Value = {
      let channel = try DatagramChannel(destination, in: network, on: loop, receiveBuffer: receiveBuffer)
      do {
        let value = try initializer(channel)
        try channel.activate()
        return value
      } catch {
        channel.close0(error: error, mode: .all, promise: nil)
        throw error
      }
    }
    if loop.inEventLoop { return try open() }
    return try await loop.submit(open).get()
  }

  private init(
    _ destination: Destination, in network: ProbeNetwork, on loop: DatagramEventLoop, receiveBuffer: Int?
  ) throws {
    let family: AddressFamily
    switch destination {
    case .connected(let server):
      family = server.ip.family
      self.server = server
      remoteAddress = try SocketAddress(server)
    case .anyone(let wanted):
      family = wanted
      server = nil
      remoteAddress = nil
    }
    let number: UInt8 = family == .ipv4 ? 4 : 6
    let reportsErrors = server != nil
    let (opened, failure) = try network.opening {
      let opened = datagrams_open(number, reportsErrors)
      return (opened, errno)
    }
    guard opened >= 0 else { throw IOError(errnoCode: failure, reason: "opening a UDP socket") }
    descriptor = opened
    if let receiveBuffer { datagrams_set_receive_buffer(descriptor, CInt(receiveBuffer)) }
    let status: CInt
    if let server {
      var target = datagram_address(server)
      status = unsafe datagrams_connect(descriptor, &target)
    } else {
      status = datagrams_bind(descriptor, number)
    }
    var local = datagram_address()
    guard status == 0, unsafe datagrams_local_address(descriptor, &local) == 0 else {
      let error = errno
      Glibc.close(descriptor)
      throw IOError(errnoCode: error, reason: "opening a UDP socket")
    }
    localAddress = try TransportAddress(local).map { try SocketAddress($0) }
    self.loop = loop
    closePromise = loop.makePromise()
    ownPipeline = ChannelPipeline(channel: self)
  }

  private func activate() throws {
    try loop.add(self)
    active.store(true, ordering: .relaxed)
    pipeline.fireChannelRegistered()
    pipeline.fireChannelActive()
  }

  // MARK: Channel

  var eventLoop: any EventLoop { loop }
  var closeFuture: EventLoopFuture<Void> { closePromise.futureResult }
  var parent: (any Channel)? { nil }
  var isActive: Bool { active.load(ordering: .relaxed) }
  var isWritable: Bool { writable.load(ordering: .relaxed) }
  var _channelCore: any ChannelCore { self }

  var pipeline: ChannelPipeline {
    guard let ownPipeline else { preconditionFailure("a channel is not used before it is made") }
    return ownPipeline
  }

  func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) -> EventLoopFuture<Void> {
    eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
  }

  func getOption<Option: ChannelOption>(_ option: Option) -> EventLoopFuture<Option.Value> {
    eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
  }

  var syncOptions: (any NIOSynchronousChannelOptions)? { Options(channel: self) }

  /// Whether what arrives is read is all that can be set.
  private struct Options: NIOSynchronousChannelOptions {
    let channel: DatagramChannel

    func setOption<Option: ChannelOption>(_ option: Option, value: Option.Value) throws {
      guard option is ChannelOptions.Types.AutoReadOption, let reads = value as? Bool else {
        throw ChannelError.operationUnsupported
      }
      channel.setReading(reads)
    }

    func getOption<Option: ChannelOption>(_ option: Option) throws -> Option.Value {
      guard option is ChannelOptions.Types.AutoReadOption, let value = channel.reads as? Option.Value else {
        throw ChannelError.operationUnsupported
      }
      return value
    }
  }

  private func setReading(_ reads: Bool) {
    guard isOpen, reads != self.reads else { return }
    self.reads = reads
    loop.change(self, reads: reads, writes: waitsToWrite)
  }

  private func setWaitsToWrite(_ waits: Bool) {
    guard isOpen, waits != waitsToWrite else { return }
    waitsToWrite = waits
    loop.change(self, reads: reads, writes: waits)
  }

  // MARK: Core

  func localAddress0() throws -> SocketAddress {
    guard let localAddress else { throw ChannelError.unknownLocalAddress }
    return localAddress
  }

  func remoteAddress0() throws -> SocketAddress {
    guard let remoteAddress else { throw ChannelError.operationUnsupported }
    return remoteAddress
  }

  func register0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
  func registerAlreadyConfigured0(promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
  func bind0(to: SocketAddress, promise: EventLoopPromise<Void>?) { promise?.fail(ChannelError.operationUnsupported) }
  func connect0(to: SocketAddress, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }
  func triggerUserOutboundEvent0(_ event: Any, promise: EventLoopPromise<Void>?) {
    promise?.fail(ChannelError.operationUnsupported)
  }
  func read0() {}
  func channelRead0(_ data: NIOAny) {}
  func errorCaught0(error: any Error) {}

  func close0(error: any Error, mode: CloseMode, promise: EventLoopPromise<Void>?) {
    guard isOpen else { return promise?.fail(ChannelError.alreadyClosed) ?? () }
    let wasActive = isActive
    isOpen = false
    active.store(false, ordering: .relaxed)
    if wasActive { loop.remove(self) }
    Glibc.close(descriptor)
    let unsent = outbound
    outbound = []
    (flushed, outboundBytes) = (0, 0)
    for datagram in unsent { datagram.promise?.fail(error) }
    promise?.succeed()
    if wasActive {
      pipeline.fireChannelInactive()
      pipeline.fireChannelUnregistered()
    }
    loop.execute {
      self.removeHandlers(pipeline: self.pipeline)
      self.closePromise.succeed()
    }
  }

  // MARK: Writing

  func write0(_ data: NIOAny, promise: EventLoopPromise<Void>?) {
    guard isOpen else { return promise?.fail(ChannelError.ioOnClosedChannel) ?? () }
    let datagram: Outbound
    if let bytes = tryUnwrapData(data, as: ByteBuffer.self) {
      datagram = Outbound(bytes: bytes, target: nil, promise: promise)
    } else if let addressed = tryUnwrapData(data, as: AddressedDatagram.self) {
      datagram = Outbound(bytes: addressed.bytes, target: addressed.target, promise: promise)
    } else {
      return promise?.fail(ChannelError.operationUnsupported) ?? ()
    }
    outbound.append(datagram)
    outboundBytes += datagram.bytes.readableBytes
    if outboundBytes > Self.fullAbove { setWritable(false) }
  }

  func flush0() {
    flushed = outbound.count
    if !waitsToWrite { send() }
  }

  /// The channel takes no more above, and more again below.
  private static let (fullAbove, freeBelow) = (64 << 10, 32 << 10)

  private func setWritable(_ isWritable: Bool) {
    guard writable.exchange(isWritable, ordering: .relaxed) != isWritable else { return }
    pipeline.fireChannelWritabilityChanged()
  }

  /// Sends what was flushed, until the system takes no more.
  private func send() {
    var tries = 0
    while flushed > 0, isOpen {
      let (count, sent) = sendBatch()
      if sent > 0 {
        tries = 0
        finishSending(sent, nil)
        continue
      }
      let error = errno
      switch error {
      case EAGAIN: return setWaitsToWrite(true)
      // The queue of the interface is full: it is lost, like any packet that a router has no room for.
      case ENOBUFS: finishSending(min(1, count), nil)
      default:
        // An error of a datagram before shows at the next call, once, and keeps it from what it was to do.
        tries += 1
        let reported = takeErrorReports()
        guard tries > (reported > 0 ? 16 : 1) else { continue }
        tries = 0
        finishSending(1, IOError(errnoCode: error, reason: "sending a datagram"))
      }
    }
    setWaitsToWrite(false)
  }

  /// How many datagrams were offered to the system, and how many it took; with `errno` if that is none.
  private func sendBatch() -> (offered: Int, sent: Int) {
    var lengths: [Int] = []
    var used = 0
    let target = outbound[0].target
    for datagram in outbound.prefix(min(flushed, datagrams_batch)) {
      let length = datagram.bytes.readableBytes
      guard used + length <= DatagramScratch.outgoingCapacity, datagram.target == target else { break }
      datagram.bytes.withUnsafeReadableBytes { bytes in
        guard let start = bytes.baseAddress else { return }
        unsafe UnsafeMutableRawPointer(loop.scratch.outgoing + used).copyMemory(from: start, byteCount: length)
      }
      used += length
      lengths.append(length)
    }
    guard !lengths.isEmpty else {
      errno = EMSGSIZE
      return (1, -1)
    }
    let count = CInt(lengths.count)
    if let target {
      var address = datagram_address(target)
      return (lengths.count, Int(unsafe datagrams_send(descriptor, loop.scratch.outgoing, &lengths, count, &address)))
    }
    return (lengths.count, Int(unsafe datagrams_send(descriptor, loop.scratch.outgoing, &lengths, count, nil)))
  }

  /// Takes the first datagrams off the queue, whether they were sent or cannot be.
  private func finishSending(_ count: Int, _ error: IOError?) {
    let done = Array(outbound.prefix(count))
    outbound.removeFirst(done.count)
    flushed -= done.count
    for datagram in done {
      outboundBytes -= datagram.bytes.readableBytes
      if let error { datagram.promise?.fail(error) } else { datagram.promise?.succeed() }
    }
    if outboundBytes < Self.freeBelow { setWritable(true) }
  }

  // MARK: Reading

  /// Called by the loop.
  func ready(_ event: poller_event) {
    if event.has_error { takeAllErrors() }
    if event.is_readable, isOpen, reads { receive() }
    if event.is_writable, isOpen, waitsToWrite {
      waitsToWrite = false
      loop.change(self, reads: reads, writes: false)
      send()
    }
  }

  private static let batchesInARow = 8

  private func receive() {
    var isAnythingRead = false
    for _ in 0..<Self.batchesInARow {
      guard isOpen, reads else { break }
      let count = unsafe datagrams_receive(
        descriptor, loop.scratch.incoming, DatagramScratch.longest, &loop.scratch.arrivals, batchSize)
      guard count > 0 else {
        if count < 0, errno != EAGAIN { noteError(errno) }
        break
      }
      isAnythingRead = true
      deliver(Int(count))
      if count < batchSize { break }
    }
    if isAnythingRead, isOpen { pipeline.fireChannelReadComplete() }
  }

  private func deliver(_ count: Int) {
    // Read before anything is handed on: what follows from it may use the scratch.
    var frames: [ReceivedFrame] = []
    frames.reserveCapacity(count)
    for index in 0..<count {
      let arrival = loop.scratch.arrivals[index]
      let start = unsafe loop.scratch.incoming + index * DatagramScratch.longest
      var bytes = allocator.buffer(capacity: arrival.length)
      unsafe bytes.writeBytes(UnsafeRawBufferPointer(start: start, count: arrival.length))
      frames.append(ReceivedFrame(bytes: bytes, source: server ?? TransportAddress(arrival.source)))
    }
    for frame in frames where isOpen { pipeline.fireChannelRead(frame) }
  }

  // MARK: Errors

  /// An error that a system call returned: that of a report if there is one.
  private func noteError(_ code: CInt) {
    if takeErrorReports() == 0 { pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "UDP socket")) }
  }

  private func takeAllErrors() {
    let reported = takeErrorReports()
    let code = datagrams_take_error(descriptor)
    if reported == 0, code != 0, isOpen { pipeline.fireErrorCaught(IOError(errnoCode: code, reason: "UDP socket")) }
  }

  /// Tells what the network reports of what was sent. How many reports there were.
  private func takeErrorReports() -> Int {
    var count = 0
    var report = datagram_error()
    while isOpen, unsafe datagrams_next_error(descriptor, &report) == 1 {
      // What this host refuses to send fails where it is sent.
      guard !report.is_local else { continue }
      count += 1
      pipeline.fireErrorCaught(TransportFailure(icmp: ICMPError(report)))
    }
    return count
  }
}

private let batchSize = CInt(datagrams_batch)
