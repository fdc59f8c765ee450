internal import Schema

/// The keys of `alert` of a runbook.
package enum AlertKey: String, DocumentKey {
  case after

  package static let mappingName = "alert"

  package var declaration: KeyDeclaration {
    switch self {
    case .after: .init(.count, "So many runs that do not pass, one after the other.", .required, example: 3)
    }
  }
}
