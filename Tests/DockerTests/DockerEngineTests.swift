import TestSupport
import Testing

/// What needs a real engine: one after the other, since they share one.
@Suite(.serialized) struct DockerEngineTests {
  static func lab() throws -> DockerLab { try DockerLab.engine() }
}
