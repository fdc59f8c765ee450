import Age
import FoundationEssentials
package import Schema

// The form of docs/vault.md. Names are texts; those that are no UTF-8 stand in base64 under a key of their own.
extension BackupManifest {
  package var json: JSON {
    var all: [JSON.Member] = [.init("version", .int(Int64(Self.version))), .init("set", .string(set))]
    all.append(.init("host", .string(host)))
    if let created { all.append(.init("created", .string(created.description))) }
    if let archive {
      all.append(.init("archive", ["size": .int(Int64(archive.size)), "sha256": .string(archive.sha256)]))
    }
    if let recipients {
      all.append(.init("recipients", .array(recipients.map { .string($0.description) })))
    }
    all.append(.init("digests", .string(digests.rawValue)))
    all.append(.init("members", .array(members.map(\.json))))
    all.append(.init("incomplete", .array(incomplete.map(\.json))))
    return .object(all)
  }

  /// One member a line, so that `git diff` shows what changed.
  package var text: String {
    guard case .object(let parts) = json else { return "" }
    let lines = parts.map { part in
      guard let elements = part.value.array else { return "\(JSON.string(part.name).text()): \(part.value.text())" }
      let content = elements.map { "\n  " + $0.text() }.joined(separator: ",")
      return "\(JSON.string(part.name).text()): [\(content)\(elements.isEmpty ? "" : "\n")]"
    }
    return "{\n" + lines.joined(separator: ",\n") + "\n}\n"
  }

  /// Throws ``VaultError/Kind/damaged`` if the text is no manifest, or one of a later version.
  package init(parsing text: [UInt8]) throws(VaultError) {
    let json: JSON
    do { json = try JSON(parsing: text) } catch {
      throw .damaged("a manifest cannot be read: \(error.message)")
    }
    guard let version = json["version"]?.int else { throw .damaged("a manifest has no version") }
    guard version == Self.version else {
      throw VaultError(
        .damaged, "a manifest is of version \(version), and this runbook reads version \(Self.version)",
        advice: version > Self.version ? "take a newer runbook" : nil)
    }
    guard let set = json["set"]?.string, let host = json["host"]?.string,
      let digests = json["digests"]?.string.flatMap(Digests.init), let members = json["members"]?.array,
      let incomplete = json["incomplete"]?.array
    else { throw .damaged("a manifest lacks set, host, digests, members or incomplete") }
    self.init(
      set: set, host: host, created: json["created"]?.string.flatMap { Timestamp($0) },
      archive: json["archive"].flatMap(Archive.init),
      recipients: try json["recipients"]?.array.map { texts throws(VaultError) in try Self.recipients(texts) },
      digests: digests,
      members: try members.map { json throws(VaultError) in
        guard let member = Member(json) else { throw .damaged("a manifest has a member that cannot be read") }
        return member
      },
      incomplete: incomplete.compactMap(Missing.init))
    guard self.incomplete.count == incomplete.count else {
      throw .damaged("a manifest does not tell what is missing")
    }
  }
}

extension BackupManifest {
  private static func recipients(_ texts: [JSON]) throws(VaultError) -> [AgeRecipient] {
    try texts.map { json throws(VaultError) in
      do throws(AgeError) { return try AgeRecipient(json.string ?? "") } catch {
        throw .damaged("a manifest names a recipient that is none")
      }
    }
  }
}

extension BackupManifest.Archive {
  fileprivate init?(_ json: JSON) {
    guard let size = json["size"]?.int, (0...(1 << 50)).contains(size), let sha256 = json["sha256"]?.string
    else { return nil }
    self.init(size: Int(size), sha256: sha256)
  }
}

extension BackupManifest.Missing {
  fileprivate var json: JSON { .object([named("path", path), .init("reason", .string(reason))]) }

  fileprivate init?(_ json: JSON) {
    guard let path = bytes(named: "path", in: json), let reason = json["reason"]?.string else { return nil }
    self.init(path: path, reason: reason)
  }
}

extension BackupManifest.Member {
  fileprivate var json: JSON {
    var all = [named("name", name)]
    switch kind {
    case .file(let size, let digest):
      all += [
        .init("type", "file"), .init("size", .int(Int64(size))), .init("digest", .string(digest)),
      ]
    case .directory: all.append(.init("type", "directory"))
    case .symbolicLink(let target): all += [.init("type", "symlink"), named("target", target)]
    }
    all.append(.init("mode", .string("0" + String(mode, radix: 8))))
    all += [.init("user", .int(Int64(user))), .init("group", .int(Int64(group)))]
    if let userName { all.append(.init("userName", .string(userName))) }
    if let groupName { all.append(.init("groupName", .string(groupName))) }
    all.append(.init("modified", .string(modified.description)))
    if !notes.isEmpty { all.append(.init("notes", .array(notes.map { .string($0.rawValue) }))) }
    return .object(all)
  }

  fileprivate init?(_ json: JSON) {
    guard let name = bytes(named: "name", in: json), let type = json["type"]?.string,
      let mode = json["mode"]?.string.flatMap({ UInt32($0, radix: 8) }), mode <= 0o7777,
      let user = json["user"]?.int, let group = json["group"]?.int,
      let modified = json["modified"]?.string.flatMap({ Timestamp($0) })
    else { return nil }
    let kind: Kind
    switch type {
    case "file":
      guard let size = json["size"]?.int, size >= 0, let digest = json["digest"]?.string else { return nil }
      kind = .file(size: Int(size), digest: digest)
    case "directory": kind = .directory
    case "symlink":
      guard let target = bytes(named: "target", in: json) else { return nil }
      kind = .symbolicLink(target: target)
    default: return nil
    }
    self.init(
      name: name, kind: kind, mode: mode, user: Int(user), group: Int(group), userName: json["userName"]?.string,
      groupName: json["groupName"]?.string, modified: modified,
      notes: (json["notes"]?.array ?? []).compactMap { $0.string.flatMap(Note.init) })
  }
}

private func named(_ key: String, _ bytes: [UInt8]) -> JSON.Member {
  if let text = String(validating: bytes, as: UTF8.self) { return .init(key, .string(text)) }
  return .init(key + "Base64", .string(Data(bytes).base64EncodedString()))
}

private func bytes(named key: String, in json: JSON) -> [UInt8]? {
  if let text = json[key]?.string { return Array(text.utf8) }
  return json[key + "Base64"]?.string.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
}
