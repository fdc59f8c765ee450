import Foundation

/// The other implementations, measured by a Python script in an environment of their own.
struct Peers {
  /// For each expression, nanoseconds to compile and to evaluate, of cel-expr-python and of cel-python; `nil` where a
  /// package refuses it. Empty if there is no Python, or its packages cannot be had.
  let times: [[Double?]]

  private static let packages = ["cel-expr-python==0.1.3", "cel-python==0.5.0"]

  init() {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("peers.py")
    do {
      times = try Self.measure(script.path, interpreter: try Self.interpreter())
    } catch {
      print("The other implementations are left out: \(error)")
      times = []
    }
  }

  private struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// The interpreter of an environment with the packages, made below `.build-bench` if it is not there yet.
  private static func interpreter() throws -> String {
    var root = URL(fileURLWithPath: #filePath)
    for _ in 0..<5 { root.deleteLastPathComponent() }
    let environment = root.appendingPathComponent(".build-bench/cel-peers").path
    let interpreter = "\(environment)/bin/python"
    let ready = "\(environment)/ready"
    if !FileManager.default.fileExists(atPath: ready) {
      _ = try run("/usr/bin/env", ["python3", "-m", "venv", environment])
      let options = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
      _ = try run(interpreter, options + packages)
      FileManager.default.createFile(atPath: ready, contents: nil)
    }
    return interpreter
  }

  private static func measure(_ script: String, interpreter: String) throws -> [[Double?]] {
    let types = Dictionary(uniqueKeysWithValues: Expectations.variables.map { ($0.name, $0.signature) })
    let task: [String: Any] = [
      "variables": types, "data": try JSONSerialization.jsonObject(with: Data(Expectations.data.utf8)),
      "expressions": Expectations.sources,
    ]
    let output = try run(interpreter, [script], input: JSONSerialization.data(withJSONObject: task))
    return output.split(separator: "\n").map { line in line.split(separator: "\t").map { Double($0) } }
  }

  /// What a program writes to its standard output.
  private static func run(_ path: String, _ arguments: [String], input: Data = Data()) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let stdin = Pipe()
    let stdout = Pipe()
    process.standardInput = stdin
    process.standardOutput = stdout
    process.standardError = FileHandle.nullDevice
    try process.run()
    try stdin.fileHandleForWriting.write(contentsOf: input)
    try stdin.fileHandleForWriting.close()
    let text = String(decoding: stdout.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(path) \(arguments.joined(separator: " ")) exits \(process.terminationStatus)")
    }
    return text
  }
}
