import Archive
import Foundation
import Glibc
import Processes
import Schema
import TestSupport
import Testing

@testable import Logs

@Suite struct LogFilesTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func review() throws -> LogReview {
    try LogReview([LogPattern(name: "p", match: "ERROR")], .init(samples: 9))
  }

  /// When a file was last written, in days before now.
  private func age(_ name: String, days: Double) throws {
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -days * 86_400)], ofItemAtPath: folder.path + "/" + name)
  }

  @Test("A rotated set is read from the oldest on, compressed ones too, and links to one file once")
  func rotated() async throws {
    try folder.write("ERROR 3\n", to: "turn.log")
    try folder.write("ERROR 2\n", to: "turn.log.1")
    try folder.write("ERROR 1\n", to: "turn.log.2")
    try await Command("gzip", [folder.path + "/turn.log.2"]).succeed()
    try age("turn.log.1", days: 1)
    try age("turn.log.2.gz", days: 2)
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/turn.log.current", withDestinationPath: "turn.log")
    let review = try review()
    let readings = LogFiles([folder.path + "/turn.log*"]).read(into: review, from: nil)
    #expect(review.matches[0].samples == ["ERROR 1", "ERROR 2", "ERROR 3"])
    #expect(readings.map(\.result) == [.read, .read, .read])
    #expect(readings[0].compression == .gzip)
  }

  @Test("Files are told apart that are empty, older than the window, unreadable, damaged or no files")
  func results() async throws {
    try folder.write("", to: "a-empty")
    try folder.write("ERROR\n", to: "b-older")
    try age("b-older", days: 3)
    try folder.write(String(repeating: "ERROR and more \(Double.random(in: 0...1))\n", count: 4000), to: "c-damaged")
    try await Command("gzip", [folder.path + "/c-damaged"]).succeed()
    try #require(truncate(folder.path + "/c-damaged.gz", 100) == 0)
    try #require(mkfifo(folder.path + "/d-fifo", 0o600) == 0)
    let now = Timestamp(seconds: Int64(Date().timeIntervalSince1970), nanoseconds: 0)
    let from = try #require(now.flatMap { Timestamp(seconds: $0.seconds - 86_400, nanoseconds: 0) })
    let readings = LogFiles([folder.path + "/*", folder.path + "/e-missing"]).read(into: try review(), from: from)
    let results = Dictionary(
      uniqueKeysWithValues: readings.map { (URL(filePath: $0.path).lastPathComponent, $0.result) })
    #expect(
      results == [
        "a-empty": .empty, "b-older": .older, "c-damaged.gz": .damaged, "d-fifo": .unreadable, "e-missing": .unreadable,
      ])
    #expect(readings.first { $0.path.hasSuffix("e-missing") }?.reason == "No such file or directory")
  }

  @Test("A folder that is named, or that a pattern cannot look into, is told of; brackets may stand in a name")
  func folders() throws {
    try folder.write("ERROR\n", to: "a[1].log")
    try folder.write("ERROR\n", to: "closed/turn.log")
    let named = LogFiles(["\(folder.path)/closed", "\(folder.path)/a[1].log", "\(folder.path)/missing/*.log"])
    #expect(
      named.read(into: try review(), from: nil).map(\.result).sorted { $0.rawValue < $1.rawValue } == [
        .read, .unreadable,
      ])
    // As with a folder that may not be read, which root may.
    let hidden = LogFiles(["\(folder.path)/\(String(repeating: "n", count: 300))/*.log"])
    #expect(hidden.read(into: try review(), from: nil).map(\.result) == [.unreadable])
  }

  @Test("A pattern that stands for no file gives none")
  func none() throws {
    #expect(LogFiles([folder.path + "/*.log"]).read(into: try review(), from: nil) == [])
  }

  @Test("A log that grows while it is read is read to the end it had; one that is truncated says so")
  func changing() throws {
    let text = String(repeating: "a line of a log that says nothing\n", count: 200_000)
    try folder.write(text, to: "log")
    let path = folder.path + "/log"
    var review = try review()
    var pieces = 0
    let grown = LogFiles([path]).read(into: review, from: nil) {
      pieces += 1
      if pieces == 2, let file = FileHandle(forWritingAtPath: path) {
        _ = try? file.seekToEnd()
        file.write(Data("ERROR later\n".utf8))
        try? file.close()
      }
      return true
    }
    #expect(grown.map(\.result) == [.read])
    #expect(grown[0].bytes == text.utf8.count)
    #expect(review.matches[0].count == 0)

    review = try self.review()
    pieces = 0
    let shrunk = LogFiles([path]).read(into: review, from: nil) {
      pieces += 1
      if pieces == 2 { truncate(path, 0) }
      return true
    }
    #expect(shrunk.map(\.result) == [.shrank])
  }

  @Test("What is rotated in while others are read is read too, and nothing twice")
  func rotation() throws {
    try folder.write("ERROR 1\n", to: "turn.log")
    let review = try review()
    var rotated = false
    let readings = LogFiles([folder.path + "/turn.log*"]).read(into: review, from: nil) {
      if !rotated {
        rotated = true
        rename(folder.path + "/turn.log", folder.path + "/turn.log.1")
        try? folder.write("ERROR 2\n", to: "turn.log")
      }
      return true
    }
    // The file was there under its old name when it was listed.
    #expect(readings.filter { $0.result == .read }.count >= 1)
    #expect(Set(review.matches[0].samples).count == review.matches[0].samples.count)
    #expect(review.matches[0].samples.contains("ERROR 2"))
  }
}

extension Command {
  fileprivate func succeed() async throws {
    let result = try await run()
    try #require(result.ending == .exited(0))
  }
}
