import NIOCore
import STUN

/// Messages as servers send them.
enum Reply {
  static func success(
    to request: Message, _ attributes: [any Attribute], key: IntegrityKey? = nil, id: TransactionID? = nil
  ) -> ByteBuffer {
    message(.success, to: request, attributes, key: key, id: id)
  }

  static func error(
    _ number: Int, to request: Message, _ attributes: [any Attribute] = [], key: IntegrityKey? = nil
  ) -> ByteBuffer {
    message(.error, to: request, [ErrorCode(number)] + attributes, key: key, id: nil)
  }

  /// A 401 that asks for long-term credentials.
  static func challenge(to request: Message, realm: String = "r.example", nonce: String = "n-1") -> ByteBuffer {
    error(401, to: request, [Realm(realm), Nonce(Array(nonce.utf8))])
  }

  private static func message(
    _ messageClass: MessageClass, to request: Message, _ attributes: [any Attribute], key: IntegrityKey?,
    id: TransactionID?
  ) -> ByteBuffer {
    var writer = MessageWriter(
      MessageType(request.type.method, messageClass), transactionID: id ?? request.transactionID)
    for attribute in attributes { writer.append(attribute) }
    if let key { writer.appendIntegrity(key: key) }
    return writer.finish()
  }
}
