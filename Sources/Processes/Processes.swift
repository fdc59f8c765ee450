// The Processes target.
