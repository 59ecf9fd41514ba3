/** The look of the page; light and dark differ in the properties only. */
export const style = `
:root { color-scheme: light dark;
  --ground: #f6f3ec; --card: #fffdf8; --ink: #211e1a; --soft: #6a645a; --line: #e4ddd0; --track: #efe9dd;
  --own: #b5501a; --wide: #17708f; --gpu: #3d7a35; --peer: #a39b8c; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #131519; --card: #1b1e24; --ink: #ebe6dd; --soft: #a29b8f; --line: #30343c; --track: #262a31;
  --own: #f2975e; --wide: #62bddb; --gpu: #86c97c; --peer: #77756f; --bad: #ff8a7a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-variant-numeric: tabular-nums; }
main { max-width: 74rem; margin: 0 auto; padding: clamp(1.25rem, 4vw, 3.5rem) clamp(1rem, 4vw, 2.5rem) 4rem; }
h1 { font: 600 clamp(1.9rem, 4.5vw, 3rem)/1.1 ui-serif, "Iowan Old Style", Georgia, serif; letter-spacing: -.015em; margin: 0 0 .6rem; }
h2 { font-size: 1.35rem; line-height: 1.2; margin: 3rem 0 .25rem; }
h3 { font-size: .95rem; margin: 0; display: flex; justify-content: space-between; gap: 1rem; flex-wrap: wrap; overflow-wrap: anywhere; }
h3 small { color: var(--soft); font-weight: 400; }
p { margin: 0 0 .6rem; max-width: 46rem; } .soft { color: var(--soft); }
.notice { padding: .7rem 1rem; border-left: .25rem solid var(--bad); background: var(--card); }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .8rem 1.2rem; margin: 1.4rem 0; padding: 1.1rem 1.3rem; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; }
dt { color: var(--soft); font-size: .8rem; } dd { margin: 0; overflow-wrap: anywhere; }
.key { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; font-size: .85rem; color: var(--soft); padding: 0; margin: 0; list-style: none; }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: .15rem; margin-right: .4rem; vertical-align: -.06rem; background: var(--tone); }
.grid { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 31rem), 1fr)); margin-top: 1rem; align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.15rem; }
.own { --tone: var(--own); } .wide { --tone: var(--wide); } .gpu { --tone: var(--gpu); } .peer { --tone: var(--peer); }
svg { display: block; width: 100%; height: auto; margin-top: .5rem; }
svg text { font: 12.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); font-variant-numeric: tabular-nums; }
svg .quiet { fill: var(--soft); } svg .track { fill: var(--track); } svg .bar { fill: var(--tone); }
svg .range { stroke: var(--ink); stroke-width: 1.25; opacity: .55; } svg .limit { stroke: var(--soft); stroke-dasharray: 3 3; }
details { margin-top: .6rem; font-size: .82rem; color: var(--soft); } summary { cursor: pointer; } details ul { margin: .4rem 0 0; padding-left: 1.1rem; } details li { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; width: 100%; margin-top: 1rem; background: var(--card); }
th, td { padding: .35rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; } thead th { color: var(--soft); font-weight: 600; }
td.error { color: var(--bad); text-align: left; white-space: normal; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
`
