import Crypto
import FoundationEssentials

/// The head of an age file: for each recipient the file's key, wrapped, and a MAC over it all.
struct AgeHeader {
  private static let firstLine = "age-encryption.org/v1"
  private static let wrappingInfo = Data("age-encryption.org/v1/X25519".utf8)
  /// A header that is longer than this is not of a backup's.
  static let longest = 1 << 20

  /// One recipient's part, of any kind.
  private struct Stanza {
    var arguments: [Substring]
    var body: [UInt8]
  }

  let fileKey: SymmetricKey
  /// How many bytes of the file it takes.
  let length: Int

  private static func base64(_ bytes: some Sequence<UInt8>) -> String {
    Data(bytes).base64EncodedString().filter { $0 != "=" }
  }

  /// Strict: no padding, no character beside the alphabet, no bits behind the last byte.
  private static func bytes(base64 text: some StringProtocol) -> [UInt8]? {
    guard !text.contains("="), text.utf8.count % 4 != 1,
      let data = Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)),
      base64(data) == text
    else { return nil }
    return Array(data)
  }

  private static func mac(of text: String, _ fileKey: SymmetricKey) -> HMAC<SHA256>.MAC {
    let key = HKDF<SHA256>.deriveKey(inputKeyMaterial: fileKey, info: Data("header".utf8), outputByteCount: 32)
    return HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)
  }

  /// The key under which a file's key is wrapped for one recipient.
  private static func wrappingKey(
    _ secret: Curve25519.KeyAgreement.PrivateKey, with key: [UInt8], share: [UInt8], recipient: [UInt8]
  ) -> SymmetricKey? {
    guard let other = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: key),
      let shared = try? secret.sharedSecretFromKeyAgreement(with: other),
      // A point of small order makes no secret (RFC 7748, section 6.1).
      shared.withUnsafeBytes({ $0.contains { $0 != 0 } })
    else { return nil }
    return shared.hkdfDerivedSymmetricKey(
      using: SHA256.self, salt: Data(share + recipient), sharedInfo: wrappingInfo, outputByteCount: 32)
  }

  private static let zeroNonce = try? ChaChaPoly.Nonce(data: [UInt8](repeating: 0, count: 12))

  // MARK: Writing

  /// A new key for a file, and the header that hands it to the recipients.
  static func seal(to recipients: [AgeRecipient]) throws(AgeError) -> (fileKey: SymmetricKey, text: String) {
    let fileKey = SymmetricKey(size: .bits128)
    var text = firstLine + "\n"
    for recipient in recipients {
      let ephemeral = Curve25519.KeyAgreement.PrivateKey()
      let share = Array(ephemeral.publicKey.rawRepresentation)
      guard
        let key = wrappingKey(ephemeral, with: recipient.key, share: share, recipient: recipient.key),
        let box = try? ChaChaPoly.seal(fileKey.withUnsafeBytes { Data($0) }, using: key, nonce: zeroNonce)
      else { throw .notARecipient }
      text += "-> X25519 \(base64(share))\n\(base64(box.ciphertext + box.tag))\n"
    }
    text += "---"
    return (fileKey, text + " \(base64(mac(of: text, fileKey)))\n")
  }

  // MARK: Reading

  /// - Parameter bytes: the start of the file, of ``longest`` bytes if it has as many.
  init(_ bytes: [UInt8], identities: [AgeIdentity]) throws(AgeError) {
    guard bytes.starts(with: Array((Self.firstLine + "\n").utf8)) else { throw .notAnAgeFile }
    var rest = bytes.dropFirst(Self.firstLine.utf8.count + 1)
    func line() throws(AgeError) -> Substring {
      guard let end = rest.firstIndex(of: 0x0A) else { throw .malformedHeader("it does not end") }
      guard let text = String(validating: rest[..<end], as: Unicode.ASCII.self) else {
        throw .malformedHeader("it holds bytes that are not ASCII")
      }
      rest = rest[(end + 1)...]
      return text[...]
    }

    var stanzas: [Stanza] = []
    var last = try line()
    while last.hasPrefix("-> ") {
      let arguments = last.dropFirst(3).split(separator: " ", omittingEmptySubsequences: false)
      guard arguments.allSatisfy({ !$0.isEmpty }) else { throw .malformedHeader("an argument is empty") }
      var body: [UInt8] = []
      // Lines of 64 characters, the last one shorter.
      repeat {
        last = try line()
        guard last.utf8.count <= 64, let part = Self.bytes(base64: last) else {
          throw .malformedHeader("a recipient's part is no base64")
        }
        body += part
      } while last.utf8.count == 64
      stanzas.append(Stanza(arguments: arguments, body: body))
      last = try line()
    }
    guard last.hasPrefix("--- "), let mac = Self.bytes(base64: last.dropFirst(4)) else {
      throw .malformedHeader("its MAC is missing")
    }
    length = bytes.count - rest.count
    guard !stanzas.isEmpty else { throw .malformedHeader("it names no recipient") }

    let parts = stanzas.filter { $0.arguments.first == "X25519" }
    var opened: SymmetricKey?
    for part in parts where opened == nil {
      guard part.arguments.count == 2, let share = Self.bytes(base64: part.arguments[1]), share.count == 32,
        part.body.count == 32
      else { throw .malformedHeader("an X25519 recipient's part has another size") }
      opened = identities.lazy.compactMap { Self.fileKey(of: part.body, share: share, $0) }.first
    }
    guard let fileKey = opened else { throw .noMatchingIdentity(recipients: parts.count) }
    self.fileKey = fileKey

    let signed = String(decoding: bytes[..<(length - last.utf8.count - 1)], as: UTF8.self) + "---"
    guard Self.mac(of: signed, fileKey) == Data(mac) else { throw .alteredHeader }
  }

  private static func fileKey(of body: [UInt8], share: [UInt8], _ identity: AgeIdentity) -> SymmetricKey? {
    guard
      let key = wrappingKey(identity.key, with: share, share: share, recipient: identity.recipient.key),
      let nonce = zeroNonce,
      let box = try? ChaChaPoly.SealedBox(nonce: nonce, ciphertext: body.prefix(16), tag: body.suffix(16)),
      let opened = try? ChaChaPoly.open(box, using: key)
    else { return nil }
    return SymmetricKey(data: opened)
  }
}
