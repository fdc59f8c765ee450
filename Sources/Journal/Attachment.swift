import Files
import Schema

/// A field too large for its line, kept as a file of the run's folder that is named by its digest. In the line stands
/// `{"$file": "outputs/<sha256>.json", "bytes": n}`.
struct Attachment {
  var digest: String
  var bytes: Int

  static let folder = "outputs"

  var name: String { "\(Self.folder)/\(digest).json" }

  var reference: JSON { ["$file": .string(name), "bytes": .int(Int64(bytes))] }

  /// True for what a reader would take for a reference. A writer attaches such a value, so that it reads back as itself.
  static func looksLikeReference(_ json: JSON) -> Bool { json["$file"] != nil }

  /// Reads a reference; nil for any other value, and for one that names another file than an attachment.
  init?(reference: JSON) {
    guard let name = reference["$file"]?.string, let bytes = reference["bytes"]?.int.flatMap({ Int(exactly: $0) }),
      bytes >= 0, name.hasPrefix(Self.folder + "/"), name.hasSuffix(".json")
    else { return nil }
    digest = String(name.dropFirst(Self.folder.count + 1).dropLast(5))
    self.bytes = bytes
    guard digest.utf8.count == 64, digest.allSatisfy({ $0.isASCII && $0.isHexDigit && !$0.isUppercase }) else {
      return nil
    }
  }

  /// Keeps a value, given as its text, as a file, on the disk when this returns.
  init(keeping content: [UInt8], in folder: RunFolder, access: StateFolder.Access) throws(JournalError) {
    digest = sha256Hex(content)
    bytes = content.count
    let path = "\(folder.path)/\(name)"
    try onDisk { () throws(FileError) in
      try Folder.makeAll(folder.outputs, Permissions(access.folderMode))
      try File.writeWhole(content, to: path, Permissions(access.recordMode))
    }
  }

  /// The value that was kept.
  func read(in folder: RunFolder) throws(JournalError) -> JSON {
    let path = "\(folder.path)/\(name)"
    let content: [UInt8]
    do throws(JournalError) { content = try onDisk(try File(reading: path).read(limit: bytes + 1)) } catch {
      guard error.code == .missing else { throw error }
      throw JournalError(
        .missing, "\(path) is missing: the journal refers to it", advice: "restore the file from a copy", path: path)
    }
    guard content.count == bytes, sha256Hex(content) == digest, let value = try? JSON(parsing: content) else {
      throw JournalError(.damaged, "\(path) is not what the journal refers to: its digest differs", path: path)
    }
    return value
  }
}
