enum StringExtension { static let functions: [String: [Overload]] = [:] }
enum FormatFunction { static let functions: [String: [Overload]] = [:] }
enum MathExtension { static let functions: [String: [Overload]] = [:] }
enum BitFunctions { static let functions: [String: [Overload]] = [:] }
enum EncodersExtension { static let functions: [String: [Overload]] = [:] }
enum AddressFunctions { static let functions: [String: [Overload]] = [:] }
enum AddressRangeFunctions { static let functions: [String: [Overload]] = [:] }
enum DecimalText { static func shortest(_ d: Double) -> String { "\(d)" } }
enum TimeZoneDatabase { static func offset(of zone: String, at seconds: Int64) throws(EvaluationError) -> Int { 0 } }
