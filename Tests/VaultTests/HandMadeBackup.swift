import Age
import Archive
import Crypto
import Foundation
import Processes
import Schema

@testable import Vault

/// An archive made by hand, with the manifest that belongs to it, or one that lies.
struct HandMadeBackup: Sendable {
  var members: [(member: TarMember, content: [UInt8])] = []
  /// What is done to the manifest beside the archive, and to the one in it.
  var alterOuter: @Sendable (inout BackupManifest) -> Void = { _ in }
  var alterInner: @Sendable (inout BackupManifest) -> Void = { _ in }

  static let created = Timestamp(seconds: 1_700_000_000, nanoseconds: 0) ?? .unixEpoch

  init(_ files: [(name: String, text: String)] = []) {
    for (name, text) in files { add(name, Array(text.utf8)) }
  }

  mutating func add(_ name: String, _ content: [UInt8], mode: UInt32 = 0o640, user: Int = 0) {
    add(Array(name.utf8), .file(size: content.count), content, mode: mode, user: user)
  }

  mutating func add(
    _ name: [UInt8], _ kind: TarMember.Kind, _ content: [UInt8] = [], mode: UInt32 = 0o755, user: Int = 0
  ) {
    members.append(
      (
        TarMember(name: name, kind: kind, mode: mode, user: user, group: user, modified: (1_650_000_000, 250_000_000)),
        content
      ))
  }

  /// - Parameter key: for HMACs; nil for SHA-256.
  func manifest(key: SymmetricKey? = nil) -> BackupManifest {
    var manifest = BackupManifest(
      set: "turn", host: "turn1", created: key == nil ? nil : Self.created, digests: key == nil ? .sha256 : .hmacSHA256,
      members: members.map { member, content in
        let digest =
          key.map { hostDigest(hex(SHA256.hash(data: content)), $0) } ?? hex(SHA256.hash(data: content))
        let kind: BackupManifest.Member.Kind =
          switch member.kind {
          case .file(let size): .file(size: size, digest: digest)
          case .directory: .directory
          case .symbolicLink(let target): .symbolicLink(target: target)
          case .other: .file(size: 0, digest: digest)
          }
        return BackupManifest.Member(
          name: member.name, kind: kind, mode: member.mode, user: member.user, group: member.group,
          modified: Timestamp(
            seconds: Int64(member.modified.seconds), nanoseconds: Int32(member.modified.nanoseconds)) ?? .unixEpoch)
      })
    if key == nil { alterInner(&manifest) } else { alterOuter(&manifest) }
    return manifest
  }

  /// The archive before it is encrypted, its manifest the last member.
  func tar() throws -> [UInt8] {
    let text = Array(manifest().text.utf8)
    let last = TarMember(
      name: BackupLayout.manifest, kind: .file(size: text.count), mode: 0o600, user: 0, group: 0, modified: (0, 0))
    var bytes: [UInt8] = []
    let tar = try TarWriter { bytes += $0 }
    for (member, content) in members + [(last, text)] {
      try tar.begin(member)
      try content.withUnsafeBytes { try tar.write($0) }
      try tar.end(member, written: content.count)
    }
    try tar.close()
    return bytes
  }

  static func encrypted(_ content: [UInt8], to recipients: [AgeRecipient]) throws -> [UInt8] {
    var encryption = try AgeEncryption(to: recipients)
    var file = Array(encryption.head)
    file += try content.withUnsafeBytes { try encryption.add($0) }
    return try file + encryption.finish()
  }

  /// The manifest beside the archive of these bytes.
  func outer(of archive: [UInt8], key: SymmetricKey) -> BackupManifest {
    var manifest = manifest(key: key)
    if manifest.archive == nil {
      manifest.archive = .init(size: archive.count, sha256: hex(SHA256.hash(data: archive)))
    }
    return manifest
  }
}

/// As a host tells contents apart, under its key.
func hostDigest(_ sha256: String, _ key: SymmetricKey) -> String {
  hex(HMAC<SHA256>.authenticationCode(for: Data(sha256.utf8), using: key))
}

/// Bytes as a stream that gives few at a time.
func stream(_ bytes: [UInt8], step: Int = 30_000) -> TarReader.Source {
  var rest = bytes[...]
  return { buffer in
    let part = rest.prefix(min(step, buffer.count))
    buffer.copyBytes(from: part)
    rest = rest.dropFirst(part.count)
    return part.count
  }
}

/// Runs a script of sh in a folder.
func shell(_ script: String, in folder: String) async throws -> String {
  let run = try await Command("sh", ["-euc", "cd \"$1\"; \(script)", "sh", folder]).run()
  guard run.isSuccess else { throw ShellFailure(text: run.standardError.text) }
  return run.standardOutput.text
}

struct ShellFailure: Error {
  let text: String
}
