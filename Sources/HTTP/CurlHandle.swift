import CCurl

/// Owns one `CURL *` and the lists that it was given.
final class CurlHandle {
  let raw: UnsafeMutableRawPointer
  /// True once libcurl has not taken an option.
  private(set) var isRefused = false
  private var lists: [UnsafeMutablePointer<curl_slist>] = []
  private let errorText = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

  /// Nil without memory.
  init?() {
    guard let raw = runbook_curl_new() else {
      errorText.deallocate()
      return nil
    }
    self.raw = raw
    errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
    note(runbook_curl_set_text(raw, CURLOPT_ERRORBUFFER, errorText))
  }

  deinit {
    runbook_curl_free(raw)
    for list in lists { runbook_curl_free_list(list) }
    errorText.deallocate()
  }

  /// libcurl's words on what failed; empty if it has none.
  var detail: String { String(cString: errorText) }

  /// errno(3) of the last connection that failed; 0 without one.
  var systemError: Int32 { Int32(truncatingIfNeeded: runbook_curl_number(raw, CURLINFO_OS_ERRNO)) }

  var hasNotConnected: Bool { runbook_curl_time(raw, CURLINFO_CONNECT_TIME_T) == 0 }

  func set(_ option: CURLoption, _ value: Int) { note(runbook_curl_set_number(raw, option, value)) }
  func set(_ option: CURLoption, _ value: Bool) { set(option, value ? 1 : 0) }
  func set(_ option: CURLoption, _ value: String?) { note(runbook_curl_set_text(raw, option, value)) }
  func setIfKnown(_ option: CURLoption, _ value: Bool) { _ = runbook_curl_set_number(raw, option, value ? 1 : 0) }

  func setConnectTo(_ text: String) { setList(CURLOPT_CONNECT_TO, [text]) }

  /// Sets whom a mail is for.
  func setRecipients(_ addresses: [String]) { setList(CURLOPT_MAIL_RCPT, addresses.map { "<\($0)>" }) }

  /// Sets the header fields. Those of libcurl's own that a body would bring are left out unless they are among these.
  func setHeaders(_ headers: [HTTPHeader]) {
    // libcurl leaves a field without a value out, unless it ends in a semicolon.
    var lines = headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
    for name in ["Content-Type", "Expect"] where HTTPHeader.values(of: name, in: headers).isEmpty {
      lines.append("\(name):")
    }
    setList(CURLOPT_HTTPHEADER, lines)
  }

  /// Lets what is received come to a ``TransferSink``, which must outlive the transfer.
  func receive(into sink: UnsafeMutableRawPointer) {
    runbook_curl_set_receivers(
      raw, sink,
      { bytes, one, count, context in
        CurlHandle.pass(bytes, one * count, context) { sink, bytes in sink.takeHead(bytes) }
      },
      { bytes, one, count, context in
        CurlHandle.pass(bytes, one * count, context) { sink, bytes in sink.takeBody(bytes) }
      })
  }

  /// Lets each line of a server's replies come to a ``MailReplies``, which must outlive the transfer.
  func receiveReplies(into replies: UnsafeMutableRawPointer) {
    runbook_curl_set_receivers(
      raw, replies,
      { bytes, one, count, context in
        if let context, let bytes {
          Unmanaged<MailReplies>.fromOpaque(context).takeUnretainedValue().take(
            UnsafeRawBufferPointer(start: bytes, count: one * count))
        }
        return one * count
      },
      { _, one, count, _ in one * count })
  }

  private static func pass(
    _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
    _ take: (TransferSink, UnsafeRawBufferPointer) -> Bool
  ) -> Int {
    guard let context else { return 0 }
    let sink = Unmanaged<TransferSink>.fromOpaque(context).takeUnretainedValue()
    // Any other number than all of them ends the transfer; of nothing there is none.
    return take(sink, UnsafeRawBufferPointer(start: bytes, count: count)) ? count : count + 1
  }

  private func setList(_ option: CURLoption, _ texts: [String]) {
    var list: UnsafeMutablePointer<curl_slist>?
    for text in texts {
      guard let longer = runbook_curl_append(list, text) else {
        isRefused = true
        break
      }
      list = longer
    }
    guard let list else { return }
    lists.append(list)
    note(runbook_curl_set_list(raw, option, list))
  }

  private func note(_ code: CURLcode) { if code != CURLE_OK { isRefused = true } }
}
