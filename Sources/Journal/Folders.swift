import Glibc

/// Makes a folder and those above it, each on the disk before it is used. Folders that are there already stay as they are.
func makeFolders(_ path: String, mode: mode_t) throws(JournalError) {
  if isFolder(path) { return }
  let parent = parentFolder(of: path)
  if parent != path { try makeFolders(parent, mode: mode) }
  try makeFolder(path, mode: mode, mayExist: true)
  try syncFolder(parent)
}

/// Makes one folder with exactly this mode; root gives it to the owner of the folder that it lies in.
func makeFolder(_ path: String, mode: mode_t, mayExist: Bool = false) throws(JournalError) {
  guard mkdir(path, mode) == 0 else {
    if mayExist, errno == EEXIST { return }
    throw JournalError("make the folder", path, errno)
  }
  try Descriptor(opening: path, O_RDONLY | O_DIRECTORY).share(mode: mode)
}

/// Brings what was made, renamed or removed in a folder to the disk.
func syncFolder(_ path: String) throws(JournalError) {
  try Descriptor(opening: path, O_RDONLY | O_DIRECTORY).sync()
}

/// Puts a file in place that is wholly there or not at all, also after a loss of power.
func writeWhole(_ bytes: [UInt8], to path: String, mode: mode_t) throws(JournalError) {
  let aside = path + suffixAside
  // What a crash left half-written.
  unlink(aside)
  do {
    try Descriptor(creating: aside, O_WRONLY, mode: mode).writeAndSync(bytes)
    try move(aside, to: path)
  } catch {
    unlink(aside)
    throw error
  }
  try syncFolder(parentFolder(of: path))
}

/// What the name of a file ends with while it is being written.
let suffixAside = ".new"

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

/// Removes a file, or a folder with what is in it; never follows links. Throws where something cannot be removed.
func removeWhole(_ path: String) throws(JournalError) {
  if isFolder(path) {
    for name in try names(in: path) { try removeWhole("\(path)/\(name)") }
    guard rmdir(path) == 0 else { throw JournalError("remove", path, errno) }
  } else {
    guard unlink(path) == 0 else { throw JournalError("remove", path, errno) }
  }
}

/// What a folder and all in it take on the disk, in bytes; what cannot be looked at counts as nothing.
func diskUsage(of path: String) -> Int64 {
  var status = stat()
  guard unsafe lstat(path, &status) == 0 else { return 0 }
  let own = Int64(status.st_blocks) * 512
  guard status.st_mode & S_IFMT == S_IFDIR else { return own }
  return ((try? names(in: path)) ?? []).reduce(own) { $0 + diskUsage(of: "\(path)/\($1)") }
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
