import Files
import Schema
import Steps

/// Files of the kernel (proc(5)): their size is not known before they are read.
enum ProcFile {
  /// The whole text of a file.
  ///
  /// Throws `broken` if it cannot be opened or read.
  static func text(_ path: String) throws(StepError) -> String {
    do throws(FileError) {
      return String(decoding: try File.read(path, limit: maximumSize, followingLinks: true).bytes, as: UTF8.self)
    } catch {
      throw .broken(
        "host.procUnreadable", "\(path) cannot be read: \(error.reason)",
        advice: "Check that /proc is mounted and that this user may read it.")
    }
  }

  /// The longest of them tell a few hundred bytes of each mount or socket.
  private static let maximumSize = 64 << 20

  /// What a file holds is not what proc(5) says.
  static func unexpected(_ path: String, _ what: String) -> StepError {
    .broken("host.procUnexpected", "\(path) \(what)", advice: "Compare it with proc(5) of this kernel.")
  }
}

/// `part` of `whole` as a percentage with two decimals; 0 of nothing is 0.
func percentage(_ part: Int, of whole: Int) -> Double {
  whole == 0 ? 0 : (Double(part) / Double(whole) * 10_000).rounded() / 100
}
