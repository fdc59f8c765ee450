/// `part` of `whole` as a percentage with two decimals; 0 of nothing is 0.
func percentage(_ part: Int, of whole: Int) -> Double {
  whole == 0 ? 0 : (Double(part) / Double(whole) * 10_000).rounded() / 100
}
