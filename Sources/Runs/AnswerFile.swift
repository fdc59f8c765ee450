package import Files
package import Journal
import Schema

/// An answer on its way to a run: a file of JSON in the run's inbox, called `DIGEST.ULID` after the digest of the question. Whoever
/// owns the file gave the answer, whatever it says.
package struct AnswerFile: Hashable, Sendable {
  /// Of the question, see ``PersonAsked/digest``.
  package var digest: String
  package var accepted: Bool
  /// What was filled in, by the names of the form's fields; read by their types.
  package var values: [String: String]
  package var reason: String?

  package init(digest: String, accepted: Bool, values: [String: String] = [:], reason: String? = nil) {
    self.digest = digest
    self.accepted = accepted
    self.values = values
    self.reason = reason
  }

  /// The largest file that is read, in bytes.
  static let limit = 65_536
  /// The longest reason, in characters.
  package static let longestReason = 1000
  static let schema = "runbook.answer/1"

  /// The digest of the question that a file of this name answers.
  static func digest(inName name: String) -> String? {
    guard let stop = name.firstIndex(of: "."), stop != name.startIndex else { return nil }
    return String(name[..<stop])
  }

  /// Throws what is wrong with it, as a sentence goes on after "its answer".
  init(parsing bytes: [UInt8]) throws(Mismatch) {
    let json: JSON
    do { json = try JSON(parsing: bytes[...]) } catch { throw Mismatch("is no JSON: \(error.message)") }
    guard json["schema"]?.string == Self.schema else { throw Mismatch("is not of the form \(Self.schema)") }
    guard let digest = json["digest"]?.string else { throw Mismatch("does not name its question") }
    guard case .bool(let accepted)? = json["accepted"] else { throw Mismatch("says neither yes nor no") }
    self.digest = digest
    self.accepted = accepted
    values = [:]
    switch json["values"] {
    case nil, .null?: break
    case .object(let members)?:
      for member in members {
        guard case .string(let text) = member.value else {
          throw Mismatch("has a value of \"\(member.name)\" that is no text")
        }
        values[member.name] = text
      }
    default: throw Mismatch("has values that are no object")
    }
    switch json["reason"] {
    case nil, .null?: reason = nil
    case .string(let text)?:
      guard text.count <= Self.longestReason else {
        throw Mismatch("has a reason of more than \(Self.longestReason) characters")
      }
      reason = text
    default: throw Mismatch("has a reason that is no text")
    }
  }

  private var json: JSON {
    [
      "schema": .string(Self.schema), "digest": .string(digest), "accepted": .bool(accepted),
      "values": .object(values.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }),
      "reason": reason.map { .string($0) } ?? .null,
    ]
  }

  /// Brings it to the run, whole or not at all.
  ///
  /// - Throws: `isMissing` if the run has ended, or asks nobody.
  package func send(to run: RunFolder) throws(FileError) {
    let inbox = try Folder(run.inbox)
    try inbox.write(
      json.utf8(.indented) + [0x0A], to: "\(digest).\(ULID.next())", Permissions(0o640, owner: .ofProcess))
  }
}
