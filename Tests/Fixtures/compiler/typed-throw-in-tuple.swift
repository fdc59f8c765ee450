// Prints 40 where the compiler is right. Swift 6.3.1 at -O (Linux, x86-64) prints 2: a call with typed throws that is awaited
// inside the tuple that a task group's child returns loses the tuple's other element.
struct Failure: Error {
  var code: Int
  var message: String
  var advice: String?
  var evidence: [String: String]
  var chain: [String]
}

enum Verdict: Sendable, Hashable {
  case accepted
  case refused(String)
  case untestable(String)
  case unanswered
}

struct Offer: Sendable {
  let version: String
  var cipher: String?
}

struct Trials: Sendable {
  let a: String

  func answer(to offer: Offer) async throws(Failure) -> Verdict? {
    try? await Task.sleep(for: .milliseconds(Int.random(in: 1...5)))
    if offer.cipher == "c3" { throw Failure(code: 1, message: "m", advice: nil, evidence: [:], chain: []) }
    return offer.cipher!.count % 2 == 0 ? .refused("no \(offer.cipher!)") : .accepted
  }
}

func results(_ trials: Trials) async -> [Int] {
  let names = (0..<40).map { "c\($0)" }
  let verdicts = await withTaskGroup(of: (Int, Result<Verdict?, Failure>).self) { group in
    var verdicts: [Int: Result<Verdict?, Failure>] = [:]
    for (index, cipher) in names.enumerated() {
      if index >= 8, let (done, verdict) = await group.next() { verdicts[done] = verdict }
      group.addTask {
        do throws(Failure) {
          return (index, .success(try await trials.answer(to: .init(version: "v", cipher: cipher))))
        } catch {
          return (index, .failure(error))
        }
      }
    }
    for await (done, verdict) in group { verdicts[done] = verdict }
    return verdicts
  }
  return verdicts.keys.sorted()
}

let kept = await results(Trials(a: "x"))
print(kept.count)
