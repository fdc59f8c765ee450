package import Schema

/// Why an engine gave no answer, or not the one that was asked for.
package struct DockerError: Error, Sendable {
  /// The findings of modules are called `docker.` and one of these.
  package enum Code: String, Hashable, Sendable, CaseIterable {
    /// What names the engine cannot be read.
    case endpointInvalid
    /// Nothing listens where the engine should.
    case noEngine
    /// This user may not open the engine's socket.
    case noPermission
    /// It took the connection and did not answer in time.
    case engineSilent
    /// It cannot be reached over the network.
    case engineUnreachable
    /// No TLS came about, or one of the two certificates is not accepted.
    case engineUntrusted
    /// What answers is no Docker engine.
    case notAnEngine
    /// The connection ended before the answer did.
    case connectionLost
    /// No request can be sent from here.
    case unavailable
    /// ssh did not bring the connection about.
    case tunnelFailed
    /// The engine says no; ``status`` has the number.
    case refused
    case noContainer
    /// What is given stands for more than one container.
    case ambiguousContainer
    /// An id is cut too short.
    case idTooShort
    /// The container belongs to another Compose project, or to another service.
    case otherProject
    /// The log driver keeps no log that can be read.
    case logNotReadable
    /// What came as a log or as output is none, or not all of it.
    case logBroken
    /// The container has never logged anything.
    case logEmpty
    /// The engine's registry does not answer the question.
    case registryRefused
    /// The image came from no registry.
    case imageNotPulled
    /// The request was given up.
    case interrupted
  }

  package let code: Code
  /// Without a full stop.
  package let message: Sentence
  package let advice: Sentence
  /// The status of an answer that says no.
  package let status: Int?
  /// The engine's own words, of an answer that says no; empty for everything else.
  package let engineWords: String

  package init(_ code: Code, _ message: Sentence, advice: Sentence, status: Int? = nil, engineWords: String = "") {
    self.code = code
    self.message = message
    self.advice = advice
    self.status = status
    self.engineWords = engineWords
  }
}
