/** The look of the page. Colours are properties, so that light and dark differ in one place. */
export const style = `
:root {
  color-scheme: light dark;
  --ground: #f6f3ec; --card: #fffdf8; --ink: #211e1a; --soft: #6a645a; --line: #e4ddd0; --faint: #b9b1a2;
  --mlp: #b5501a; --cnn: #17708f; --hot: #c8401f; --right: #ece6da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #131519; --card: #1b1e24; --ink: #ebe6dd; --soft: #a29b8f; --line: #30343c; --faint: #5d5f66;
    --mlp: #f2975e; --cnn: #62bddb; --hot: #ff7a52; --right: #272b33;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums;
}
main { max-width: 67rem; margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem) 4rem; }
h1, h2, h3 { line-height: 1.15; margin: 0; text-wrap: balance; }
h1 { font: 600 clamp(1.9rem, 5.2vw, 3.3rem)/1.1 ui-serif, "Iowan Old Style", Georgia, serif; letter-spacing: -.015em; }
h2 { font-size: 1.35rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin-top: 1.5rem; }
h3, th { color: var(--tone, inherit); }
p { margin: 0; }
figure { margin: 0; }
.mlp { --tone: var(--mlp); } .cnn { --tone: var(--cnn); }
h1 span { color: var(--tone); }
.eyebrow { color: var(--soft); font-size: .85rem; letter-spacing: .04em; margin-bottom: .8rem; }
.eyebrow span { color: var(--mlp); margin: 0 .35em; }
.part { margin-top: clamp(2.75rem, 6vw, 4.25rem); }
.lede { color: var(--soft); margin: .3rem 0 1.1rem; max-width: 44rem; }
.caption, figcaption { color: var(--soft); font-size: .875rem; margin-top: .6rem; }
.none { color: var(--soft); padding: 1rem 0; }
.notice { margin-top: 1.1rem; padding: .7rem 1rem; border-left: .25rem solid var(--hot); background: var(--card); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
code, pre { font: .875em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: clamp(.8rem, 2.2vw, 1.5rem); }
.cards { display: grid; gap: 1rem; margin-top: 1.8rem; }
.result { display: grid; grid-template-columns: 1fr auto; gap: 1rem 1.25rem; border-top: .25rem solid var(--tone); }
.result h2 { color: var(--tone); }
.result h2 small { display: block; color: var(--soft); font-size: .8rem; font-weight: 400; letter-spacing: 0; margin-top: .3rem; }
.big { display: flex; align-items: center; gap: .75rem; margin: .9rem 0 .7rem; color: var(--soft); font-size: .9rem; line-height: 1.35; }
.big strong { color: var(--ink); font: 600 3.6rem/1 ui-serif, "Iowan Old Style", Georgia, serif; letter-spacing: -.02em; }
.verdict { font-size: .95rem; }
.mosaic { width: clamp(100px, 17vw, 200px); height: auto; align-self: start; image-rendering: pixelated; border-radius: .2rem; }
.result dl { grid-column: 1 / -1; display: grid; grid-template-columns: repeat(3, 1fr); gap: .6rem 1rem; margin: 0; padding-top: .9rem; border-top: 1px solid var(--line); }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
.chart { display: block; width: 100%; height: auto; overflow: visible; }
.chart.narrow { display: none; } .chart.narrow .raw { stroke-width: .6; }
.chart text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--soft); font-variant-numeric: tabular-nums; }
.chart .name { font-size: 12px; }
.axis line { stroke: var(--faint); } .axis .grid { stroke: var(--line); }
.series path, .raw { fill: none; stroke: var(--tone); stroke-linejoin: round; }
.series path { stroke-width: 2.25; } .raw { stroke-width: 1; opacity: .28; }
.series circle { fill: var(--card); stroke: var(--tone); stroke-width: 2; }
.series circle:hover { fill: var(--tone); }
.reference { stroke: var(--tone); stroke-dasharray: 5 5; opacity: .8; }
.chart .end { fill: var(--tone); paint-order: stroke; stroke: var(--card); stroke-width: 4px; stroke-linejoin: round; }
.chart .end { font-weight: 600; font-size: 13px; }
.chart .quiet { font-weight: 400; font-size: 12px; }
.bars rect { fill: var(--tone); opacity: .8; } .bars rect:hover { opacity: 1; }
.pair { display: grid; gap: 1rem; }
table { border-collapse: collapse; }
.heat { width: 100%; table-layout: fixed; font-size: .8rem; border-collapse: separate; border-spacing: 2px; }
.heat caption { text-align: left; font-weight: 600; color: var(--tone); padding-bottom: .6rem; font-size: .95rem; }
.heat th { font-weight: 600; color: var(--soft); }
.heat th, .heat td { padding: 0; text-align: center; height: 2.1rem; border-radius: .2rem; }
.heat .right { background: var(--right); color: var(--soft); }
.heat .zero { color: var(--faint); }
.heat .weak, .heat .strong { background: color-mix(in srgb, var(--hot) var(--share), var(--card)); }
.heat .strong { color: var(--card); font-weight: 600; }
.heat .sum { color: var(--soft); font-weight: 400; font-size: .75rem; }
.digits { list-style: none; margin: .8rem 0 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(4.25rem, 1fr)); gap: .4rem; }
.digits li { background: var(--card); border: 1px solid var(--line); border-radius: .35rem; padding: .25rem .25rem .3rem; text-align: center; line-height: 1.25; }
.digits img { display: block; margin: 0 auto; width: 56px; height: 56px; image-rendering: pixelated; }
.said { display: flex; justify-content: center; gap: .3rem; font-size: .95rem; }
.said span { color: var(--faint); } .said em { font-style: normal; font-weight: 700; color: var(--tone); }
.digits small { color: var(--soft); font-size: .72rem; }
.filters { display: grid; grid-template-columns: repeat(auto-fill, minmax(62px, 1fr)); gap: .4rem; margin-top: .8rem; }
.filters.large { grid-template-columns: repeat(auto-fill, minmax(96px, 9rem)); gap: .75rem; }
.filters img { width: 100%; height: auto; display: block; image-rendering: pixelated; background: var(--card); border: 1px solid var(--line); border-radius: .25rem; }
.scale { display: inline-flex; align-items: center; gap: .4rem; white-space: nowrap; }
.scale i { width: 5.5rem; height: .6rem; border-radius: .3rem; background: linear-gradient(90deg, rgb(35 120 190), transparent, rgb(214 84 38)); }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
.plain { width: 100%; font-size: .875rem; }
.plain th, .plain td { padding: .35rem .7rem; text-align: right; white-space: nowrap; border-top: 1px solid var(--line); }
.plain thead th { border-top: 0; color: var(--tone, var(--soft)); font-weight: 600; }
.plain .first { border-left: 1px solid var(--line); } .plain th[colspan] { text-align: center; border-left: 1px solid var(--line); }
.facts { margin: 0; display: grid; gap: .45rem; }
.facts div { display: grid; grid-template-columns: 7rem 1fr; gap: .75rem; align-items: baseline; }
details { margin-top: .8rem; } summary { cursor: pointer; }
pre { overflow-x: auto; margin: .6rem 0 0; padding: .9rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
@media (min-width: 52rem) { .cards, .pair { grid-template-columns: repeat(auto-fit, minmax(24rem, 1fr)); } }
@media (max-width: 40rem) {
  .chart.wide { display: none; } .chart.narrow { display: block; }
  .heat { font-size: .72rem; border-spacing: 1px; } .heat .sum, .heat .right { font-size: .62rem; } .heat th, .heat td { height: 1.8rem; }
  .digits { grid-template-columns: repeat(auto-fill, minmax(3.75rem, 1fr)); }
  .filters { grid-template-columns: repeat(auto-fill, minmax(42px, 1fr)); gap: .25rem; }
  .facts div { grid-template-columns: 1fr; gap: 0; }
}
@media (prefers-color-scheme: dark) { .digits img { filter: invert(1); } }
@media print { .part, .card { break-inside: avoid; } }
`
