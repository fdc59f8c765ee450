import FoundationEssentials
import Journal
import TerminalText

/// The policy of a page: nothing is loaded, nothing runs, and no style but this sheet applies.
func contentSecurityPolicy(for sheet: String) -> String {
  let digest = Array(sha256Hex(sheet.utf8).utf8)
  let bytes = stride(from: 0, to: digest.count, by: 2).compactMap { index in
    UInt8(String(decoding: digest[index...(index + 1)], as: UTF8.self), radix: 16)
  }
  return
    "default-src 'none'; style-src 'sha256-\(Data(bytes).base64EncodedString())'; base-uri 'none'; form-action 'none'"
}

/// One sheet for windows wide and narrow, light and dark, and for paper. Words of any length break: nothing is wider than the
/// window.
let htmlStyleSheet = """
  :root{color-scheme:light dark;--ink:#1b2026;--soft:#57606a;--paper:#ffffff;--panel:#f4f6f8;--line:#d5dbe1;
  --pass:#1a7f37;--warn:#8a5a00;--fail:#c4202b;--error:#a81f6d;--indeterminate:#6f42c1;--skipped:#6b7580;--blue:#0b62c4}
  @media (prefers-color-scheme:dark){:root{--ink:#e3e7eb;--soft:#9aa5b1;--paper:#14181d;--panel:#1c2229;--line:#333c46;
  --pass:#4cc265;--warn:#e0a82e;--fail:#ff7b72;--error:#ff86c8;--indeterminate:#b794f6;--skipped:#929ca7;--blue:#6cb2ff}}
  *{box-sizing:border-box;min-width:0;max-width:100%}
  html{-webkit-text-size-adjust:100%}
  body{margin:0;padding:0 1rem;color:var(--ink);background:var(--paper);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
  header,main{max-width:64rem;margin:1rem auto}
  header{border-left:.5rem solid;padding:1rem 1.25rem;background:var(--panel)}
  header p,header h1{margin:.15rem 0;color:var(--ink)}
  header .word{color:inherit;font-weight:700;letter-spacing:.06em}
  h1{font-size:1.5rem;line-height:1.25}
  h2{font-size:1.15rem;margin:2rem 0 .75rem;padding-bottom:.25rem;border-bottom:1px solid var(--line)}
  h3,h4{font-size:1rem;margin:0;font-weight:600}
  h4{margin-top:.75rem}
  p{margin:.25rem 0}
  a{color:var(--blue)}
  code{font:.9em ui-monospace,"DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre-wrap}
  .soft,header .soft{color:var(--soft);font-size:.9rem}
  .pass{color:var(--pass);fill:var(--pass)}
  .warn{color:var(--warn);fill:var(--warn)}
  .fail{color:var(--fail);fill:var(--fail)}
  .error{color:var(--error);fill:var(--error)}
  .indeterminate{color:var(--indeterminate);fill:var(--indeterminate)}
  .skipped{color:var(--skipped);fill:var(--skipped)}
  .outcome{font-size:.85rem;font-weight:700}
  article{margin:.75rem 0;padding:.6rem .9rem;border-left:.25rem solid;background:var(--panel);break-inside:avoid}
  article>*,li>div,.chip,.targets>li{color:var(--ink)}
  article>.soft{color:var(--soft)}
  article.depth1{margin-left:1rem}
  article.depth2,article.depth3{margin-left:2rem}
  dl{display:grid;grid-template-columns:minmax(5rem,max-content) minmax(0,1fr);gap:.15rem .9rem;margin:.4rem 0}
  dt{color:var(--soft);grid-column:1;max-width:12rem}
  dd{margin:0;grid-column:2}
  ul,ol{list-style:none;margin:.4rem 0;padding:0}
  .expectations li{display:grid;grid-template-columns:4.75rem minmax(0,1fr);gap:0 .6rem;margin:.2rem 0}
  .mark{font-size:.85rem;font-weight:600}
  .actual{margin:0;color:var(--soft)}
  .timeline li{display:grid;grid-template-columns:minmax(0,14rem) minmax(0,1fr) 5.5rem;gap:.75rem;align-items:center}
  .timeline svg{display:block;width:100%;height:.6rem;background:var(--panel)}
  .timeline a{text-decoration:none}
  .time{text-align:right;font-size:.9rem;color:var(--soft);font-variant-numeric:tabular-nums}
  figure{margin:.6rem 0}
  figure>svg{display:block;width:20rem;height:auto}
  figcaption{font-size:.9rem;color:var(--soft)}
  .axis{stroke:var(--line)}
  .range{stroke:var(--soft);stroke-width:1.5}
  .median{stroke:var(--ink);stroke-width:2}
  .box{fill:var(--blue)}
  summary{cursor:pointer;font-size:.9rem;color:var(--soft)}
  summary b{color:var(--ink);font-weight:600}
  .targets>li{padding:.4rem 0;border-bottom:1px solid var(--line)}
  .chip{display:inline-block;padding:0 .45rem;font-size:.85rem;border:1px solid var(--line);border-radius:.3rem}
  .chip.warn,.chip.fail,.chip.error,.chip.indeterminate{border-color:currentColor}
  .chip.warn{color:var(--warn)}.chip.fail{color:var(--fail)}.chip.error{color:var(--error)}
  .chip.indeterminate{color:var(--indeterminate)}.chip.skipped{color:var(--skipped)}
  .notes li{margin:.3rem 0;padding-left:.75rem;border-left:.2rem solid var(--warn)}
  @media (max-width:40rem){body{padding:0 .6rem}header{padding:.75rem}
  dl{display:block}dd{margin:0 0 .35rem}dt{max-width:none;font-size:.85rem}
  .timeline li{grid-template-columns:minmax(0,1fr) 5.5rem;gap:0 .5rem;margin:.35rem 0}
  .timeline svg{grid-column:1/-1;grid-row:2}
  article.depth1,article.depth2,article.depth3{margin-left:.5rem}
  .expectations li{display:block}}
  @media print{:root{color-scheme:light;--ink:#000;--soft:#444;--paper:#fff;--panel:#fff;--line:#bbb;--pass:#1a7f37;--warn:#8a5a00;
  --fail:#c4202b;--error:#a81f6d;--indeterminate:#6f42c1;--skipped:#6b7580;--blue:#0b62c4}
  body{font-size:10.5pt}a{color:inherit;text-decoration:none}h2,h3{break-after:avoid}.timeline li{break-inside:avoid}
  svg,header,article{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
  @page{margin:16mm}
  """

/// A text as character data or attribute value of XML 1.0 and HTML: on one line, with nothing in it that either forbids or
/// takes for markup. What cannot be shown stands as `\u{1B}`.
func markupSafe(_ text: String) -> String {
  var safe = ""
  for scalar in terminalSafe(text).unicodeScalars {
    switch scalar {
    case "&": safe += "&amp;"
    case "<": safe += "&lt;"
    case ">": safe += "&gt;"
    case "\"": safe += "&quot;"
    case "'": safe += "&#39;"
    default: safe.unicodeScalars.append(scalar)
    }
  }
  return safe
}

extension [LabelledText] {
  /// A line for each: `expected: output.loss <= 1.0`. What has no label goes on with the line before.
  var plainLines: [String] { map { $0.label.isEmpty ? "  \($0.text)" : "\($0.label): \($0.text)" } }
}
