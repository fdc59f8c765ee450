import Addresses
import Journal
import Schema

extension Finding {
  /// The server does not confirm that what a step allocated is gone.
  static func allocationKept(by uri: ServerURI) -> Finding {
    Finding(
      "turn.allocationKept",
      "\(uri) did not confirm that what it allocated is gone: it lasts until its lifetime ends.",
      advice: "Until then it takes up a relay port and the user's quota. Look at the server's log of this second.")
  }
}
