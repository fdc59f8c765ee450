import Coturn
import Schema

/// A connection to Redis, logged in as coturn does. It blocks: for a thread of its own.
final class RedisConnection {
  enum Failure: Error, Hashable {
    case socket(DatabaseSocket.Failure)
    /// What Redis answered.
    case refused(String)
    /// It does not speak Redis's protocol.
    case malformed
  }

  private let socket: DatabaseSocket
  private var reader = RedisReader()

  init(_ socket: DatabaseSocket) { self.socket = socket }

  /// When it gives up on what it waits for.
  var end: ContinuousClock.Instant {
    get { socket.end }
    set { socket.end = newValue }
  }

  /// Logs in, chooses the database, and asks whether Redis lets one do something.
  func logIn(_ account: ConnectionString) throws(Failure) {
    var refusal: String?
    if let password = account.password?.revealText(), !password.isEmpty {
      let user = account.user.flatMap { $0.isEmpty ? nil : [$0] } ?? []
      if case .error(let text) = try command(["AUTH"] + user + [password]) { refusal = text }
    }
    // coturn goes on after a refused AUTH too: a Redis without a password refuses it, and lets everybody in.
    if let database = account.database, case .error(let text) = try command(["SELECT", database]) {
      throw .refused(refusal ?? text)
    }
    if case .error(let text) = try command(["PING"]) { throw .refused(refusal ?? text) }
  }

  /// Sends a command and takes its reply.
  func command(_ words: [String]) throws(Failure) -> RedisReply {
    var bytes = Array("*\(words.count)\r\n".utf8)
    for word in words { bytes += Array("$\(word.utf8.count)\r\n".utf8) + Array(word.utf8) + Array("\r\n".utf8) }
    do throws(DatabaseSocket.Failure) { try socket.send(bytes) } catch { throw .socket(error) }
    return try next()
  }

  /// The next reply, or the next message of a channel.
  func next() throws(Failure) -> RedisReply {
    while true {
      do throws(RedisReader.Malformed) {
        if let reply = try reader.next() { return reply }
      } catch { throw .malformed }
      let bytes: [UInt8]
      do throws(DatabaseSocket.Failure) { bytes = try socket.receive() } catch { throw .socket(error) }
      do throws(RedisReader.Malformed) { try reader.take(bytes) } catch { throw .malformed }
    }
  }
}
