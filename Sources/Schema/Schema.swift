// The Schema target.
