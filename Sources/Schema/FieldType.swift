/// How a Swift value of one field is read from, and written as, a ``Value`` of a declared type.
@usableFromInline
package struct FieldType<Wrapped: Sendable>: Sendable {
  package let type: ValueType
  /// Takes a value that ``ValueType/admit(_:)`` let in.
  @usableFromInline let decode: @Sendable (Value) throws(Mismatch) -> Wrapped
  @usableFromInline let encode: @Sendable (Wrapped) -> Value
  /// What stands for the field if it is not given: nil inside `.some` for optional types.
  let absent: Wrapped?
  let bounds: Bounds?
  /// For lists: whether one without elements is refused.
  let mustHoldSomething: Bool
  let foremost: Value?

  init(
    _ type: ValueType, absent: Wrapped? = nil, bounds: Bounds? = nil, mustHoldSomething: Bool = false,
    foremost: Value? = nil,
    decode: @escaping @Sendable (Value) throws(Mismatch) -> Wrapped, encode: @escaping @Sendable (Wrapped) -> Value
  ) {
    self.type = type
    self.absent = absent
    self.bounds = bounds
    self.mustHoldSomething = mustHoldSomething
    self.foremost = foremost
    self.decode = decode
    self.encode = encode
  }

  /// The same type, its values limited to a range with both ends included.
  package func within(_ range: ClosedRange<Wrapped>) -> Self where Wrapped: Comparable {
    copy(bounds: Bounds(minimum: encode(range.lowerBound), maximum: encode(range.upperBound)))
  }

  /// The same type, where people look for this value first: see ``FieldDeclaration/foremost``.
  package func foremost(_ value: Wrapped) -> Self { copy(foremost: encode(value)) }

  fileprivate func copy(bounds: Bounds? = nil, mustHoldSomething: Bool = false, foremost: Value? = nil) -> Self {
    Self(
      type, absent: absent, bounds: bounds ?? self.bounds,
      mustHoldSomething: mustHoldSomething || self.mustHoldSomething, foremost: foremost ?? self.foremost,
      decode: decode, encode: encode)
  }
}

extension FieldType where Wrapped: Collection {
  /// The same list type without the empty list.
  package var nonEmpty: Self { copy(mustHoldSomething: true) }
}

private func mismatch(_ type: ValueType, _ value: Value) -> Mismatch {
  Mismatch("expected \(type.article), found \(value.kind)")
}

private func text(_ type: ValueType) -> FieldType<String> {
  FieldType(
    type,
    decode: { (value) throws(Mismatch) in
      guard case .string(let text) = value else { throw mismatch(type, value) }
      return text
    }, encode: Value.string)
}

private func integer(_ type: ValueType) -> FieldType<Int> {
  FieldType(
    type,
    decode: { (value) throws(Mismatch) in
      guard case .int(let number) = value, let number = Int(exactly: number) else { throw mismatch(type, value) }
      return number
    }, encode: { .int(Int64($0)) })
}

private func floatingPoint(_ type: ValueType) -> FieldType<Double> {
  FieldType(
    type,
    decode: { (value) throws(Mismatch) in
      guard case .double(let number) = value else { throw mismatch(type, value) }
      return number
    }, encode: Value.double)
}

extension FieldType where Wrapped == String {
  package static var string: Self { text(.string) }
  package static var host: Self { text(.host) }
  package static var ip: Self { text(.ip) }
  package static var cidr: Self { text(.cidr) }
  package static var path: Self { text(.path) }
  package static var url: Self { text(.url) }
  package static var turnURI: Self { text(.turnURI) }
  package static var cron: Self { text(.cron) }
}

extension FieldType where Wrapped == Int {
  package static var int: Self { integer(.int) }
  /// Bytes.
  package static var byteSize: Self { integer(.byteSize) }
  /// Bits per second.
  package static var bandwidth: Self { integer(.bandwidth) }
  package static var port: Self { integer(.port) }
}

extension FieldType where Wrapped == Double {
  package static var double: Self { floatingPoint(.double) }
  /// 95 % is 95.0.
  package static var percent: Self { floatingPoint(.percent) }
}

