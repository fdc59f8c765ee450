/// The parts of times and durations: `getFullYear`, `getHours` and others, in UTC or a time zone.
enum TimeFunctions {
  static let functions: [String: [Overload]] = [
    "getFullYear": timestamp("year") { civil, _ in civil.year },
    "getMonth": timestamp("month") { civil, _ in civil.month - 1 },
    "getDate": timestamp("day_of_month_1_based") { civil, _ in civil.day },
    "getDayOfMonth": timestamp("day_of_month") { civil, _ in civil.day - 1 },
    "getDayOfWeek": timestamp("day_of_week") { civil, _ in civil.dayOfWeek },
    "getDayOfYear": timestamp("day_of_year") { civil, _ in civil.dayOfYear },
    "getHours": timestamp("hours") { civil, _ in civil.hour } + [duration("hours") { $0 / 3_600_000_000_000 }],
    "getMinutes": timestamp("minutes") { civil, _ in civil.minute } + [duration("minutes") { $0 / 60_000_000_000 }],
    "getSeconds": timestamp("seconds") { civil, _ in civil.second } + [duration("seconds") { $0 / 1_000_000_000 }],
    "getMilliseconds": timestamp("milliseconds") { _, nanoseconds in Int(nanoseconds) / 1_000_000 }
      + [duration("milliseconds") { $0 / 1_000_000 % 1000 }],
  ]

  private static func timestamp(_ name: String, _ part: @escaping @Sendable (CivilTime, Int32) -> Int) -> [Overload] {
    [
      Overload(
        "timestamp_to_\(name)", [.timestamp], .int, isMember: true,
        implementation: .unary { (value) throws(EvaluationError) in
          guard case .timestamp(let time) = value else { throw EvaluationError.noOverload(name, [value]) }
          return .int(Int64(part(CivilTime(secondsSinceEpoch: time.seconds), time.nanoseconds)))
        }),
      Overload(
        "timestamp_to_\(name)_with_tz", [.timestamp, .string], .int, isMember: true,
        implementation: .binary { (value, zone) throws(EvaluationError) in
          guard case .timestamp(let time) = value, case .string(let zone) = zone else {
            throw EvaluationError.noOverload(name, [value, zone])
          }
          let offset = try TimeZoneDatabase.offset(of: zone, at: time.seconds)
          return .int(Int64(part(CivilTime(secondsSinceEpoch: time.seconds + Int64(offset)), time.nanoseconds)))
        },
        validation: { (arguments) throws(EvaluationError) in
          if case .string(let zone)?? = arguments.last { _ = try TimeZoneDatabase.offset(of: zone, at: 0) }
        }),
    ]
  }

  private static func duration(_ name: String, _ part: @escaping @Sendable (Int64) -> Int64) -> Overload {
    Overload(
      "duration_to_\(name)", [.duration], .int, isMember: true,
      implementation: .unary { (value) throws(EvaluationError) in
        guard case .duration(let span) = value else { throw EvaluationError.noOverload(name, [value]) }
        return .int(part(span.nanoseconds))
      })
  }
}
