/// A map whose keys are booleans, integers or texts, in the order of insertion.
///
/// Numbers of equal value are one key: `{1: 'a'}` has the keys `1`, `1u` and `1.0`.
public struct CELMap: Sendable {
  /// What a lookup compares: whole numbers are one kind, texts compare by code points.
  enum Key: Hashable, Sendable {
    case bool(Bool)
    case int(Int64)
    case uint(UInt64)
    case string(String)

    @inline(__always)
    init?(_ value: CELValue) {
      switch value {
      case .string(let text): self = .string(text)
      case .int(let number): self = .int(number)
      case .bool(let flag): self = .bool(flag)
      case .uint(let number): self = number <= UInt64(Int64.max) ? .int(Int64(number)) : .uint(number)
      case .double(let number):
        if let exact = Int64(exactly: number) {
          self = .int(exact)
        } else if let exact = UInt64(exactly: number) {
          self = .uint(exact)
        } else {
          return nil
        }
      default: return nil
      }
    }

    @inline(__always)
    static func == (left: Key, right: Key) -> Bool {
      switch (left, right) {
      case (.string(let a), .string(let b)): a.hasSameCodePoints(as: b)
      case (.int(let a), .int(let b)): a == b
      case (.bool(let a), .bool(let b)): a == b
      case (.uint(let a), .uint(let b)): a == b
      default: false
      }
    }

    func hash(into hasher: inout Hasher) {
      switch self {
      case .string(let text): text.withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
      case .int(let number): hasher.combine(number)
      case .bool(let flag): hasher.combine(flag)
      case .uint(let number): hasher.combine(number)
      }
    }
  }

  private final class Storage: Sendable {
    let keys: [CELValue]
    let values: [CELValue]
    /// Present for more than eight entries; fewer are found faster by looking at each.
    let index: [Key: Int]?

    init(keys: [CELValue], values: [CELValue], index: [Key: Int]?) {
      self.keys = keys
      self.values = values
      self.index = index
    }
  }

  private let storage: Storage

  /// The keys, in the order of insertion.
  public var keys: [CELValue] { storage.keys }
  /// The values, in the order of their keys.
  public var values: [CELValue] { storage.values }
  /// The number of entries.
  public var count: Int { storage.keys.count }

  /// A map with texts as keys; a later entry of the same key replaces an earlier one.
  public init(_ entries: some Sequence<(String, CELValue)>) {
    var builder = Builder()
    for (key, value) in entries { builder.replace(.string(key), value) }
    self = builder.build()
  }

  /// `nil` when a key is of a type no key can have, or is there twice.
  public init?(entries: some Sequence<(CELValue, CELValue)>) {
    var builder = Builder()
    for (key, value) in entries {
      guard builder.insert(key, value) == .inserted else { return nil }
    }
    self = builder.build()
  }

  /// The value of a key, by the equality of the language.
  @inline(__always)
  public subscript(key: CELValue) -> CELValue? {
    guard let key = Key(key) else { return nil }
    return self[key]
  }

  /// The value of a key that is a text.
  @inline(__always)
  public subscript(key: String) -> CELValue? { self[Key.string(key)] }

  @inline(__always)
  subscript(key: Key) -> CELValue? {
    let storage = self.storage
    if let index = storage.index { return index[key].map { storage.values[$0] } }
    if case .string(let wanted) = key {
      for position in storage.keys.indices {
        if case .string(let text) = storage.keys[position], text.hasSameCodePoints(as: wanted) {
          return storage.values[position]
        }
      }
      return nil
    }
    for position in storage.keys.indices where Key(storage.keys[position]) == key { return storage.values[position] }
    return nil
  }

  /// Collects entries for a map.
  struct Builder {
    enum Outcome {
      case inserted
      case duplicate
      case unsupportedKey
    }

    private var keys: [CELValue] = []
    private var values: [CELValue] = []
    private var index: [Key: Int] = [:]

    var count: Int { keys.count }

    private func position(of key: Key) -> Int? {
      if keys.count > 8 { return index[key] }
      return keys.firstIndex { Key($0) == key }
    }

    private mutating func append(_ original: CELValue, _ key: Key, _ value: CELValue) {
      keys.append(original)
      values.append(value)
      if keys.count == 9 {
        for (position, present) in keys.enumerated() {
          if let present = Key(present) { index[present] = position }
        }
      } else if keys.count > 9 {
        index[key] = keys.count - 1
      }
    }

    mutating func insert(_ original: CELValue, _ value: CELValue) -> Outcome {
      if case .double = original { return .unsupportedKey }
      guard let key = Key(original) else { return .unsupportedKey }
      if position(of: key) != nil { return .duplicate }
      append(original, key, value)
      return .inserted
    }

    mutating func replace(_ original: CELValue, _ value: CELValue) {
      guard let key = Key(original) else { return }
      if let position = position(of: key) {
        values[position] = value
      } else {
        append(original, key, value)
      }
    }

    consuming func build() -> CELMap {
      let indexed = keys.count > 8 ? index : nil
      return CELMap(storage: Storage(keys: keys, values: values, index: indexed))
    }
  }

  private init(storage: Storage) {
    self.storage = storage
  }
}

extension CELMap: Equatable {
  /// Exact equality of entries, in any order.
  public static func == (left: CELMap, right: CELMap) -> Bool {
    left.count == right.count
      && zip(left.keys, left.values).allSatisfy { key, value in right[key] == value }
  }
}
