import Schema

/// The forms that a report has.
package enum ReportFormat: String, CaseIterable, Sendable {
  /// For people, on a terminal or in a mail.
  case text
  /// For programs: `runbook.report/1`.
  case json
  /// For CI servers.
  case junit
  /// For test harnesses such as `prove`.
  case tap
  /// For issues, chats and wikis.
  case markdown
  /// A page for a browser or a printer.
  case html
  /// One line for Nagios, Icinga and others that run its plugins.
  case nagios
  /// For the textfile collector of Prometheus' node_exporter.
  case prometheus
}

extension RunReport {
  /// The report in a form; it ends with a LF.
  ///
  /// - Parameters:
  ///   - style: for the forms that people read.
  ///   - isStrict: a warning is critical for Nagios; the other forms say that it is one.
  package func rendered(as format: ReportFormat, _ style: Style, isStrict: Bool = false) -> String {
    switch format {
    case .text: text(style)
    case .json: json.text(.indented) + "\n"
    case .junit: junit
    case .tap: tap
    case .markdown: markdown(style)
    case .html: html(style)
    case .nagios: nagios(isStrict: isStrict)
    case .prometheus: prometheus
    }
  }
}
