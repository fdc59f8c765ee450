import Foundation
import Processes
import TestSupport
import Testing

/// The real program loses power at each of the calls with which it changes its state: its state folder is made again from what had been
/// synced by then, and the run is gone on with.
///
/// `RUNBOOK_FUZZ_SECONDS` makes it look at every call.
@Suite(.serialized) struct PowerLossFuzzTests {
  private static let isWhole = ProcessInfo.processInfo.environment["RUNBOOK_FUZZ_SECONDS"] != nil

  @Test(
    "After a loss of power at any call the run goes on from what was synced: nothing is done twice, nothing is lost",
    arguments: PowerLoss.allCases)
  func powerLoss(_ loss: PowerLoss) async throws {
    let disk = try await SyncedDisk(CrashStory(fails: loss == .onlySynced))
    let points = try await disk.story.points()
    let count = PowerLoss.allCases.count
    let step = Self.isWhole ? 1 : points / 2
    var looked = 0
    for point in stride(from: Self.isWhole ? 1 : 5 + points * loss.index / (2 * count), through: points, by: step) {
      try await disk.clear()
      _ = try await disk.story.run("kill", at: point)
      try await disk.losePower(loss)
      let place = "\(loss.rawValue), at \(point)"
      try await disk.story.goOn()
      try await disk.story.checkEnd(place)
      looked += 1
      if looked.isMultiple(of: 20) { print("losses of power so far, \(loss.rawValue): \(looked)") }
    }
    #expect(looked > 1)
    print("calls that change the state: \(points), losses of power at them, \(loss.rawValue): \(looked)")
  }

  @Test("A run that was killed and gone on with loses power in its turn, or after its end: what it rests on was synced")
  func afterDeath() async throws {
    let disk = try await SyncedDisk(CrashStory(fails: false))
    let points = try await disk.story.points()
    let placed = try await disk.pointBeforeSync(ofFolderWith: "sources", among: points)
    let outputs = try await disk.pointBeforeSync(ofFolderWith: "outputs", among: points)
    var looked = 0
    for point in Self.isWhole ? Array(1...points) : [1, placed, outputs] {
      try await disk.clear()
      _ = try await disk.story.run("kill", at: point)
      try await disk.story.quiet()
      // Every second one comes to its end before.
      let second = point.isMultiple(of: 2) && Self.isWhole ? 1 + point % 31 : points * 2
      _ = try await disk.story.runbook(["resume", "last", "--quiet"], "kill", at: second)
      try await disk.losePower(.onlySynced)
      try await disk.story.goOn()
      try await disk.story.checkEnd("killed at \(point), power lost at \(second)")
      looked += 1
      if looked.isMultiple(of: 20) { print("losses of power after a death so far: \(looked)") }
    }
    print("losses of power after a death: \(looked)")
  }
}

/// What is on the disk after a loss of power, of what was not synced.
enum PowerLoss: String, CaseIterable, CustomTestStringConvertible {
  case onlySynced = "nothing of it"
  case allNames = "all names, and no bytes"
  case halfWritten = "all names, half of the bytes, and zeros"

  var index: Int { Self.allCases.firstIndex(of: self) ?? 0 }
  var testDescription: String { rawValue }
}

/// The disk of a story, with what each sync has brought to it.
private struct SyncedDisk {
  let story: CrashStory
  /// What the library keeps; see `crash-points.c`.
  private let synced: TemporaryFolder
  /// The same of all that is there when power is lost.
  private let current: TemporaryFolder

  init(_ story: CrashStory) throws {
    synced = try TemporaryFolder()
    current = try TemporaryFolder()
    var story = story
    story.durable = synced.path
    self.story = story
  }

  /// For another run of the story.
  func clear() async throws {
    try await story.reset()
    try Self.clear(synced)
  }

  private static func clear(_ folder: TemporaryFolder) throws {
    for name in folder.names() { try FileManager.default.removeItem(at: folder.url.appending(path: name)) }
  }

  /// Makes the state folder anew from what was synced, and of what was not from what the loss leaves.
  func losePower(_ loss: PowerLoss) async throws {
    try await story.quiet()
    try Self.clear(current)
    try await keep(in: current)
    let state = "\(story.project.root)/.runbook"
    if FileManager.default.fileExists(atPath: state) { try FileManager.default.removeItem(atPath: state) }
    try fill(story.project.root, from: "root", only: ".runbook", loss)
    // All of that is on the disk.
    try Self.clear(synced)
    try await keep(in: synced)
  }

  /// Keeps all that is there.
  private func keep(in folder: TemporaryFolder) async throws {
    let kept = try await story.project.command(
      [".", "(", "-path", ".", "-o", "-path", "./.runbook*", ")", "-exec", "sync", "{}", "+"],
      environment: story.hook(durable: folder.path), program: "find"
    ).run()
    try #require(kept.ending == .exited(0), "\(kept.standardError.text)")
    try #require(folder.names().contains("root"))
  }

  private struct Entry {
    let kind: Substring
    let mode: Int
    let id: String
    let name: String
  }

  private func listing(_ name: String, _ loss: PowerLoss) throws -> [Entry] {
    try (loss == .onlySynced ? synced : current).read(name).split(separator: "\n").map { line in
      let parts = line.split(separator: " ", maxSplits: 3)
      try #require(parts.count == 4)
      return Entry(
        kind: parts[0], mode: try #require(Int(parts[1], radix: 8)), id: String(parts[2]), name: String(parts[3]))
    }
  }

  private func fill(_ path: String, from list: String, only name: String? = nil, _ loss: PowerLoss) throws {
    for entry in try listing(list, loss) where name == nil || entry.name == name {
      let place = "\(path)/\(entry.name)"
      if entry.kind == "d" {
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: false)
        try fill(place, from: "folder-\(entry.id)", loss)
      } else {
        try #require(entry.kind == "f")
        try bytes(of: entry.id, loss).write(to: URL(filePath: place))
      }
      try #require(chmod(place, mode_t(entry.mode)) == 0)
    }
  }

  private func bytes(of id: String, _ loss: PowerLoss) -> Data {
    func read(_ folder: TemporaryFolder) -> Data {
      (try? Data(contentsOf: folder.url.appending(path: "file-\(id)"))) ?? Data()
    }
    let sure = read(synced)
    let all = read(current)
    guard loss == .halfWritten, all.count > sure.count, all.starts(with: sure) else { return sure }
    let half = (all.count - sure.count) / 2
    return all.prefix(sure.count + half) + Data(count: all.count - sure.count - half)
  }

  /// The first call at which the run is in place and has a folder of that name, and what that lies in has not been synced with it.
  func pointBeforeSync(ofFolderWith name: String, among points: Int) async throws -> Int {
    // It is there at every later call.
    var (before, after) = (0, points)
    while after - before > 1 {
      let point = (before + after) / 2
      try await clear()
      _ = try await story.run("kill", at: point)
      try await story.quiet()
      let run = try? story.project.runFolders().last
      let isThere = run.map { FileManager.default.fileExists(atPath: "\($0)/\(name)") } ?? false
      if isThere { after = point } else { before = point }
    }
    return after
  }
}
