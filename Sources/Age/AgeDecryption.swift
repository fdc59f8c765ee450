import Crypto
package import FoundationEssentials

/// Opens the content of an age file, chunk by chunk, in order.
///
/// What it gives is authentic, but whether it is the whole is known only at its end: whoever writes it somewhere must wait for
/// ``next()`` to give nil before anybody may take it for a file.
package struct AgeDecryption {
  /// Fills the buffer as far as there is anything; 0 at the end.
  package typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

  private let source: Source
  private var chunks: AgeChunks
  /// Read and not yet opened.
  private var pending: Data
  private var sourceEnded = false
  private var ended = false

  private static let sealedSize = AgeChunks.size + AgeChunks.tagSize

  /// Reads the header. Throws ``AgeError``, or what the source throws.
  package init(identities: [AgeIdentity], from source: @escaping Source) throws {
    self.source = source
    pending = Data()
    chunks = AgeChunks(fileKey: .init(size: .bits128), nonce: [])
    try fill(to: Self.sealedSize)
    // A header is far shorter than a chunk; one with hundreds of recipients is not.
    while !Self.holdsHeader(pending), !sourceEnded, pending.count < AgeHeader.longest {
      try fill(to: pending.count + Self.sealedSize)
    }
    let header = try AgeHeader(Array(pending), identities: identities)
    try fill(to: header.length + AgeChunks.nonceSize)
    guard pending.count >= header.length + AgeChunks.nonceSize else {
      throw AgeError.malformedHeader("the file ends behind it")
    }
    let body = pending.dropFirst(header.length)
    chunks = AgeChunks(fileKey: header.fileKey, nonce: body.prefix(AgeChunks.nonceSize))
    pending = Data(body.dropFirst(AgeChunks.nonceSize))
  }

  private static func holdsHeader(_ bytes: Data) -> Bool {
    guard let mac = bytes.firstRange(of: Data("\n--- ".utf8)) else { return false }
    return bytes[mac.upperBound...].contains(0x0A)
  }

  private mutating func fill(to wanted: Int) throws {
    while pending.count < wanted, !sourceEnded {
      let missing = wanted - pending.count
      let part = try Data(unsafeUninitialized: missing) { try source($0) }
      if part.isEmpty { sourceEnded = true }
      pending += part
    }
  }

  /// The content of the next chunk; nil once the last one was given and the file ends there.
  package mutating func next() throws -> Data? {
    guard !ended else { return nil }
    // One byte more tells whether it is the last.
    try fill(to: Self.sealedSize + 1)
    let isLast = pending.count <= Self.sealedSize
    let number = chunks.count
    guard let content = chunks.open(Data(pending.prefix(Self.sealedSize)), isLast: isLast),
      // Only an empty content has an empty chunk.
      !content.isEmpty || number == 0
    else { throw AgeError.alteredContent(chunk: number) }
    pending = Data(pending.dropFirst(Self.sealedSize))
    ended = isLast
    return content
  }
}

extension Data {
  /// At most `capacity` bytes, as many as `fill` says it wrote.
  fileprivate init(unsafeUninitialized capacity: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
    self.init(count: capacity)
    let count = try withUnsafeMutableBytes { try fill($0) }
    removeLast(capacity - count)
  }
}
