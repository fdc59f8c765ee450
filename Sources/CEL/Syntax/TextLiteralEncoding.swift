extension TextLiteral {
  /// The literal of a text: in single quotes, control characters escaped.
  static func encode(_ text: String) -> String {
    var output = "'"
    for scalar in text.unicodeScalars {
      switch scalar {
      case "'": output += "\\'"
      case "\\": output += "\\\\"
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          output += "\\x" + hexadecimal(UInt8(scalar.value))
        } else {
          output.unicodeScalars.append(scalar)
        }
      }
    }
    return output + "'"
  }

  /// The literal of octets: in single quotes, all but printable ASCII escaped.
  static func encode(_ octets: [UInt8]) -> String {
    var output = "b'"
    for octet in octets {
      if octet == UInt8(ascii: "'") || octet == UInt8(ascii: "\\") {
        output += "\\" + String(decoding: [octet], as: UTF8.self)
      } else if (0x20..<0x7F).contains(octet) {
        output += String(decoding: [octet], as: UTF8.self)
      } else {
        output += "\\x" + hexadecimal(octet)
      }
    }
    return output + "'"
  }

  private static func hexadecimal(_ octet: UInt8) -> String {
    (octet < 16 ? "0" : "") + String(octet, radix: 16)
  }
}
