import Foundation

/// The other implementations, measured by a Python script.
struct Peers {
  /// For each expression, nanoseconds to compile and to evaluate, of cel-expr-python and of cel-python; `nil` where a
  /// package refuses it.
  let times: [[Double?]]

  /// Runs the script with an interpreter that has both packages.
  init(interpreter: String, script: String) throws {
    let types = Dictionary(uniqueKeysWithValues: Expectations.variables.map { ($0.name, $0.signature) })
    let task: [String: Any] = [
      "variables": types, "data": try JSONSerialization.jsonObject(with: Data(Expectations.data.utf8)),
      "expressions": Expectations.sources,
    ]
    let process = Process()
    process.executableURL = URL(fileURLWithPath: interpreter)
    process.arguments = [script]
    let input = Pipe()
    let output = Pipe()
    process.standardInput = input
    process.standardOutput = output
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: JSONSerialization.data(withJSONObject: task))
    try input.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    times = text.split(separator: "\n").map { line in line.split(separator: "\t").map { Double($0) } }
  }
}
