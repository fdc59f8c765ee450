/// `ip` and the functions on addresses.
enum AddressFunctions {
  static let functions: [String: [Overload]] = [
    "ip": [
      Overload(
        "string_to_ip", [.string], .ip,
        implementation: .unary { (value) throws(EvaluationError) in
          .ip(try NetworkArguments.address(value))
        }),
      Overload(
        "cidr_ip", [.cidr], .ip, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in
          .ip(try NetworkArguments.range(value).address)
        }),
    ],
    "isIP": [
      Overload(
        "is_ip", [.string], .bool,
        implementation: .unary { (value) throws(EvaluationError) in
          .bool(CELIPAddress(try NetworkArguments.text(value)) != nil)
        })
    ],
    "ip.isCanonical": [
      Overload(
        "ip_is_canonical", [.string], .bool,
        implementation: .unary { (value) throws(EvaluationError) in
          let text = try NetworkArguments.text(value)
          return .bool(try NetworkArguments.address(value).description == text)
        })
    ],
    "string": [
      Overload(
        "ip_to_string", [.ip], .string,
        implementation: .unary { (value) throws(EvaluationError) in
          .string(try NetworkArguments.address(value).description)
        }),
      Overload(
        "cidr_to_string", [.cidr], .string,
        implementation: .unary { (value) throws(EvaluationError) in
          .string(try NetworkArguments.range(value).description)
        }),
    ],
    "family": [
      Overload(
        "ip_family", [.ip], .int, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in
          .int(try NetworkArguments.address(value).isIPv6 ? 6 : 4)
        })
    ],
    "isUnspecified": [test("ip_is_unspecified", \.isUnspecified)],
    "isLoopback": [test("ip_is_loopback", \.isLoopback)],
    "isGlobalUnicast": [test("ip_is_global_unicast", \.isGlobalUnicast)],
    "isLinkLocalMulticast": [test("ip_is_link_local_multicast", \.isLinkLocalMulticast)],
    "isLinkLocalUnicast": [test("ip_is_link_local_unicast", \.isLinkLocalUnicast)],
  ]

  private static func test(_ id: String, _ body: @escaping @Sendable (CELIPAddress) -> Bool) -> Overload {
    Overload(
      id, [.ip], .bool, isMember: true,
      implementation: .unary { (value) throws(EvaluationError) in .bool(body(try NetworkArguments.address(value))) })
  }
}

/// `cidr` and the functions on address ranges.
enum AddressRangeFunctions {
  static let functions: [String: [Overload]] = [
    "cidr": [
      Overload(
        "string_to_cidr", [.string], .cidr,
        implementation: .unary { (value) throws(EvaluationError) in
          .cidr(try NetworkArguments.range(value))
        })
    ],
    "isCIDR": [
      Overload(
        "is_cidr", [.string], .bool,
        implementation: .unary { (value) throws(EvaluationError) in
          .bool(CELAddressRange(try NetworkArguments.text(value)) != nil)
        })
    ],
    "containsIP": [
      test("cidr_contains_ip_ip", .ip) { (range, value) throws(EvaluationError) in
        range.contains(try NetworkArguments.address(value))
      },
      test("cidr_contains_ip_string", .string) { (range, value) throws(EvaluationError) in
        range.contains(try NetworkArguments.address(value))
      },
    ],
    "containsCIDR": [
      test("cidr_contains_cidr_cidr", .cidr) { (range, value) throws(EvaluationError) in
        range.contains(try NetworkArguments.range(value))
      },
      test("cidr_contains_cidr_string", .string) { (range, value) throws(EvaluationError) in
        range.contains(try NetworkArguments.range(value))
      },
    ],
    "masked": [
      Overload(
        "cidr_masked", [.cidr], .cidr, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in
          .cidr(try NetworkArguments.range(value).masked)
        })
    ],
    "prefixLength": [
      Overload(
        "cidr_prefix_length", [.cidr], .int, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in
          .int(Int64(try NetworkArguments.range(value).prefixLength))
        })
    ],
  ]

  private static func test(
    _ id: String, _ type: CELType,
    _ body: @escaping @Sendable (CELAddressRange, CELValue) throws(EvaluationError) -> Bool
  ) -> Overload {
    Overload(
      id, [.cidr, type], .bool, isMember: true,
      implementation: .binary { (range, value) throws(EvaluationError) in
        .bool(try body(try NetworkArguments.range(range), value))
      })
  }
}

/// Reads arguments that are addresses and ranges, or texts of such.
enum NetworkArguments {
  static func text(_ value: CELValue) throws(EvaluationError) -> String {
    guard case .string(let text) = value else { throw EvaluationError.noOverload("ip", [value]) }
    return text
  }

  static func address(_ value: CELValue) throws(EvaluationError) -> CELIPAddress {
    if case .opaque(let opaque) = value, let address = opaque.payload as? CELIPAddress { return address }
    let text = try text(value)
    guard let address = CELIPAddress(text) else { throw refusal(text, "IP address") }
    return address
  }

  static func range(_ value: CELValue) throws(EvaluationError) -> CELAddressRange {
    if case .opaque(let opaque) = value, let range = opaque.payload as? CELAddressRange { return range }
    let text = try text(value)
    guard let range = CELAddressRange(text) else { throw refusal(text, "address range") }
    return range
  }

  private static func refusal(_ text: String, _ what: String) -> EvaluationError {
    var message = "'\(text.prefix(60))' is no \(what)"
    if text.utf8.contains(UInt8(ascii: "%")) { message += ": a zone is not allowed" }
    if text.utf8.contains(UInt8(ascii: ".")), text.utf8.contains(UInt8(ascii: ":")) {
      message += ": an IPv4-mapped IPv6 address is not allowed"
    }
    return EvaluationError(.invalidArgument, message)
  }
}

extension CELIPAddress {
  var isUnspecified: Bool { high == 0 && low == 0 }

  var isLoopback: Bool {
    let address = unmapped
    return address.isIPv6 ? address.high == 0 && address.low == 1 : address.low >> 24 == 127
  }

  private var isMulticast: Bool {
    let address = unmapped
    return address.isIPv6 ? address.high >> 56 == 0xFF : address.low >> 28 == 0xE
  }

  var isLinkLocalMulticast: Bool {
    let address = unmapped
    return address.isIPv6 ? address.high >> 48 & 0xFF0F == 0xFF02 : address.low >> 8 == 0xE0_0000
  }

  var isLinkLocalUnicast: Bool {
    let address = unmapped
    return address.isIPv6 ? address.high >> 54 == 0x3FA : address.low >> 16 == 0xA9FE
  }

  var isGlobalUnicast: Bool {
    let address = unmapped
    if !address.isIPv6, address.low == 0xFFFF_FFFF { return false }
    return !address.isUnspecified && !isLoopback && !isMulticast && !isLinkLocalUnicast
  }
}

extension CELValue {
  /// An IP address.
  public static func ip(_ address: CELIPAddress) -> CELValue {
    .opaque(OpaqueValue(typeName: CELType.ip.name, payload: address))
  }

  /// An address range.
  public static func cidr(_ range: CELAddressRange) -> CELValue {
    .opaque(OpaqueValue(typeName: CELType.cidr.name, payload: range))
  }
}
