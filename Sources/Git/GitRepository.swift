import CLibgit2
import Glibc

/// A bare repository, of which only some files of some branches are written and read. None of its hooks, filters and
/// attributes is carried out.
///
/// Owns libgit2's handle. Calls block; use it from one thread at a time.
package struct GitRepository: ~Copyable {
  let raw: OpaquePointer
  package let path: String

  /// Opens the repository at this very path: parents are not searched.
  package init(path: String) throws(GitError) {
    try GitLibrary.start()
    var raw: OpaquePointer?
    let flags = GIT_REPOSITORY_OPEN_NO_SEARCH.rawValue | GIT_REPOSITORY_OPEN_NO_DOTGIT.rawValue
    let code = git_repository_open_ext(&raw, path, flags, nil)
    guard code >= 0, let raw else {
      let error = GitError("open the repository \(path)", code: code)
      throw error.reason == .notFound
        ? GitError(.notARepository, error.action, code: code, message: error.message) : error
    }
    self.raw = raw
    self.path = path
  }

  /// Makes a new bare repository in a folder that is not there yet or empty, private to its owner.
  package static func create(at path: String) throws(GitError) {
    try GitLibrary.start()
    var options = git_repository_init_options()
    try GitError.check(
      git_repository_init_options_init(&options, UInt32(GIT_REPOSITORY_INIT_OPTIONS_VERSION)), "prepare a repository")
    options.flags =
      GIT_REPOSITORY_INIT_BARE.rawValue | GIT_REPOSITORY_INIT_NO_REINIT.rawValue | GIT_REPOSITORY_INIT_MKPATH.rawValue
    options.mode = 0o700
    var raw: OpaquePointer?
    let code = git_repository_init_ext(&raw, path, &options)
    git_repository_free(raw)
    try GitError.check(code, "make the repository \(path)")
  }

  deinit { git_repository_free(raw) }

  /// The lock files that are in the way of a commit: another git is at work, or died at it.
  package borrowing func lockFiles(branch: String) -> [String] {
    ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock", "refs/heads/\(branch).lock"]
      .map { "\(path)/\($0)" }
      .filter { access($0, F_OK) == 0 }
  }

  // MARK: Reading

  /// The commit that the branch points to; nil if there is no such branch.
  package borrowing func head(of branch: String) throws(GitError) -> GitCommit? {
    var id = git_oid()
    let code = git_reference_name_to_id(&id, raw, "refs/heads/\(branch)")
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try GitError.check(code, "look for the branch \(branch)")
    return try commit(id)
  }

  /// The names of the branches that begin so, sorted.
  package borrowing func branches(startingWith prefix: String) throws(GitError) -> [String] {
    try references("refs/heads/", startingWith: prefix)
  }

  /// The names of the tags that begin so, sorted.
  package borrowing func tags(startingWith prefix: String) throws(GitError) -> [String] {
    try references("refs/tags/", startingWith: prefix)
  }

  private borrowing func references(_ kind: String, startingWith prefix: String) throws(GitError) -> [String] {
    var iterator: OpaquePointer?
    try GitError.check(git_reference_iterator_new(&iterator, raw), "list the references of \(path)")
    defer { git_reference_iterator_free(iterator) }
    var names: [String] = []
    while true {
      var name: UnsafePointer<CChar>?
      let code = git_reference_next_name(&name, iterator)
      if code == GIT_ITEROVER.rawValue { return names.sorted() }
      try GitError.check(code, "list the references of \(path)")
      guard let name, case let text = String(cString: name), text.hasPrefix(kind + prefix) else { continue }
      names.append(String(text.dropFirst(kind.count)))
    }
  }

  /// What a reference such as `refs/tags/NAME` points to: of an annotated tag the tag itself. Nil if there is none.
  package borrowing func id(of reference: String) throws(GitError) -> GitID? {
    var id = git_oid()
    let code = git_reference_name_to_id(&id, raw, reference)
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try GitError.check(code, "look for \(reference)")
    return GitID(id)
  }

  /// The commit that a tag points to, annotated or not; nil if there is no such tag.
  package borrowing func commit(taggedAs tag: String) throws(GitError) -> GitCommit? {
    var reference: OpaquePointer?
    let code = git_reference_lookup(&reference, raw, "refs/tags/\(tag)")
    if code == GIT_ENOTFOUND.rawValue { return nil }
    try GitError.check(code, "look for the tag \(tag)")
    git_reference_free(reference)
    var id = git_oid()
    try GitError.check(git_reference_name_to_id(&id, raw, "refs/tags/\(tag)"), "read the tag \(tag)")
    // Link by link: whatever is read must be sound first.
    for _ in 0..<Self.deepestTag {
      try requireSound(id, to: "read the tag \(tag)")
      var object: OpaquePointer?
      try Self.read(git_object_lookup(&object, raw, &id, GIT_OBJECT_ANY), "read the tag \(tag)")
      defer { git_object_free(object) }
      guard git_object_type(object) == GIT_OBJECT_TAG else { return try commit(id) }
      guard let target = git_tag_target_id(object)?.pointee else { break }
      id = target
    }
    throw GitError(.damaged, "read the tag \(tag)", code: -1, message: "it leads to no commit")
  }

  /// How many tags may point one to the next.
  private static let deepestTag = 8

  /// What is named by its digest and is not there, or is something else, was altered.
  static func read(_ code: Int32, _ action: String) throws(GitError) {
    guard code < 0 else { return }
    let error = GitError(action, code: code)
    throw [.other, .notFound].contains(error.reason)
      ? GitError(.damaged, action, code: code, message: error.message) : error
  }

  /// The branch's commits, newest first, along the first parents.
  package borrowing func commits(of branch: String) throws(GitError) -> [GitCommit] {
    var found: [GitCommit] = []
    var next = try head(of: branch)
    while let commit = next {
      found.append(commit)
      next = try commit.parents.first.map { id throws(GitError) in try self.commit(id.oid) }
    }
    return found
  }

  package borrowing func commit(_ id: GitID) throws(GitError) -> GitCommit { try commit(id.oid) }

  private borrowing func commit(_ id: git_oid) throws(GitError) -> GitCommit {
    var id = id
    var raw: OpaquePointer?
    try requireSound(id, to: "read the commit \(GitID(id))")
    try Self.read(git_commit_lookup(&raw, self.raw, &id), "read the commit \(GitID(id))")
    defer { git_commit_free(raw) }
    guard let author = git_commit_author(raw)?.pointee else {
      throw GitError(.other, "read the commit \(GitID(id))", code: -1, message: "it has no author")
    }
    let parents = (0..<git_commit_parentcount(raw)).compactMap { git_commit_parent_id(raw, $0)?.pointee }
    return GitCommit(
      id: GitID(id), parents: parents.map(GitID.init), tree: GitID(git_commit_tree_id(raw).pointee),
      message: git_commit_message_raw(raw).map { String(cString: $0) } ?? "",
      author: GitSignature(
        name: String(cString: author.name), email: String(cString: author.email), time: Int(author.when.time)))
  }

  /// Names and sizes of the files at the root of a commit.
  package borrowing func files(of commit: GitCommit) throws(GitError) -> [GitFile] {
    var treeID = commit.tree.oid
    var tree: OpaquePointer?
    try requireSound(treeID, to: "read the tree of commit \(commit.id)")
    try Self.read(git_tree_lookup(&tree, raw, &treeID), "read the tree of commit \(commit.id)")
    defer { git_tree_free(tree) }
    return (0..<git_tree_entrycount(tree)).compactMap { index in
      guard let entry = git_tree_entry_byindex(tree, index), git_tree_entry_type(entry) == GIT_OBJECT_BLOB,
        let id = git_tree_entry_id(entry)?.pointee, let name = git_tree_entry_name(entry)
      else { return nil }
      return GitFile(name: String(cString: name), id: GitID(id))
    }
  }

  /// The whole content of a file. Its hash is checked.
  package borrowing func content(of file: GitFile) throws(GitError) -> [UInt8] {
    var id = file.id.oid
    var blob: OpaquePointer?
    try requireSound(id, to: "read \(file.name)")
    try Self.read(git_blob_lookup(&blob, raw, &id), "read \(file.name)")
    defer { git_blob_free(blob) }
    return Array(UnsafeRawBufferPointer(start: git_blob_rawcontent(blob), count: Int(git_blob_rawsize(blob))))
  }

  /// The content of a file, piece by piece. Its hash is checked first.
  package borrowing func reader(of file: GitFile) throws(GitError) -> GitFileReader {
    try requireSound(file.id.oid, to: "read \(file.name)")
    return try GitFileReader(file, in: raw)
  }

  // MARK: Writing

  /// Puts a content into the repository, as it comes: no filter sees it. Nothing refers to it until ``commit(_:to:after:message:by:)``.
  ///
  /// Throws ``GitError``, or what `write` throws.
  /// - Parameter write: gives the content to its argument, piece by piece.
  package borrowing func add(
    _ write: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void
  ) throws -> GitID {
    var stream: UnsafeMutablePointer<git_writestream>?
    try GitError.check(git_blob_create_from_stream(&stream, raw, nil), "begin a file in \(path)")
    guard let opened = stream else {
      throw GitError(.other, "begin a file in \(path)", code: -1, message: "no stream")
    }
    do {
      try write { bytes in
        guard !bytes.isEmpty else { return }
        let code = opened.pointee.write(opened, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        try GitError.check(code, "write a file in \(path)")
      }
    } catch {
      opened.pointee.free(opened)
      throw error
    }
    var id = git_oid()
    try GitError.check(git_blob_create_from_stream_commit(&id, opened), "write a file in \(path)")
    return GitID(id)
  }

  /// Makes a commit of exactly these files the branch's newest.
  ///
  /// Throws ``GitError/Reason/changedMeanwhile`` if the branch no longer points to `parent`.
  /// - Parameter parent: what the branch points to; nil if it does not exist yet.
  package borrowing func commit(
    _ files: [GitFile], to branch: String, after parent: GitCommit?, message: String, by signature: GitSignature
  ) throws(GitError) -> GitID {
    var id = try commit(files, after: parent, message: message, by: signature).oid
    var reference: OpaquePointer?
    defer { git_reference_free(reference) }
    let name = "refs/heads/\(branch)"
    let log = "commit: \(message.prefix { $0 != "\n" })"
    if let parent {
      var expected = parent.id.oid
      try GitError.check(
        git_reference_create_matching(&reference, raw, name, &id, 1, &expected, log), "move the branch \(branch)")
    } else {
      try GitError.check(git_reference_create(&reference, raw, name, &id, 0, log), "make the branch \(branch)")
    }
    return GitID(id)
  }

  /// Lets a branch point to another commit, which need not come after that to which it points now.
  ///
  /// Throws ``GitError/Reason/changedMeanwhile`` if the branch no longer points to `old`.
  package borrowing func move(_ branch: String, from old: GitCommit, to new: GitCommit) throws(GitError) {
    guard old.id != new.id else { return }
    var reference: OpaquePointer?
    defer { git_reference_free(reference) }
    var (id, expected) = (new.id.oid, old.id.oid)
    try GitError.check(
      git_reference_create_matching(&reference, raw, "refs/heads/\(branch)", &id, 1, &expected, "free history"),
      "move the branch \(branch)")
  }

  /// Makes a commit of exactly these files, to which nothing refers yet.
  package borrowing func commit(
    _ files: [GitFile], after parent: GitCommit?, message: String, by signature: GitSignature
  ) throws(GitError) -> GitID {
    var builder: OpaquePointer?
    try GitError.check(git_treebuilder_new(&builder, raw, nil), "begin a commit")
    defer { git_treebuilder_free(builder) }
    for file in files {
      var id = file.id.oid
      try GitError.check(
        git_treebuilder_insert(nil, builder, file.name, &id, GIT_FILEMODE_BLOB), "put \(file.name) into a commit")
    }
    var treeID = git_oid()
    try GitError.check(git_treebuilder_write(&treeID, builder), "write a commit")
    var tree: OpaquePointer?
    try GitError.check(git_tree_lookup(&tree, raw, &treeID), "write a commit")
    defer { git_tree_free(tree) }

    var ancestor: OpaquePointer?
    if let parent {
      var id = parent.id.oid
      try GitError.check(git_commit_lookup(&ancestor, raw, &id), "read the commit \(parent.id)")
    }
    defer { git_commit_free(ancestor) }
    var id = git_oid()
    try signature.withRaw { raw throws(GitError) in
      var parents = [ancestor]
      try GitError.check(
        git_commit_create(
          &id, self.raw, nil, raw, raw, "UTF-8", message, tree, parent == nil ? 0 : 1, &parents), "write a commit")
    }
    return GitID(id)
  }

  /// Makes an annotated tag. Throws ``GitError/Reason/changedMeanwhile`` if there is one of that name, unless that is to be replaced.
  package borrowing func tag(
    _ name: String, at commit: GitID, message: String, by signature: GitSignature, replacing: Bool = false
  ) throws(GitError) {
    var id = commit.oid
    var object: OpaquePointer?
    try GitError.check(git_object_lookup(&object, raw, &id, GIT_OBJECT_COMMIT), "read the commit \(commit)")
    defer { git_object_free(object) }
    try signature.withRaw { raw throws(GitError) in
      var tag = git_oid()
      try GitError.check(
        git_tag_create(&tag, self.raw, name, object, raw, message, replacing ? 1 : 0), "make the tag \(name)")
    }
  }

  /// Removes a tag, and nothing that it leads to.
  package borrowing func removeTag(_ name: String) throws(GitError) {
    try GitError.check(git_reference_remove(raw, "refs/tags/\(name)"), "remove the tag \(name)")
  }
}
