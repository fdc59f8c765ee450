import Testing

/// Tests of live servers follow one another: they measure times, and share two processors with what they start.
@Suite("Live servers", .serialized) enum LiveServerTests {}
