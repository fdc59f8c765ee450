/// Placeholder for the URI grammar.
func isTURNURI(_ text: String) -> Bool { text.hasPrefix("turn") || text.hasPrefix("stun") }
