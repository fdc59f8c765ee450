import Files
import Glibc
import Journal
import Schema
import Synchronization

/// The folder of a run in which answers of people arrive, each a file that is renamed in; see ``AnswerFile``.
///
/// It is looked at as long as somebody waits for an answer. What is taken out is removed.
final class Inbox: Sendable {
  /// What somebody put in.
  struct Delivery: Sendable {
    /// Who owns the file.
    let uid: Int
    /// Nil if it is none that is read.
    let answer: AnswerFile?
    /// Why it is none.
    let problem: String
  }

  private struct State {
    var readers: [String: AsyncStream<Delivery>.Continuation] = [:]
    var look: Task<Void, Never>?
    /// What could not be removed, and is not read again.
    var stuck: Set<String> = []
  }

  private let path: String
  private let state = Mutex(State())
  /// Between two looks.
  private static let pause = Duration.milliseconds(200)

  init(of run: RunFolder) { path = run.inbox }

  /// What is put in for the question of this digest, until the stream is let go of.
  func deliveries(for digest: String) -> AsyncStream<Delivery> {
    let (stream, feed) = AsyncStream.makeStream(of: Delivery.self)
    feed.onTermination = { [weak self] _ in self?.forget(digest) }
    state.withLock { state in
      state.readers[digest] = feed
      guard state.look == nil else { return }
      state.look = Task { [weak self] in
        while !Task.isCancelled {
          self?.takeAll()
          do { try await Task.sleep(for: Self.pause) } catch { return }
        }
      }
    }
    return stream
  }

  private func forget(_ digest: String) {
    state.withLock { state in
      state.readers[digest] = nil
      guard state.readers.isEmpty else { return }
      state.look?.cancel()
      state.look = nil
    }
  }

  /// Takes out what is there for somebody who waits. The rest is left: it may be for a question that is about to wait.
  private func takeAll() {
    // A folder that cannot be read now is looked at again; nobody can have answered through it.
    guard let folder = try? Folder(path), let names = try? folder.names() else { return }
    for name in names.sorted() {
      guard let digest = AnswerFile.digest(inName: name) else { continue }
      let reader = state.withLock { $0.stuck.contains(name) ? nil : $0.readers[digest] }
      guard let reader, let delivery = read(name, of: digest, in: folder) else { continue }
      do throws(FileError) { try folder.remove(name) } catch {
        state.withLock { _ = $0.stuck.insert(name) }
      }
      reader.yield(delivery)
    }
  }

  /// Nil for one that is gone again.
  private func read(_ name: String, of digest: String, in folder: borrowing Folder) -> Delivery? {
    guard let found = try? folder.metadata(of: name) else { return nil }
    func refused(_ problem: String, by uid: UInt32? = nil) -> Delivery {
      Delivery(uid: Int(uid ?? found.owner), answer: nil, problem: problem)
    }
    do {
      let file = try folder.openToRead(name)
      var status = stat()
      guard fstat(file.descriptor, &status) == 0 else { return refused("its answer cannot be looked at") }
      // Another name of somebody else's file would have somebody else's owner.
      guard status.st_nlink == 1 else { return refused("its answer is a file with several names", by: status.st_uid) }
      // What somebody else may write to can say what its owner never said.
      guard status.st_mode & 0o022 == 0 else {
        return refused("its answer is a file that others may write to", by: status.st_uid)
      }
      let bytes = try file.content(limit: AnswerFile.limit).bytes
      let answer = try AnswerFile(parsing: bytes)
      guard answer.digest == digest else { return refused("its answer is to another question", by: status.st_uid) }
      return Delivery(uid: Int(status.st_uid), answer: answer, problem: "")
    } catch let error as FileError {
      return refused(found.kind == .link ? "its answer is a symbolic link" : "its answer is not read: \(error.reason)")
    } catch let error as Mismatch {
      return refused("its answer \(error.message)")
    } catch {
      return refused("its answer is not read: \(error)")
    }
  }
}
