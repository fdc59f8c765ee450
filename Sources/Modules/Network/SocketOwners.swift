import Glibc
import Processes

/// Which processes have sockets open: all their descriptors are looked through, since the kernel does not tell it of a socket.
struct SocketOwners {
  /// By the socket's inode.
  private(set) var processes: [UInt64: Set<Int32>] = [:]
  /// Whether there are processes whose descriptors this user may not see.
  private(set) var areSomeHidden = !ProcessFacts.areOthersVisible

  init(of inodes: Set<UInt64>) {
    guard !inodes.isEmpty else { return }
    for pid in namesInFolder("/proc").compactMap({ Int32($0) }) {
      var isEmpty = true
      look(into: "/proc/\(pid)/fd", of: pid, for: inodes, isEmpty: &isEmpty)
      // A process whose first thread has ended shows its files through the others.
      guard isEmpty, let entry = ProcessEntry(pid: pid), entry.isFirstThreadGone, let process = ProcessFacts(entry)
      else { continue }
      look(into: "\(process.folder)/fd", of: pid, for: inodes, isEmpty: &isEmpty)
    }
  }

  private mutating func look(into path: String, of pid: Int32, for inodes: Set<UInt64>, isEmpty: inout Bool) {
    guard let folder = opendir(path) else {
      if errno == EACCES || errno == EPERM { areSomeHidden = true }
      return
    }
    defer { closedir(folder) }
    let descriptor = dirfd(folder)
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
      guard let start = buffer.baseAddress else { return }
      while let entry = readdir(folder) {
        let length = withUnsafePointer(to: &entry.pointee.d_name) { name in
          name.withMemoryRebound(to: CChar.self, capacity: 256) { readlinkat(descriptor, $0, start, buffer.count) }
        }
        guard length > 0 else { continue }
        isEmpty = false
        if let inode = Self.inode(buffer[..<length]), inodes.contains(inode) {
          processes[inode, default: []].insert(pid)
        }
      }
    }
  }

  /// The number in `socket:[4711]`; nil of other files.
  private static func inode(_ target: Slice<UnsafeMutableBufferPointer<CChar>>) -> UInt64? {
    let prefix = StaticString("socket:[")
    guard target.count > prefix.utf8CodeUnitCount, let start = target.base.baseAddress,
      memcmp(start, prefix.utf8Start, 8) == 0
    else {
      return nil
    }
    var number: UInt64 = 0
    for character in target.dropFirst(8) {
      guard character >= 48, character <= 57 else { break }
      number = number &* 10 &+ UInt64(character &- 48)
    }
    return number
  }

  /// Processes that share a socket, or hold several, count as one owner: a server and those that it started.
  func groups(of inodes: some Sequence<UInt64>) -> [Set<Int32>] {
    inodes.compactMap { processes[$0] }.reduce(into: []) { groups, owners in
      let same = groups.filter { !$0.isDisjoint(with: owners) }
      groups.removeAll { !$0.isDisjoint(with: owners) }
      groups.append(same.reduce(owners) { $0.union($1) })
    }
  }
}
