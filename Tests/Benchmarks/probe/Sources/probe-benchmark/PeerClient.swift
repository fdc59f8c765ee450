import Foundation

/// Another client, in a program of its own that prints what it measured.
struct PeerClient: AllocationClient {
  let name: String
  let canOverlap = true
  private let command: [String]

  /// aioice, of Debian's python3-aioice; nil if it is not installed.
  static func aioice() -> PeerClient? {
    let python = "/usr/bin/python3"
    guard Command.output([python, "-c", "import aioice"]) != nil else { return nil }
    return PeerClient(name: "aioice", command: [python, peers.appending(path: "allocate.py").path])
  }

  /// pion, of Debian's golang-github-pion-turn.v2-dev; nil if that or Go is not installed.
  ///
  /// - Parameter folder: where the program is built.
  static func pion(builtIn folder: URL) -> PeerClient? {
    let program = folder.appending(path: "allocate").path
    // Of Debian's sources alone, without a module file and without a network.
    let settings = ["GO111MODULE=off", "GOPATH=/usr/share/gocode", "GOCACHE=\(folder.path)/go"]
    let build = ["build", "-o", program, peers.appending(path: "allocate.go").path]
    for go in ["/usr/bin/go", "/usr/lib/go-1.19/bin/go"]
    where Command.output(["/usr/bin/env"] + settings + [go] + build) != nil {
      return PeerClient(name: "pion", command: [program])
    }
    return nil
  }

  private static let peers = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../peers")

  struct Failed: Error {
    let name: String
  }

  func run(_ server: BenchmarkServer, count: Int, inFlight: Int) throws -> AllocationSamples {
    guard let text = Command.output(command + ["\(server.port)", "\(count)", "\(inFlight)"]) else {
      throw Failed(name: name)
    }
    var samples = AllocationSamples()
    for line in text.split(separator: "\n") {
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      guard numbers.count == 2 else { throw Failed(name: name) }
      if line.hasPrefix("total") {
        (samples.elapsed, samples.refused) = (.nanoseconds(numbers[0]), numbers[1])
      } else {
        samples.all.append(AllocationSample(allocate: .nanoseconds(numbers[0]), whole: .nanoseconds(numbers[1])))
      }
    }
    return samples
  }
}

/// A program that is run to its end.
enum Command {
  /// What it printed; nil if it is not there or did not succeed.
  static func output(_ words: [String]) -> String? {
    let process = Process()
    process.executableURL = URL(filePath: words[0])
    process.arguments = Array(words.dropFirst())
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return nil }
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return process.terminationStatus == 0 ? text : nil
  }
}
