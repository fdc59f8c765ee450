import Glibc

/// Makes a folder and those above it, each on the disk before it is used. Folders that are there already stay as they are.
func makeFolders(_ path: String, mode: mode_t) throws(JournalError) {
  if isFolder(path) { return }
  let parent = parentFolder(of: path)
  if parent != path { try makeFolders(parent, mode: mode) }
  try makeFolder(path, mode: mode, mayExist: true)
  try syncFolder(parent)
}

/// Makes one folder with exactly this mode.
func makeFolder(_ path: String, mode: mode_t, mayExist: Bool = false) throws(JournalError) {
  guard mkdir(path, mode) == 0 else {
    if mayExist, errno == EEXIST { return }
    throw JournalError("make the folder", path, errno)
  }
  var status = stat()
  guard unsafe lstat(path, &status) == 0 else { throw JournalError("look at", path, errno) }
  // An installed state passes its group on by the set-group-ID bit, which a new folder inherits.
  guard chmod(path, mode | status.st_mode & S_ISGID) == 0 else { throw JournalError("set the mode of", path, errno) }
}

/// Brings what was made, renamed or removed in a folder to the disk.
func syncFolder(_ path: String) throws(JournalError) {
  try Descriptor(opening: path, O_RDONLY | O_DIRECTORY).sync()
}

/// Puts a file in place that is wholly there or not at all, also after a loss of power.
func writeWhole(_ bytes: [UInt8], to path: String, mode: mode_t) throws(JournalError) {
  let aside = path + ".new"
  // What a crash left half-written.
  unlink(aside)
  do {
    let file = try Descriptor(opening: aside, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
    try file.write(bytes)
    try file.sync()
  }
  try move(aside, to: path)
  try syncFolder(parentFolder(of: path))
}

/// Renames; what it replaces is gone at the same moment.
func move(_ path: String, to other: String) throws(JournalError) {
  guard rename(path, other) == 0 else { throw JournalError("rename \(path) to", other, errno) }
}

/// The names in a folder, in no order; none where there is no such folder.
func names(in path: String) throws(JournalError) -> [String] {
  guard let stream = unsafe opendir(path) else {
    if errno == ENOENT { return [] }
    throw JournalError("read the folder", path, errno)
  }
  defer { unsafe closedir(stream) }
  var names: [String] = []
  while let entry = unsafe readdir(stream) {
    let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { bytes in
      unsafe bytes.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    if name != ".", name != ".." { names.append(name) }
  }
  return names
}

/// Removes a folder of our own making with what is in it, as far as it can be removed; never follows links.
func removeTree(_ path: String) {
  if isFolder(path) {
    for name in (try? names(in: path)) ?? [] { removeTree("\(path)/\(name)") }
    rmdir(path)
  } else {
    unlink(path)
  }
}

/// True for a folder that is no symbolic link.
func isFolder(_ path: String) -> Bool {
  var status = stat()
  return unsafe lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}

func parentFolder(of path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
