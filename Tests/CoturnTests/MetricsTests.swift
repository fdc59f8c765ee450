import Coturn
import Testing

@Suite("A scrape of coturn's exporter")
struct MetricsTests {
  private func scrape(_ text: String) -> MetricsScrape {
    var reader = MetricsReader()
    reader.take(Array(text.utf8))
    return reader.end()
  }

  @Test("of 4.5.2 has traffic by realm and user, and no allocations")
  func oldest() {
    let scrape = scrape(
      """
      # HELP turn_traffic_rcvp Represents finished sessions received packets
      # TYPE turn_traffic_rcvp counter
      turn_traffic_rcvp{realm="r.example",user="alice"} 42
      turn_traffic_rcvp{realm="r.example",user="bob"} 8
      turn_traffic_rcvp{realm="s.example",user="bob"} 1
      # TYPE turn_total_traffic_rcvp counter
      turn_total_traffic_rcvp 51

      """)
    #expect(scrape.oldestVersion == .init(4, 5, 2))
    #expect(scrape.values["turn_traffic_rcvp"] == 51)
    #expect(scrape.realms == ["r.example": ["turn_traffic_rcvp": 50], "s.example": ["turn_traffic_rcvp": 1]])
    #expect(scrape.values["turn_total_allocations"] == nil && scrape.allocations.isEmpty)
    #expect(scrape.hasUserLabels && !scrape.isCutOff && scrape.series == 4)
  }

  @Test(
    "tells the oldest version that has what is there",
    arguments: [
      ("turn_total_allocations 3", "4.6.0"), ("turn_total_allocations{type=\"UDP\"} 3", "4.6.2"),
      ("stun_binding_request 3", "4.6.2"), ("turn_packet_dropped 0", "4.8.0"),
      ("turn_udp_recvmmsg_calls 3", "4.13.0"), ("turn_unauthenticated_401_requests 3", "4.14.0"),
      ("# TYPE turn_ratelimit_total_buckets gauge", "4.14.0"), ("go_goroutines 3", "none"),
    ])
  func versions(_ line: String, _ version: String) {
    #expect(scrape(line + "\n").oldestVersion?.description ?? "none" == version)
  }

  @Test("counts allocations by transport; one that is only announced is unknown, not 0")
  func absent() {
    let scrape = scrape(
      """
      # TYPE turn_total_allocations gauge
      turn_total_allocations{type="UDP"} 2
      turn_total_allocations{type="TLS/TCP"} 1
      # TYPE turn_total_traffic_rcvb counter
      # TYPE go_goroutines gauge
      go_goroutines 7

      """)
    #expect(scrape.allocations == ["UDP": 2, "TLS/TCP": 1])
    #expect(scrape.values["turn_total_allocations"] == 3)
    #expect(scrape.values["turn_total_traffic_rcvb"] == nil)
    #expect(scrape.announced == ["turn_total_allocations", "turn_total_traffic_rcvb"])
    #expect(scrape.foreignSeries == 1)
  }

  @Test("that another program wrote, or nobody, is not coturn's", arguments: ["", "ok", "<html>\n", "up 1\n"])
  func foreign(_ text: String) {
    #expect(!scrape(text).isOfCoturn)
  }

  @Test(
    "that contradicts itself says how",
    arguments: [
      ("turn_total_traffic_rcvb -1", "turn_total_traffic_rcvb is -1.0"),
      ("turn_total_traffic_rcvb NaN", "turn_total_traffic_rcvb is nan"),
      ("turn_total_traffic_rcvb +Inf", "turn_total_traffic_rcvb is inf"),
      ("turn_total_traffic_rcvb 1\nturn_total_traffic_rcvb 2", "turn_total_traffic_rcvb stands twice"),
      ("# TYPE turn_total_traffic_rcvb histogram", "turn_total_traffic_rcvb is a histogram"),
    ])
  func lies(_ text: String, _ contradiction: String) {
    #expect(scrape(text + "\n").contradictions == [contradiction])
  }

  @Test("without an end is cut off, wherever that is")
  func cutOff() {
    let text = "turn_total_traffic_rcvb 12\nturn_total_traffic_rcvp 34\n"
    for count in 1..<text.utf8.count {
      var reader = MetricsReader()
      reader.take(Array(text.utf8.prefix(count)))
      #expect(reader.end().isCutOff == (text.utf8.dropFirst(count - 1).first != UInt8(ascii: "\n")))
    }
  }

  @Test("of a hundred thousand series takes no more memory than one")
  func million() {
    var reader = MetricsReader()
    for number in 0..<100_000 {
      reader.take(Array("turn_traffic_rcvp{realm=\"r\(number)\",user=\"u\(number)\"} 1\n".utf8))
    }
    let scrape = reader.end()
    #expect(scrape.series == 100_000 && scrape.values["turn_traffic_rcvp"] == 100_000)
    #expect(scrape.realms.count == MetricsScrape.mostRealms && scrape.realmsLeftOut)
  }

  @Test("of hostile bytes is read or refused, and what is no sample is counted")
  func hostile() {
    for line in [
      "turn_traffic_rcvp{realm=\"r\\\"x\\\\\\n\"} 1", "turn_traffic_rcvp{realm=\"r", "turn_traffic_rcvp{realm=r} 1",
      "turn_traffic_rcvp{", "turn_traffic_rcvp", "turn_traffic_rcvp{} x", "{} 1", "\u{1B}[31m 1", "turn_x 1 2 3",
    ] {
      let scrape = scrape(line + "\n")
      #expect(scrape.malformed + scrape.series == 1, "\(line)")
    }
    var reader = MetricsReader()
    reader.take([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))
    reader.take([0xFF, 0x0A])
    #expect(reader.end().malformed == 1)
  }

  @Test("beside an earlier one gives rates; a counter that went back tells of a restart")
  func rates() {
    let first = scrape(
      "turn_total_traffic_rcvb 100\nstun_binding_request 50\nturn_total_allocations 5\nturn_packet_dropped 1\n")
    let second = scrape(
      "turn_total_traffic_rcvb 160\nstun_binding_request 20\nturn_total_allocations 2\nturn_packet_processed 9\n")
    let rates = MetricsRates(from: first, to: second, seconds: 10)
    #expect(rates.perSecond == ["turn_total_traffic_rcvb": 6, "stun_binding_request": 2])
    #expect(rates.reset == ["stun_binding_request"])
    #expect(rates.began == ["turn_packet_processed"] && rates.ended == ["turn_packet_dropped"])
    #expect(rates.restarted)
    #expect(!MetricsRates(from: first, to: first, seconds: 1).restarted)
  }
}
