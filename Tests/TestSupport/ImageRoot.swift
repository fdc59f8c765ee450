import Foundation

/// The root file system of an image with coturn, made from this host's files: turnserver, a shell and small programs, and the libraries
/// that they need.
package enum ImageRoot {
  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// Makes one in a folder that is there.
  package static func make(at folder: String) throws {
    try shell(
      """
      set -e
      cd "$1"
      mkdir -p tmp var/run var/log etc var/lib/turn run
      for program in /usr/bin/turnserver /bin/sh /bin/sleep /bin/cat /bin/kill /usr/bin/test /usr/bin/head; do
        mkdir -p ".$(dirname "$program")"
        cp -L "$program" ".$program"
        for library in $(ldd "$program" | grep -o '/[^ ]*'); do
          mkdir -p ".$(dirname "$library")"
          cp -Ln "$library" ".$library"
        done
      done
      printf 'root:x:0:0:root:/root:/bin/sh\\nnobody:x:65534:65534:nobody:/nonexistent:/bin/sh\\n' > etc/passwd
      """, folder)
  }

  /// What lies in it, with modes, owners, sizes and times.
  package static func listing(of folder: String) throws -> String {
    try shell("cd \"$1\" && find . -printf '%p %m %U %G %s %T@ %l\\n' | sort", folder)
  }

  @discardableResult
  private static func shell(_ script: String, _ folder: String) throws -> String {
    let (process, output) = (Process(), Pipe())
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", script, "sh", folder]
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failure(description: text) }
    return text
  }
}
