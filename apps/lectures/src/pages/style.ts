import { style } from '../report/style.ts'

/** The report's look with what topics need more: eight tones, formulas, code, grids of numbers. */
export const topicStyle = `${style}
:root {
  --t0: #b5501a; --t1: #17708f; --t2: #4f7a2a; --t3: #8a4b9c; --t4: #b98a00; --t5: #c03a5b; --t6: #3d5fb5; --t7: #746a5c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --t0: #f2975e; --t1: #62bddb; --t2: #9ac46c; --t3: #cf98df; --t4: #e3bd4d; --t5: #f58aa3; --t6: #94adf2; --t7: #b3a999;
  }
}
${[0, 1, 2, 3, 4, 5, 6, 7].map((n) => `.t${n} { --tone: var(--t${n}); }`).join(' ')}
h1 { max-width: 20em; }
a { color: var(--t1); text-underline-offset: .2em; }
.eyebrow a { color: inherit; }
.found { font-size: 1.15rem; margin: 1rem 0 0; max-width: 46rem; text-wrap: pretty; }
.hero { margin-top: 1.8rem; }
.formulas { display: grid; gap: .4rem 2rem; overflow-x: auto; }
.formulas { grid-template-columns: minmax(0, 1fr); }
.formulas div { display: grid; grid-template-columns: minmax(0, 1fr); gap: .25rem 1.5rem; align-items: center; padding: .35rem 0; }
.tex { display: block; overflow-x: auto; overflow-y: hidden; }
.formulas div + div { border-top: 1px solid var(--line); }
.formulas p { color: var(--soft); font-size: .875rem; }
math { font-family: "Cambria Math", "STIX Two Math", "Latin Modern Math", "DejaVu Math TeX Gyre", math, serif; font-size: 1.12em; }
math.tml-display { text-align: left; }
.tml-left { text-align: left; }
pre.code:first-child { margin-top: 0; }
.body > * + * { margin-top: 1rem; }
.body > h3 { margin-top: 1.6rem; }
.said { font-size: inherit; display: block; }
.claims { display: grid; gap: 0; padding: 0; overflow: hidden; }
.claims div { display: grid; gap: .15rem 1.25rem; padding: .75rem clamp(.8rem, 2.2vw, 1.5rem); }
.claims div + div { border-top: 1px solid var(--line); }
.claims b { font-weight: 600; }
.claims .verdict { font-size: .85rem; font-weight: 600; color: var(--t2); }
.claims .differs .verdict { color: var(--hot); }
.claims small { color: var(--soft); font-size: .85rem; }
.thin path { stroke-width: 1; opacity: .4; }
.dashed path { stroke-dasharray: 6 5; }
.reference.quiet { --tone: var(--faint); }
.chart .mark { font-size: 12px; }
.panels, .planes { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); }
.planes { grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); }
.planes > * { max-width: 28rem; }
.planes.one > * { margin: 0 auto; width: 100%; }
.panel figcaption, .plane figcaption { margin: 0 0 .1rem; color: var(--ink); font-weight: 600; font-size: .9rem; }
.point { fill: var(--tone); stroke: var(--card); stroke-width: 1.5; }
.series .step { fill: var(--tone); stroke: none; }
.series .runner { fill: var(--tone); stroke: var(--card); stroke-width: 2; }
@media (prefers-reduced-motion: reduce) { .runner { display: none; } }
.cross { stroke: var(--ink); stroke-width: 2; fill: none; }
.sharp { image-rendering: pixelated; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: .9rem 0 0; padding: 0; font-size: .875rem; color: var(--soft); }
.legend i { display: inline-block; width: .8rem; height: .8rem; border-radius: 50%; background: var(--tone); margin-right: .4rem; vertical-align: -.08em; }
.equation { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem .9rem; overflow-x: auto; }
.sign { color: var(--soft); font-size: 1.3rem; }
.cells { border-collapse: separate; border-spacing: 2px; }
.cells caption { color: var(--soft); font-size: .8rem; padding-bottom: .3rem; caption-side: top; white-space: nowrap; }
.cells td { min-width: 2.15rem; height: 2.15rem; padding: 0 .3rem; text-align: center; background: var(--right); border-radius: .25rem; }
.cells .outside { background: none; color: var(--faint); outline: 1px dashed var(--line); outline-offset: -2px; }
.cells .lit { background: color-mix(in srgb, var(--tone) 28%, var(--card)); font-weight: 600; color: var(--ink); }
.graph { overflow-x: auto; } .graph svg { display: block; margin: 0 auto; max-width: none; }
.graph path { fill: none; stroke: var(--faint); stroke-width: 1.5; }
.graph rect { fill: color-mix(in srgb, var(--tone) 12%, var(--card)); stroke: var(--tone); }
.graph text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--ink); }
.graph .shape { fill: var(--soft); font-size: 11px; }
.thumb .graph svg { width: 100%; height: 10.5rem; }
.named { color: var(--tone); }
.tiles { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); }
.tiles.small { gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(4.6rem, 1fr)); }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .35rem; padding: .4rem; }
.tile img { display: block; width: 100%; height: auto; }
.tile figcaption { margin-top: .25rem; font-size: .8rem; line-height: 1.25; text-align: center; }
.heat.grid { max-width: 34rem; } .heat .least { outline: 2px solid var(--hot); outline-offset: -2px; font-weight: 700; }
.draws .tiles { grid-template-columns: repeat(7, minmax(0, 1fr)); max-width: 46rem; } .draws .tile { padding: .15rem; }
.draws .tile figcaption { text-align: left; white-space: nowrap; min-height: 1.25em; }
.eights .tiles { grid-template-columns: repeat(4, minmax(0, 1fr)); }
.tens .tiles { grid-template-columns: repeat(5, minmax(0, 1fr)); } .tens .tile { padding: .25rem 0; } .tens figcaption { font-size: .7rem; }
.thumb .tiles { grid-template-columns: repeat(6, 1fr); gap: .25rem; } .thumb .tile { padding: .1rem; }
@media (prefers-color-scheme: dark) { .tile .ink { filter: invert(1); } }
.images { display: grid; gap: .8rem; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); }
.images > * { max-width: 10rem; }
.topics { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); margin-top: 1.8rem; }
.topics a { color: inherit; text-decoration: none; display: block; }
.topics a:hover h2 { text-decoration: underline; }
.topics h2 { font-size: 1.1rem; }
.topics p { color: var(--soft); font-size: .9rem; margin-top: .35rem; }
.thumb { height: 10.5rem; overflow: hidden; display: grid; align-content: center; margin-bottom: .9rem; pointer-events: none; }
.thumb .chart text, .thumb figcaption, .thumb caption, .thumb .legend { display: none; }
.thumb .card { border: 0; padding: 0; } .thumb .chart { max-height: 10.5rem; }
.thumb .panels, .thumb .planes { grid-template-columns: repeat(3, 1fr); gap: .3rem; }
.thumb .planes:not(:has(> :nth-child(3))) { grid-template-columns: repeat(2, 1fr); }
.thumb .panels > :nth-child(n + 7) { display: none; }
.thumb .cells td { min-width: 1.2rem; height: 1.2rem; font-size: .65rem; padding: 0; }
.thumb .planes.one { grid-template-columns: 1fr; }
.thumb .images { grid-template-columns: repeat(4, 1fr); gap: .3rem; }
.thumb .chart.wide { display: block; } .thumb .chart.narrow { display: none; }
.thumb .series path { vector-effect: non-scaling-stroke; stroke-width: 1.75; }
.thumb .series circle { fill: var(--tone); } .thumb .chart.wide .series circle { r: 9px; }
.thumb .equation { flex-wrap: nowrap; gap: .4rem; justify-content: center; }
.tag { display: inline-block; color: var(--soft); font-size: .75rem; border: 1px solid var(--line); border-radius: 1rem; padding: .05rem .55rem; margin: .6rem .25rem 0 0; }
@media (min-width: 52rem) {
  .eights .tiles { grid-template-columns: repeat(8, minmax(0, 1fr)); }
  .tens .tiles { grid-template-columns: repeat(10, minmax(0, 1fr)); }
  .formulas div { grid-template-columns: minmax(0, 1.3fr) minmax(0, 1fr); }
  .claims div { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr) 6rem; align-items: baseline; }
}
`
