/// A turnserver.conf that everybody may see: only options that are known to be no secret keep their values.
package enum RedactedConfiguration {
  /// One line for each option. Comments are left out: people leave old passwords there.
  ///
  /// - Parameter hidden: gives what stands in the place of a value, the same for the same value.
  package static func text(of bytes: [UInt8], hidden: (_ value: String) -> String) -> String {
    let tables = [OptionTable(.newestKnown), OptionTable(.oldestKnown)]
    return ConfigurationLine.lines(of: bytes, .newestKnown).map { line in
      let options = tables.compactMap { $0[line.name] }
      // Of a line that is no option nothing is known, not even that its name is one.
      guard !options.isEmpty, !line.isRest else { return hidden("\(line.name)=\(line.value)") + "\n" }
      if line.value.isEmpty { return line.name + "\n" }
      let isPublic = options.allSatisfy { $0.kind.isPublic(line.value) } && !line.hasComment
      return "\(line.name)=\(isPublic ? line.value : hidden(line.value))\n"
    }.joined()
  }
}

extension ConfigurationOption.Kind {
  /// Whether a value of this kind may be seen by everybody. What is not of the form may be something else that slipped there.
  fileprivate func isPublic(_ value: String) -> Bool {
    switch self {
    case .flag, .presence, .ignored: ["0", "1", "on", "off", "true", "false", "yes", "no"].contains(value.lowercased())
    case .number, .port: value.allSatisfy { $0.isASCII && $0.isNumber }
    case .address, .range, .path, .text: true
    case .secret: false
    }
  }
}
