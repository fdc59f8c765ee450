// The Language target.
