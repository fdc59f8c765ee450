/// Takes what a transfer receives, within its limits.
///
/// It is touched by the transfer's thread alone, from inside libcurl's calls.
final class TransferSink {
  /// Which limit was passed.
  enum Excess {
    case head
    case body
  }

  private let limits: HTTPRequest.Limits
  private let observer: HTTPRequest.BodyObserver?
  /// Whether a response with this status is followed, so that nobody wants its body.
  private let isFollowed: (HTTPHead) -> Bool
  private var headBytes = 0
  private var bodyBytes = 0
  private(set) var head = HTTPHead()
  private(set) var body: [UInt8] = []
  private(set) var excess: Excess?

  init(
    limits: HTTPRequest.Limits, observer: HTTPRequest.BodyObserver?, isFollowed: @escaping (HTTPHead) -> Bool
  ) {
    self.limits = limits
    self.observer = observer
    self.isFollowed = isFollowed
  }

  /// False ends the transfer.
  func takeHead(_ line: UnsafeRawBufferPointer) -> Bool {
    headBytes += line.count
    guard headBytes <= limits.head else {
      excess = .head
      return false
    }
    head.append(String(decoding: line, as: UTF8.self))
    return true
  }

  /// False ends the transfer.
  func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
    bodyBytes += bytes.count
    guard bodyBytes <= limits.body else {
      excess = .body
      return false
    }
    guard !isFollowed(head) else { return true }
    if let observer { observer(Array(bytes)) } else { body.append(contentsOf: bytes) }
    return true
  }
}