extension FieldType where Wrapped == Bool {
  package static var bool: Self {
    Self(
      .bool,
      decode: { (value) throws(Mismatch) in
        guard case .bool(let flag) = value else { throw mismatch(.bool, value) }
        return flag
      }, encode: Value.bool)
  }
}

extension FieldType where Wrapped == Duration {
  package static var duration: Self {
    Self(
      .duration,
      decode: { (value) throws(Mismatch) in
        guard case .duration(let duration) = value else { throw mismatch(.duration, value) }
        return duration
      }, encode: Value.duration)
  }
}

extension FieldType where Wrapped == Timestamp {
  package static var timestamp: Self {
    Self(
      .timestamp,
      decode: { (value) throws(Mismatch) in
        guard case .timestamp(let moment) = value else { throw mismatch(.timestamp, value) }
        return moment
      }, encode: Value.timestamp)
  }
}

extension FieldType where Wrapped == [UInt8] {
  package static var bytes: Self {
    Self(
      .bytes,
      decode: { (value) throws(Mismatch) in
        guard case .bytes(let bytes) = value else { throw mismatch(.bytes, value) }
        return bytes
      }, encode: Value.bytes)
  }
}

extension FieldType where Wrapped == Value {
  /// Any value; for what has no declared type, such as a JSON document fetched from elsewhere.
  package static var any: Self { Self(.any, decode: { (value) throws(Mismatch) in value }, encode: { $0 }) }
}

extension FieldType where Wrapped == Secret {
  /// A secret whose clear form is text.
  package static var secret: Self {
    Self(
      .secret(.string),
      decode: { (value) throws(Mismatch) in
        guard case .secret(let secret) = value else { throw mismatch(.secret(.string), value) }
        return secret
      }, encode: Value.secret)
  }
}

extension FieldType where Wrapped: RawRepresentable & CaseIterable, Wrapped.RawValue == String {
  /// One of the cases, by its raw value.
  package static func enumeration(_ cases: Wrapped.Type) -> Self {
    let type = ValueType.enumeration(Wrapped.allCases.map(\.rawValue))
    return Self(
      type,
      decode: { (value) throws(Mismatch) in
        guard case .string(let name) = value, let found = Wrapped(rawValue: name) else { throw mismatch(type, value) }
        return found
      }, encode: { .string($0.rawValue) })
  }
}

extension FieldType {
  /// A list of values of one type.
  package static func list<Element>(_ element: FieldType<Element>) -> Self where Wrapped == [Element] {
    let type = ValueType.list(element.type)
    return Self(
      type,
      decode: { (value) throws(Mismatch) in
        guard case .list(let values) = value else { throw mismatch(type, value) }
        var elements: [Element] = []
        for (index, value) in values.enumerated() {
          do throws(Mismatch) { elements.append(try element.decode(value)) } catch { throw error.inside("[\(index)]") }
        }
        return elements
      }, encode: { .list($0.map(element.encode)) })
  }

  /// Text keys to values of one type; written in the order of the keys.
  package static func map<Element>(_ element: FieldType<Element>) -> Self where Wrapped == [String: Element] {
    let type = ValueType.map(element.type)
    return Self(
      type,
      decode: { (value) throws(Mismatch) in
        guard case .members(let members) = value else { throw mismatch(type, value) }
        var elements: [String: Element] = [:]
        for member in members {
          do throws(Mismatch) {
            elements[member.name] = try element.decode(member.value)
          } catch { throw error.inside(member.name) }
        }
        return elements
      },
      encode: { .members($0.sorted { $0.key < $1.key }.map { Value.Member($0.key, element.encode($0.value)) }) })
  }

  /// A value that may be absent; nil if it is.
  package static func optional<Element>(_ element: FieldType<Element>) -> Self where Wrapped == Element? {
    Self(
      .optional(element.type), absent: .some(nil), bounds: element.bounds,
      decode: { (value) throws(Mismatch) in value == .null ? nil : try element.decode(value) },
      encode: { $0.map(element.encode) ?? .null })
  }

  /// A nested record.
  package static func record(_ record: Record<Wrapped>) -> Self {
    Self(
      .record(record.type), decode: { (value) throws(Mismatch) in try record.decode(admitted: value) },
      encode: record.encode)
  }
}
