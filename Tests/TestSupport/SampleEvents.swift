package import Journal
package import Schema

/// A value of every field of a kind of event, as a journal's line holds it; different seeds give different values.
package func sampleFields(of kind: EventKind, seed: Int) -> [JSON.Member] {
  guard case .object(let fields) = withTypes(kind.fields.sample(seed: seed).json, inside: kind.type, seed: seed) else {
    return []
  }
  return fields
}

/// The names of a kind's own fields that hold types, which are declared as any value.
package func typeFields(of kind: EventKind) -> Set<String> {
  switch kind.type {
  case "types.declared": ["input", "output"]
  case "elements.listed": ["itemType"]
  case "person.asked": ["form"]
  default: []
  }
}

/// Types in their JSON form, where any value would do for the declaration.
private func withTypes(_ json: JSON, inside kind: String, seed: Int) -> JSON {
  let types: [JSON] = ["duration", ["list": ["optional": "percent"]], ["record": [["a", ["enum": ["x", "y"]]]]]]
  let type = types[seed / 1000 % types.count]
  switch json {
  case .array(let elements): return .array(elements.map { withTypes($0, inside: kind, seed: seed) })
  case .object(let members):
    return .object(
      members.map { member in
        switch (kind, member.name) {
        case ("types.declared", "input"), ("types.declared", "output"), (_, "itemType"), (_, "form"),
          ("actual", "type"):
          JSON.Member(member.name, type)
        case ("run.started", "paramTypes"): JSON.Member(member.name, ["a": type])
        default:
          JSON.Member(
            member.name, withTypes(member.value, inside: member.name == "actual" ? "actual" : kind, seed: seed))
        }
      })
  default: return json
  }
}

/// An event as it reads back from a journal: every value as its text says.
package func throughJSON(_ event: Event) throws -> Event {
  guard case .object(let fields) = try JSON(parsing: JSON.object(event.fields).utf8()) else { return event }
  return try Event(type: event.type, fields: fields)
}
