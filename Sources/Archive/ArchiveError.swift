/// Why libarchive could not do something.
package struct ArchiveError: Error, Hashable, Sendable {
  /// What was being done, as it stands in a sentence: `read`.
  package enum Operation: String, Hashable, Sendable {
    case start
    case open
    case read
    case write
    case close
  }

  package let operation: Operation
  /// The error's number: errno(3), or one of libarchive's own.
  package let number: Int32
  /// libarchive's words.
  package let message: String

  package init(_ operation: Operation, number: Int32, message: String) {
    self.operation = operation
    self.number = number
    self.message = message
  }
}
