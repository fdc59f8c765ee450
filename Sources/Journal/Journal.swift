// The Journal target.
