import Reports
import Schema
import TerminalText

/// What a module put out, for people: a line for each field, nested fields by their paths, and then a table for each list
/// of records. A long list is cut to the records that have the foremost value of a field, the others counted.
struct OutputText {
  private var lines: [[String]] = []
  private var tables: [(name: String, lines: [String])] = []

  /// The most records of which all are shown.
  private static let longList = 24

  init(_ output: Value, as type: RecordType) { take(output, .record(type), path: "") }

  /// Lines end with LF.
  var text: String {
    var text = columns(lines)
    for (name, lines) in tables {
      if !text.isEmpty { text += "\n" }
      text += "\(name)\n" + lines.map { "  \($0)\n" }.joined()
    }
    return text
  }

  private mutating func take(_ value: Value, _ type: ValueType?, path: String) {
    switch (value, type) {
    case (_, .optional(let wrapped)?): take(value, wrapped, path: path)
    case (.null, _): return
    case (.members(let members), _):
      for member in members { take(member.value, type?.field(member.name), path: path.joined(member.name)) }
    case (.list(let elements), .list(let element)?) where element.isRecord && !elements.isEmpty:
      tables.append((path, Self.rows(elements, element)))
    default: lines.append([path, Self.cell(value, type)])
    }
  }

  private static func rows(_ elements: [Value], _ type: ValueType) -> [String] {
    guard elements.count > longList, let field = type.foremostField else { return table(elements, type).lines(.uncut) }
    var shown: [Value] = []
    var others: [(value: String, count: Int)] = []
    for element in elements {
      let value = element[field.name] ?? .null
      if value == field.foremost {
        shown.append(element)
      } else if let index = others.firstIndex(where: { $0.value == cell(value, field.type) }) {
        others[index].count += 1
      } else {
        others.append((cell(value, field.type), 1))
      }
    }
    let counts = others.map { "\($0.count) \($0.value)" }.joined(separator: ", ")
    return (shown.isEmpty ? [] : table(shown, type).lines(.uncut))
      + (others.isEmpty ? [] : ["\(counts): not shown, --format json has all"])
  }

  /// Columns in which no row has anything are left out.
  private static func table(_ rows: [Value], _ type: ValueType) -> TextTable {
    var header: [String] = []
    let cells = rows.map { row in
      var cells: [String: String] = [:]
      take(row, type, path: "") { path, text in
        if !header.contains(path) { header.append(path) }
        cells[path] = text
      }
      return cells
    }
    // The type's order; a row that lacks a field must not move it behind those that come after.
    let order = type.paths
    header.sort { (order.firstIndex(of: $0) ?? order.count) < (order.firstIndex(of: $1) ?? order.count) }
    return TextTable(header: header, rows: cells.map { row in header.map { TextTable.Cell(row[$0] ?? "") } })
  }

  /// Every field of one row of a table.
  private static func take(
    _ value: Value, _ type: ValueType?, path: String, found: (_ path: String, _ text: String) -> Void
  ) {
    switch (value, type) {
    case (_, .optional(let wrapped)?): take(value, wrapped, path: path, found: found)
    case (.null, _): return
    case (.members(let members), _):
      for member in members {
        take(member.value, type?.field(member.name), path: path.joined(member.name), found: found)
      }
    default: found(path, cell(value, type))
    }
  }

  private static func cell(_ value: Value, _ type: ValueType?) -> String {
    switch (value, type) {
    case (_, .optional(let wrapped)?): cell(value, wrapped)
    case (.list(let elements), _) where elements.isEmpty: "none"
    case (.list(let elements), .list(let element)?): elements.map { cell($0, element) }.joined(separator: ", ")
    case (.int, .byteSize?), (.int, .bandwidth?), (.double, .percent?), (.int, .percent?):
      shownValue(value, as: type ?? .any)
    case (.double, _): shownValue(value, as: .double)
    case (.duration, _): shownValue(value, as: .duration)
    default: terminalSafe(value.plainText)
    }
  }
}

extension String {
  fileprivate func joined(_ name: String) -> String { isEmpty ? name : "\(self).\(name)" }
}

extension ValueType {
  fileprivate var isRecord: Bool { if case .record = self { true } else { false } }

  /// The field of a record by which long lists are cut.
  fileprivate var foremostField: FieldDeclaration? {
    if case .record(let record) = self { record.fields.first { $0.foremost != nil } } else { nil }
  }

  /// The type of a record's field; nil if it is not known.
  fileprivate func field(_ name: String) -> ValueType? {
    switch self {
    case .record(let record): record[name]?.type
    case .map(let element): element
    default: nil
    }
  }

  /// The paths of a record's fields, those of nested records by their own.
  fileprivate var paths: [String] {
    switch self {
    case .optional(let wrapped): wrapped.paths
    case .record(let record):
      record.fields.flatMap { field in
        let inner = field.type.paths
        return inner.isEmpty ? [field.name] : inner.map { "\(field.name).\($0)" }
      }
    default: []
    }
  }
}
