import Glibc
import Processes
import Schema
import Steps

/// What a time server says of this host's clock, by SNTP (RFC 4330, RFC 5905).
struct TimeServerAnswer: Hashable, Sendable {
  /// How far this host's clock is ahead of the server's.
  var offset: Duration
  /// The round trip, without the time that the server took.
  var delay: Duration
  /// 1 for a server with a clock of its own, one more for each server in between.
  var stratum: Int
}

/// Asks a time server some times, and keeps the answer that was on the way for the shortest time.
struct TimeServer: Sendable {
  let host: String
  let port: UInt16
  private static let questions = 4

  /// Blocks, for at most `patience` for each question.
  ///
  /// Throws `broken` if there is no answer, and `failed` if the server says that it has no time to give.
  func ask(patience: Duration) throws(StepError) -> TimeServerAnswer {
    var refusal: StepError?
    for (address, family) in try addresses() {
      var best: TimeServerAnswer?
      for _ in 0..<Self.questions {
        switch askOnce(address, family, patience) {
        case .answer(let answer): if answer.delay < best?.delay ?? .seconds(3600) { best = answer }
        case .refused(let error): refusal = error
        case .silent: break
        }
        if best == nil { break }
      }
      if let best { return best }
    }
    throw refusal
      ?? .broken(
        "host.timeServerSilent", "the time server \(host), port \(port), does not answer",
        advice: "Check its name, and that UDP to port \(port) and back is let through.")
  }

  private func addresses() throws(StepError) -> [([UInt8], Int32)] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let failure = getaddrinfo(host, "\(port)", &hints, &list)
    guard failure == 0 else {
      throw .broken(
        "host.timeServerUnknown", "the time server \(host) has no address: \(String(cString: gai_strerror(failure)))",
        advice: "Check the name, and this host's resolver.")
    }
    defer { freeaddrinfo(list) }
    var addresses: [([UInt8], Int32)] = []
    var next = list
    while let entry = next {
      let bytes = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
      addresses.append((Array(bytes), entry.pointee.ai_family))
      next = entry.pointee.ai_next
    }
    return addresses
  }

  private enum Reply {
    case answer(TimeServerAnswer)
    case refused(StepError)
    case silent
  }

  private func askOnce(_ address: [UInt8], _ family: Int32, _ patience: Duration) -> Reply {
    let descriptor = socket(family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return .silent }
    defer { close(descriptor) }
    let isConnected = address.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        $0.baseAddress.map { connect(descriptor, $0, socklen_t(bytes.count)) }
      }
    }
    guard isConnected == 0 else { return .silent }
    // A number of chance in place of our time: the answer must repeat it, and it tells nobody what our clock shows.
    let mark = UInt64.random(in: 1 ... .max)
    var question = [UInt8](repeating: 0, count: 48)
    question[0] = 4 << 3 | 3
    for place in 0..<8 { question[40 + place] = UInt8(truncatingIfNeeded: mark >> (56 - 8 * UInt64(place))) }
    let deadline = ContinuousClock.now + patience
    let sent = NTPTime.now()
    guard send(descriptor, question, question.count, 0) == question.count else { return .silent }
    var answer = [UInt8](repeating: 0, count: 512)
    while true {
      let left = deadline - .now
      var event = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard left > .zero, poll(&event, 1, Int32(left / .milliseconds(1)) + 1) > 0 else { return .silent }
      let count = recv(descriptor, &answer, answer.count, 0)
      let received = NTPTime.now()
      guard count >= 0 else { return .silent }
      if let reply = read(answer.prefix(count), mark, sent, received) { return reply }
    }
  }

  /// Nil for what answers no question of ours.
  private func read(_ bytes: ArraySlice<UInt8>, _ mark: UInt64, _ sent: UInt64, _ received: UInt64) -> Reply? {
    func number(_ place: Int) -> UInt64 { bytes[place..<(place + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
    // Mode 4 is a server's answer.
    guard bytes.count >= 48, bytes[0] & 7 == 4, number(24) == mark else { return nil }
    let stratum = Int(bytes[1])
    if stratum == 0 {
      let code = String(decoding: bytes[12..<16].filter { (0x20..<0x7F).contains($0) }, as: UTF8.self)
      return .refused(
        .failed(
          "host.timeServerRefused", "the time server \(host) refuses to answer: \(code)",
          advice: "RATE means that it is asked too often, DENY that it serves others."))
    }
    let (serverReceived, serverSent) = (number(32), number(40))
    guard bytes[0] >> 6 != 3, stratum < 16, serverSent != 0 else {
      return .refused(
        .failed(
          "host.timeServerUnsynchronised", "the time server \(host) says itself that its clock is not synchronised",
          advice: "Look at its own servers (chronyc sources), or ask another one."))
    }
    let there = NTPTime.difference(sent, serverReceived)
    let back = NTPTime.difference(received, serverSent)
    let delay = NTPTime.difference(received, sent) - NTPTime.difference(serverSent, serverReceived)
    return .answer(TimeServerAnswer(offset: (there + back) / 2, delay: max(.zero, delay), stratum: stratum))
  }
}

/// Times as NTP writes them: seconds since 1900 in the upper half, parts of one in the lower. They begin anew in 2036.
enum NTPTime {
  static func now() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let seconds = UInt64(truncatingIfNeeded: now.tv_sec + 2_208_988_800) << 32
    return seconds | (UInt64(now.tv_nsec) << 32) / 1_000_000_000
  }

  /// How much later the first is, within 68 years.
  static func difference(_ later: UInt64, _ earlier: UInt64) -> Duration {
    let difference = Int64(bitPattern: later &- earlier)
    return .seconds(difference >> 32) + .nanoseconds(((difference & 0xFFFF_FFFF) * 1_000_000_000) >> 32)
  }
}
