import Backups
import Files
import Glibc
import Language
import Runs

/// Looks at where backups go: whether their sets can be made, and whether this user can write to the vault.
struct VaultLook: Sendable {
  let settings: VaultSettings
  /// Who needs each set, by its name.
  let setUsers: [String: [String]]
  /// The steps that need the vault.
  let neededBy: [String]

  func items() async -> [Diagnosis.Item] {
    var items = setUsers.keys.sorted().map { setItem($0, neededBy: setUsers[$0] ?? []) }
    let files = await ProgramLook.briefly { folderItems }
    items +=
      files ?? [
        .init(
          .vault, settings.path, .unknown, "the file system that holds it does not answer",
          fix: "findmnt --target \(shellQuoted(settings.path))", neededBy: neededBy)
      ]
    return items
  }

  private func setItem(_ name: String, neededBy: [String]) -> Diagnosis.Item {
    let subject = "set \(name)"
    guard let set = settings.sets[name] else {
      let isFaulty = settings.faultySets.contains(name)
      return .init(
        .vault, subject, .missing, isFaulty ? "its document has faults" : "there is no such set",
        fix: isFaulty ? "runbook validate \(shellQuoted("backups/\(name).yaml"))" : "write backups/\(name).yaml",
        neededBy: neededBy)
    }
    let count = Set(set.recipients).count
    let needed = max(1, set.minimumRecipients)
    guard count >= needed else {
      return .init(
        .vault, subject, .missing,
        "it is encrypted to \(count) \(count == 1 ? "recipient" : "recipients"), and needs \(needed)",
        fix: "runbook backup keygen FILE (put what it prints into `recipients` of `vault` in runbook.yaml)",
        neededBy: neededBy)
    }
    return .init(.vault, subject, .ok, "\(count) recipients can open its backups", neededBy: neededBy)
  }

  private var folderItems: [Diagnosis.Item] {
    var items = [Diagnosis.Item(.vault, settings.path, writableFolder: settings.path, neededBy: neededBy)]
    var status = stat()
    if unsafe stat(settings.keyFile, &status) == 0 {
      if status.st_mode & 0o077 != 0 {
        items.append(
          .init(
            .vault, settings.keyFile, .missing, "others than its owner may read it, so that it is not used",
            fix: "chmod 600 \(shellQuoted(settings.keyFile))", neededBy: neededBy))
      } else if access(settings.keyFile, R_OK) != 0 {
        items.append(
          .init(
            .vault, settings.keyFile, .missing, "this user cannot read it",
            fix: "sudo chown \(geteuid()) \(shellQuoted(settings.keyFile))", neededBy: neededBy))
      }
    }
    for (key, path) in [("sshKey", settings.remote?.keyFile), ("knownHosts", settings.remote?.knownHosts)] {
      guard let path, access(path, R_OK) != 0 else { continue }
      items.append(
        .init(
          .vault, path, .missing,
          "\(key) of the vault's remote cannot be read: \(unsafe String(cString: strerror(errno)))",
          fix: "ls -l \(shellQuoted(path))", neededBy: neededBy))
    }
    return items
  }
}

extension Diagnosis.Item {
  /// A folder that this user must be able to write to, or to make.
  fileprivate init(_ subject: Diagnosis.Subject, _ name: String, writableFolder path: String, neededBy: [String]) {
    var existing = path
    while access(existing, F_OK) != 0, errno == ENOENT || errno == ENOTDIR, existing != "/" {
      existing = parentFolder(of: existing)
    }
    guard faccessat(AT_FDCWD, existing, W_OK | X_OK, AT_EACCESS) == 0 else {
      self.init(
        subject, name, .missing,
        "this user cannot write to \(existing): \(unsafe String(cString: strerror(errno)))",
        fix: "sudo install -d -o \(geteuid()) -g \(getegid()) -m 0700 \(shellQuoted(path))", neededBy: neededBy)
      return
    }
    self.init(
      subject, name, .ok, existing == path ? "this user can write to it" : "the first backup makes it",
      neededBy: neededBy)
  }
}
