import COpenSSL
import NIOCore

/// What OpenSSL reads from and writes to in place of a socket. Each write stays one piece, so that DTLS records keep
/// their datagrams.
final class RecordQueue {
  /// Bytes or datagrams that have arrived and were not read yet.
  fileprivate var inbound = CircularBuffer<ByteBuffer>()
  /// What is to be sent, piece by piece.
  private(set) var outbound: [ByteBuffer] = []

  func push(_ bytes: ByteBuffer) { if bytes.readableBytes > 0 { inbound.append(bytes) } }

  func takeOutbound() -> [ByteBuffer] {
    defer { outbound = [] }
    return outbound
  }

  /// Copies what has arrived; nil when there is nothing. A datagram is read whole or its rest is lost.
  fileprivate func read(into target: UnsafeMutableRawBufferPointer, isDatagram: Bool) -> Int? {
    guard var first = inbound.first else { return nil }
    let count = min(first.readableBytes, target.count)
    first.readWithUnsafeReadableBytes { source in
      unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: source[..<count]))
      return count
    }
    if isDatagram || first.readableBytes == 0 { inbound.removeFirst() } else { inbound[inbound.startIndex] = first }
    return count
  }

  fileprivate func write(_ bytes: UnsafeRawBufferPointer) { unsafe outbound.append(ByteBuffer(bytes: bytes)) }
}

/// A `BIO` over a `RecordQueue`.
enum RecordBIO {
  /// A new `BIO *` that does not own the queue: the queue must live longer.
  static func make(over queue: RecordQueue, isDatagram: Bool) -> OpaquePointer? {
    guard let method = isDatagram ? datagramMethod.raw : streamMethod.raw, let bio = BIO_new(method) else { return nil }
    unsafe BIO_set_data(bio, Unmanaged.passUnretained(queue).toOpaque())
    BIO_set_init(bio, 1)
    return bio
  }

  /// Made once for the process and never freed.
  private struct Method: @unchecked Sendable {
    let raw: OpaquePointer?
  }

  private static let streamMethod = method(isDatagram: false)
  private static let datagramMethod = method(isDatagram: true)

  private static func method(isDatagram: Bool) -> Method {
    let type = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
    guard let method = BIO_meth_new(type, isDatagram ? "datagram queue" : "byte queue") else { return Method(raw: nil) }
    BIO_meth_set_write(method) { bio, bytes, count in
      guard let bytes, count > 0, let queue = RecordBIO.queue(of: bio) else { return -1 }
      unsafe queue.write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
      return count
    }
    if isDatagram {
      BIO_meth_set_read(method) { RecordBIO.read($0, $1, $2, isDatagram: true) }
    } else {
      BIO_meth_set_read(method) { RecordBIO.read($0, $1, $2, isDatagram: false) }
    }
    BIO_meth_set_ctrl(method) { _, command, _, _ in
      switch command {
      case BIO_CTRL_FLUSH, BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT: 1
      // IPv4 or IPv6 header and UDP header, the larger of both.
      case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: 48
      default: 0
      }
    }
    return Method(raw: method)
  }

  private static func queue(of bio: OpaquePointer?) -> RecordQueue? {
    unsafe BIO_get_data(bio).map { unsafe Unmanaged<RecordQueue>.fromOpaque($0).takeUnretainedValue() }
  }

  private static func read(
    _ bio: OpaquePointer?, _ target: UnsafeMutablePointer<CChar>?, _ count: CInt, isDatagram: Bool
  ) -> CInt {
    BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
    guard let target, count > 0, let queue = queue(of: bio) else { return -1 }
    let buffer = unsafe UnsafeMutableRawBufferPointer(start: target, count: Int(count))
    guard let copied = unsafe queue.read(into: buffer, isDatagram: isDatagram) else {
      BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY)
      return -1
    }
    return CInt(copied)
  }
}
