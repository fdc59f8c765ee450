package import Journal
import Notices
import Schema

/// What became of a notice at one channel.
package struct NoticeDelivery: Hashable, Sendable {
  package var channel: String
  /// True if the channel took it, by its own word.
  package var isDelivered: Bool
  /// What the channel calls the notice, such as a mail's Message-ID; nil if it gives no name.
  package var receipt: String?
  /// What the channel answered, shortened and with secrets masked; nil if it gave no answer.
  package var answer: String?
  /// How often it was tried.
  package var tries: Int
  package var elapsed: Duration
  /// Why it was not taken; nil if it was.
  package var finding: Finding?
  /// Whether the channel was not asked, because it had as many notices as its limit allows.
  package var isSuppressed = false
}

/// What a channel said when it took a notice.
struct ChannelAcceptance: Sendable {
  var receipt: String?
  var answer: String?
}

/// Why a channel did not take a notice.
struct DeliveryError: Error, Sendable {
  var code: String
  var message: Sentence
  var advice: Sentence?
  /// What the channel answered.
  var answer: String?
  /// Whether another try may go better.
  var isTemporary: Bool
  /// How long the channel asks to be left alone.
  var retryAfter: Duration?

  init(
    _ code: String, _ message: Sentence, advice: Sentence? = nil, answer: String? = nil, isTemporary: Bool = false,
    retryAfter: Duration? = nil
  ) {
    self.code = code
    self.message = message
    self.advice = advice
    self.answer = answer
    self.isTemporary = isTemporary
    self.retryAfter = retryAfter
  }
}

extension String {
  /// What is kept of a channel's answer.
  var asAnswer: String { onOneLine.cut(to: 500) }
}
