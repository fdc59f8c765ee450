import Age
package import ArgumentParser
import Files
import FoundationEssentials
import Glibc
import Schema
import TerminalText

/// `runbook backup keygen`.
package struct BackupKeygenCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "keygen",
    abstract: "Make a key for backups: write its secret half to a file, and print the recipient.",
    discussion: """
      The recipient goes into `recipients` of the set, or of `vault` in runbook.yaml. The file opens every backup that was \
      encrypted to it: keep it away from the host that makes the backups, and a second one, made apart, where a fire would not \
      reach both. age reads it too. A file that is there is never written over.

        runbook backup keygen operations.key
        runbook backup keygen /media/usb/offline.key
      """)

  @Argument(help: "The file to write, readable to you alone.", completion: .file()) var file: String
  @Option(help: "text or json.") var format: OutputFormat = .text

  package init() {}

  package func run() throws {
    let identity = AgeIdentity()
    let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0) ?? .unixEpoch
    let text = "# created: \(now)\n# public key: \(identity.recipient)\n\(identity.secretText)\n"
    do throws(FileError) {
      let folder = try Folder(parentFolder(of: file), followingLinks: true)
      try folder.write(Array(text.utf8), to: lastName(of: file), Permissions(0o600), replacing: .nothing)
    } catch {
      guard error.number == EEXIST else { throw CommandFailure(.invalid, error.message) }
      throw CommandFailure(
        .invalid, "\(file) is there already", advice: "a key is never overwritten: name another file")
    }
    Terminal.standardError.write(
      "note: \(terminalSafe(file)) opens every backup that is encrypted to this key. Take it away from this host, and never commit it to git.\n"
    )
    switch format {
    case .text: Terminal.standardOutput.write("\(identity.recipient)\n")
    case .json:
      let json: JSON = [
        "schema": "runbook.backup-key/1", "recipient": .string(identity.recipient.description), "file": .string(file),
      ]
      Terminal.standardOutput.write(json.text(.indented) + "\n")
    }
  }
}
