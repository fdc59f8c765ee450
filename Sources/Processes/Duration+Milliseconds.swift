extension Duration {
  /// Rounded up, so that whoever waits as long does not wake early; at most a day. For poll(2).
  var wholeMilliseconds: Int32 {
    let (seconds, attoseconds) = min(self, .seconds(86_400)).components
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
