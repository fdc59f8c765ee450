import Processes
import TestSupport
import Testing

@testable import Lab

/// Starts the folder's `turnserver`, which may be anything, as if it were coturn.
private func startProgram(in folder: TemporaryFolder, patience: Duration = .seconds(15)) async throws(LabError) {
  _ = try await onBlockingThread { () throws(LabError) in
    try LabServer.start(folder.path + "/turnserver", in: folder.path, patience: patience) { port, _ in
      LabServerSettings(realm: "r.example", authentication: .sharedSecret("s"), port: port)
    }
  }
}

@Suite("A server")
struct LabServerTests {
  @Test("that ends as it starts is reported with the end of its log")
  func endsAtStart() async throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho first; echo last; exit 1\n", to: "turnserver", mode: 0o755)
    await #expect {
      try await startProgram(in: folder)
    } throws: { error in
      guard let error = error as? LabError else { return false }
      return error.code == .serverEnded && error.message.hasSuffix("first\nlast")
    }
  }

  @Test("that does not answer in time is reported and ended")
  func silent() async throws {
    let folder = try TemporaryFolder()
    try folder.write("#!/bin/sh\necho $$; exec sleep 1000\n", to: "turnserver", mode: 0o755)
    await #expect {
      try await startProgram(in: folder, patience: .milliseconds(300))
    } throws: {
      ($0 as? LabError)?.code == .serverSilent
    }
    #expect(ProcessIdentity.running("sleep", in: folder.path).isEmpty)
  }

  @Test("gives short-lived nonces and keeps to a quota where it is told to")
  func settings() async throws {
    let server = try await Coturn.start { settings in
      settings.nonceSeconds = 1
      settings.userQuota = 2
    }
    #expect(stunBinding(port: server.port))
    #expect(server.log.contains("Coturn-"))
  }
}

@Suite("A reserved port")
struct PortReservationTests {
  @Test("belongs to nobody else until it is let go")
  func exclusive() throws {
    let port: UInt16
    do {
      let first = try PortReservation.make()
      let second = try PortReservation.make()
      #expect(first.port != second.port)
      #expect(!isFree(first.port))
      port = first.port
    }
    #expect(isFree(port))
  }
}
