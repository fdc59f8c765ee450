import Addresses
import CAllocations
import NIOCore
import STUN

/// Nanoseconds and allocations of reading and writing one message.
enum CodecBenchmark {
  static func run() {
    let address = TransportAddress(ip: .v4(0xC000_0201), port: 32_853)
    let id = TransactionID.random()
    guard let key = IntegrityKey(username: "u", realm: "r.example", password: "p") else { return }
    let nonce = Nonce(Array("5f0e7e2a1c2b3d4e".utf8))

    measure("encode Binding request") { encode(.binding, id) { _ in } }
    measure("encode Binding response") { encode(.binding, id) { $0.append(XORMappedAddress(address)) } }
    measure("encode Allocate request, signed") {
      encode(.allocate, id) {
        $0.append(RequestedTransport.udp)
        $0.append(Username("u"))
        $0.append(Realm("r.example"))
        $0.append(nonce)
        $0.appendIntegrity(key: key)
        $0.appendFingerprint()
      }
    }
    let response = encode(.binding, id) {
      $0.append(Software("coturn"))
      $0.append(XORMappedAddress(address))
      $0.appendFingerprint()
    }
    measure("decode Binding response, address read") {
      guard let message = try? Message(decoding: response) else { return ByteBuffer() }
      precondition((try? message.attribute(XORMappedAddress.self))??.address == address)
      return response
    }
    let signed = encode(.allocate, id) {
      $0.append(XORRelayedAddress(address))
      $0.append(Lifetime(seconds: 600))
      $0.appendIntegrity(key: key)
    }
    measure("decode Allocate response, integrity checked") {
      guard let message = try? Message(decoding: signed) else { return ByteBuffer() }
      precondition(message.integrity(with: key) == .valid)
      return signed
    }
    let payload = ByteBuffer(repeating: 1, count: 160)
    guard let channel = ChannelNumber(rawValue: 0x4000) else { return }
    var frame = ByteBuffer()
    ChannelData.write(payload, to: channel, padded: false, into: &frame)
    let framed = frame
    measure("decode ChannelData") {
      precondition((try? ChannelData(decoding: framed))?.payload.readableBytes == 160)
      return framed
    }
  }

  private static func encode(
    _ method: Method, _ id: TransactionID, _ body: (inout MessageWriter) -> Void
  ) -> ByteBuffer {
    var writer = MessageWriter(MessageType(method, .request), transactionID: id, capacity: 160)
    body(&writer)
    return writer.finish()
  }

  @inline(never)
  private static func measure(_ name: String, _ body: () -> ByteBuffer) {
    let rounds = 200_000
    for _ in 0..<1000 { precondition(body().readableBytes > 0) }
    let before = allocations_count()
    let start = ContinuousClock.now
    for _ in 0..<rounds { precondition(body().readableBytes > 0) }
    let elapsed = ContinuousClock.now - start
    let allocations = Double(allocations_count() - before) / Double(rounds)
    let nanoseconds = elapsed / .nanoseconds(1) / Double(rounds)
    line(name, "\(Int(nanoseconds.rounded())) ns, \((allocations * 10).rounded() / 10) allocations")
  }
}
