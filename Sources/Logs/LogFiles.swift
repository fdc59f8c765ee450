package import Archive
import Glibc
package import Schema

/// The files of a log: those that patterns of names stand for, rotated and compressed ones among them.
package struct LogFiles: Sendable {
  /// Paths, or patterns as glob(7) knows them.
  package let patterns: [String]

  package init(_ patterns: [String]) { self.patterns = patterns }

  /// What became of one file.
  package struct Reading: Hashable, Sendable {
    package enum Result: String, Hashable, Sendable, CaseIterable {
      case read
      /// It holds nothing.
      case empty
      /// It was last written before the window: nothing in it can be of it.
      case older
      /// It could not be opened or read.
      case unreadable
      /// It is compressed, and damaged or cut off; what stands before that was read.
      case damaged
      /// It became shorter while it was read.
      case shrank
    }

    package var path: String
    package var result: Result
    package var bytes: Int
    package var compression: Compression?
    /// The compression's name; nil if the file is plain.
    package var compressionName: String? { compression?.rawValue }
    /// Why it could not be read, or not to its end.
    package var reason: String?
  }

  /// The name that stands for standard input.
  static let standardInput = "-"

  /// One file there is.
  struct Found: Hashable {
    var path: String
    var device: UInt64
    var inode: UInt64
    /// Nil for a name that no file can be found by.
    var written: Timestamp?
  }

  /// Reads all of them, the oldest first, each once, also if they are rotated meanwhile.
  ///
  /// - Parameter goesOn: asked between pieces; false ends the reading.
  package func read(
    into review: some LogSink, from: Timestamp?, goesOn: () -> Bool = { true }
  ) -> [Reading] {
    var readings: [Reading] = []
    var seen: Set<[UInt64]> = []
    // What appears while others are read is the next of a rotated set: three looks are more than any rotation needs.
    for _ in 0..<3 {
      let new = found().filter { !seen.contains([$0.device, $0.inode]) }
      guard !new.isEmpty else { break }
      for file in new where goesOn() {
        if let from, let written = file.written, written < from {
          guard seen.insert([file.device, file.inode]).inserted else { continue }
          readings.append(Reading(path: file.path, result: .older, bytes: 0))
        } else if let reading = read(file, into: review, &seen, goesOn) {
          readings.append(reading)
        }
      }
    }
    return readings
  }

  /// The oldest first, a rotated set by its numbers.
  func found() -> [Found] {
    var files: [Found] = []
    for pattern in patterns {
      for path in Self.paths(pattern) {
        var status = stat()
        guard stat(path, &status) == 0 else {
          files.append(Found(path: path, device: 0, inode: UInt64(bitPattern: Int64(path.hashValue)), written: nil))
          continue
        }
        // Of a pattern, folders are passed over; one that is named is no log.
        guard status.st_mode & S_IFMT != S_IFDIR || path == pattern else { continue }
        files.append(
          Found(
            path: path, device: UInt64(status.st_dev), inode: UInt64(status.st_ino),
            written: Timestamp(status.st_mtim)))
      }
    }
    return RotatedName.ordered(
      files.sorted { ($0.written ?? .unixEpoch, $0.path) < ($1.written ?? .unixEpoch, $1.path) })
  }

  /// A path without a pattern stands for itself, whether it is there or not.
  private static func paths(_ pattern: String) -> [String] {
    var status = stat()
    guard pattern.contains(where: { "*?[{".contains($0) }), lstat(pattern, &status) != 0 else { return [pattern] }
    var result = glob_t()
    defer { globfree(&result) }
    // A folder that is not there holds nothing; one that may not be read may hold anything.
    let ends: @convention(c) (UnsafePointer<CChar>?, Int32) -> Int32 = { $1 == ENOENT || $1 == ENOTDIR ? 0 : 1 }
    switch glob(pattern, GLOB_BRACE, ends, &result) {
    case 0: return (0..<Int(result.gl_pathc)).compactMap { result.gl_pathv[$0].map { String(cString: $0) } }
    case GLOB_NOMATCH: return []
    // The pattern itself cannot be opened, and is told of as unreadable.
    default: return [pattern]
    }
  }

  /// Nil if what the name stands for by now was read already.
  private func read(
    _ file: Found, into review: some LogSink, _ seen: inout Set<[UInt64]>, _ goesOn: () -> Bool
  ) -> Reading? {
    var reading = Reading(path: file.path, result: .read, bytes: 0)
    if file.path == Self.standardInput {
      seen.insert([file.device, file.inode])
      return readStandardInput(into: review, reading, goesOn)
    }
    // A FIFO would keep us until somebody writes to it.
    let descriptor = open(file.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    guard descriptor >= 0 else {
      seen.insert([file.device, file.inode])
      return reading.failed(errno)
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return reading.failed(errno) }
    guard seen.insert([UInt64(status.st_dev), UInt64(status.st_ino)]).inserted else { return nil }
    guard status.st_mode & S_IFMT == S_IFREG else { return reading.failed("it is no regular file") }
    guard status.st_size > 0 else {
      reading.result = .empty
      return reading
    }
    var magic = [UInt8](repeating: 0, count: Compression.magicLength)
    let count = pread(descriptor, &magic, magic.count, 0)
    guard count >= 0 else { return reading.failed(errno) }
    reading.compression = Compression(magic: magic.prefix(count))
    let tail = reading.compression == nil ? Self.tail(of: descriptor, size: Int(status.st_size)) : []
    review.begin(reference: Timestamp(status.st_mtim), tail: tail)
    if reading.compression == nil {
      readPlain(descriptor, size: Int(status.st_size), into: review, &reading, goesOn)
    } else {
      readCompressed(descriptor, into: review, &reading, goesOn)
    }
    review.end()
    return reading
  }

  /// The most of a file's end that a reader is told of before it begins, in bytes.
  package static let tailLength = 65_536

  private static func tail(of descriptor: Int32, size: Int) -> [UInt8] {
    let length = min(size, tailLength)
    return [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
      count = max(0, pread(descriptor, buffer.baseAddress, length, off_t(size - length)))
    }
  }

  private func readStandardInput(into review: some LogSink, _ reading: Reading, _ goesOn: () -> Bool) -> Reading {
    var reading = reading
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    review.begin(reference: Timestamp(now), tail: [])
    defer { review.end() }
    var input = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    while goesOn() {
      guard poll(&input, 1, 200) != 0 else { continue }
      var failure: Int32 = 0
      let count = review.take { space in
        let count = Glibc.read(0, space.baseAddress, space.count)
        failure = count < 0 ? errno : 0
        return max(0, count)
      }
      if failure == EINTR || failure == EAGAIN { continue }
      guard failure == 0 else { return reading.failed(failure) }
      guard count > 0 else { break }
      reading.bytes += count
    }
    if reading.bytes == 0 { reading.result = .empty }
    return reading
  }

  /// Reads what was there when it was opened: a log that grows is read to the end that it had.
  private func readPlain(
    _ descriptor: Int32, size: Int, into review: some LogSink, _ reading: inout Reading, _ goesOn: () -> Bool
  ) {
    while reading.bytes < size, goesOn() {
      let rest = size - reading.bytes
      let count = review.take { space in max(0, Glibc.read(descriptor, space.baseAddress, min(space.count, rest))) }
      guard count > 0 else {
        // The file may be shorter by now; everything else is an error of the disk.
        var status = stat()
        if fstat(descriptor, &status) == 0, Int(status.st_size) < size {
          reading.result = .shrank
          reading.reason = "it became shorter while it was read"
        } else {
          reading = reading.failed(errno)
        }
        return
      }
      reading.bytes += count
    }
  }

  private func readCompressed(
    _ descriptor: Int32, into review: some LogSink, _ reading: inout Reading, _ goesOn: () -> Bool
  ) {
    do throws(ArchiveError) {
      let content = try Decompression(descriptor: descriptor)
      while goesOn() {
        var failure: ArchiveError?
        let count = review.take { space in
          do throws(ArchiveError) { return try content.read(into: space) } catch {
            failure = error
            return 0
          }
        }
        if let failure { throw failure }
        guard count > 0 else { break }
        reading.bytes += count
      }
      if reading.bytes == 0 { reading.result = .empty }
    } catch {
      reading.result = .damaged
      reading.reason = error.message
    }
  }
}

extension Timestamp {
  fileprivate init(_ time: timespec) {
    self = Timestamp(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec)) ?? .unixEpoch
  }
}

extension LogFiles.Reading {
  fileprivate func failed(_ number: Int32) -> Self { failed(String(cString: strerror(number))) }

  fileprivate func failed(_ reason: String) -> Self {
    var reading = self
    reading.result = .unreadable
    reading.reason = reason
    return reading
  }
}
