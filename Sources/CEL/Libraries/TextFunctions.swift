/// `size`.
enum SizeFunctions {
  static let functions: [String: [Overload]] = [
    "size": [false, true].flatMap { isMember in
      [
        declare("string", .string, isMember), declare("bytes", .bytes, isMember),
        declare("list", .list(.parameter("A")), isMember),
        declare("map", .map(.parameter("A"), .parameter("B")), isMember),
      ]
    }
  ]

  private static func declare(_ name: String, _ type: CELType, _ isMember: Bool) -> Overload {
    Overload(
      isMember ? "\(name)_size" : "size_\(name)", [type], .int, isMember: isMember, implementation: .unary(size))
  }

  private static func size(_ value: CELValue) throws(EvaluationError) -> CELValue {
    switch value {
    case .string(let text): .int(Int64(text.codePointCount))
    case .bytes(let octets): .int(Int64(octets.count))
    case .list(let values): .int(Int64(values.count))
    case .map(let map): .int(Int64(map.count))
    default: throw EvaluationError.noOverload("size", [value])
    }
  }
}

/// `contains`, `startsWith`, `endsWith` and `matches`.
enum TextFunctions {
  static let functions: [String: [Overload]] = [
    "contains": [test("contains_string") { ByteSearch.first($1, in: $0, from: 0) != nil }],
    "startsWith": [test("starts_with_string") { $0.starts(with: $1) }],
    "endsWith": [test("ends_with_string") { $0.count >= $1.count && $0.suffix($1.count).elementsEqual($1) }],
    "matches": [matches("matches", isMember: false), matches("matches_string", isMember: true)],
  ]

  private static func test(
    _ id: String, _ body: @escaping @Sendable (UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Bool
  ) -> Overload {
    Overload(
      id, [.string, .string], .bool, isMember: true,
      implementation: .binary { (text, part) throws(EvaluationError) in
        guard case .string(let text) = text, case .string(let part) = part else {
          throw EvaluationError.noOverload(id, [text, part])
        }
        return .bool(text.withBytes { bytes in part.withBytes { body(bytes, $0) } })
      })
  }

  private static func matches(_ id: String, isMember: Bool) -> Overload {
    Overload(
      id, [.string, .string], .bool, isMember: isMember,
      implementation: .metered { (meter, arguments) throws(EvaluationError) in
        guard case .string(let text)? = arguments.first, case .string(let source)? = arguments.last else {
          throw EvaluationError.noOverload(id, arguments)
        }
        let pattern = try Pattern.cached(source, &meter)
        try meter.charge((text.utf8.count / 10 + 1) * (pattern.size / 10 + 1))
        return .bool(pattern.matches(text))
      },
      validation: { (arguments) throws(EvaluationError) in
        guard case .string(let source)?? = arguments.last else { return }
        var meter = CostMeter(limit: .max)
        _ = try Pattern.cached(source, &meter)
      })
  }
}
