// The Probe target.
