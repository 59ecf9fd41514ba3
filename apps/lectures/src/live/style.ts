import { style } from '../report/style.ts'

/** The report's look with what a page that trains needs more: a form, progress, a place to draw. */
export const liveStyle = `${style}
header .lede { margin-top: .7rem; }
.controls { margin-top: 1.6rem; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
.choice { display: flex; flex-wrap: wrap; gap: .35rem 1.25rem; align-items: baseline; padding: .45rem 0; }
.choice .label { color: var(--soft); min-width: 6.5rem; } .choice * ~ .label { min-width: 0; }
.choice label small { color: var(--soft); }
.choice label:has(:disabled) { color: var(--soft); }
input { font: inherit; color: inherit; accent-color: var(--cnn); }
input[type=number] { width: 6.5rem; padding: .25rem .5rem; background: var(--ground); border: 1px solid var(--soft); border-radius: .35rem; }
.note { color: var(--soft); font-size: .9rem; max-width: 46rem; margin: .3rem 0; }
.buttons { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: .8rem; }
button, a.button {
  font: inherit; font-weight: 600; line-height: 1.2; color: var(--ink); background: var(--card); border: 1px solid var(--soft); border-radius: .45rem;
  padding: .55rem 1.1rem; cursor: pointer; text-decoration: none;
}
button:hover:not(:disabled), a.button:hover { border-color: var(--ink); }
button.main { background: var(--cnn); border-color: var(--cnn); color: var(--card); }
button:disabled { color: var(--soft); border-color: var(--line); background: none; cursor: default; }
:focus-visible { outline: 3px solid var(--mlp); outline-offset: 2px; }
.live { margin-top: 1.4rem; }
.live p { font-weight: 600; }
progress { width: 100%; height: .6rem; margin: .5rem 0 .2rem; accent-color: var(--cnn); }
.live dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: .6rem 1rem; margin: .5rem 0 0; }
.live dd { font-size: 1.35rem; font-weight: 600; }
.charts { display: grid; gap: 1.5rem 1rem; margin-top: 1.8rem; grid-template-columns: minmax(0, 1fr); }
.charts section { display: grid; grid-template-rows: auto 1fr; }
.charts figure { margin-top: .6rem; min-height: 15rem; }
.drawing { display: grid; gap: 1.25rem; grid-template-columns: minmax(0, 1fr); align-items: start; }
canvas { display: block; width: 100%; max-width: 22rem; aspect-ratio: 1; background: #fffdf8; border: 1px solid var(--soft); border-radius: .4rem; touch-action: none; cursor: crosshair; }
.reading { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .2rem 1.1rem; align-items: center; margin-bottom: 1.1rem; }
.reading h3 { margin: 0; grid-column: 1 / -1; }
.reading strong { font: 600 4.2rem/1 ui-serif, "Iowan Old Style", Georgia, serif; color: var(--tone); min-width: 3.2rem; text-align: center; }
.reading ol { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(10, minmax(0, 1fr)); gap: .2rem; align-items: end; height: 5.2rem; }
.reading li { display: grid; grid-template-rows: 1fr auto; height: 100%; text-align: center; font-size: .8rem; color: var(--soft); align-items: end; }
.reading i { display: block; background: var(--tone); border-radius: .15rem .15rem 0 0; height: var(--share); min-height: 1px; opacity: .85; }
.seen { display: flex; gap: .7rem; align-items: center; color: var(--soft); font-size: .875rem; }
.seen img { width: 56px; height: 56px; image-rendering: pixelated; background: var(--card); border: 1px solid var(--line); }
@media (min-width: 58rem) {
  .charts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .charts .chart.wide { display: none; } .charts .chart.narrow { display: block; }
}
@media (min-width: 40rem) { .drawing { grid-template-columns: 17.5rem minmax(0, 1fr); } }
@media (max-width: 40rem) { input[type=number] { width: 4.6rem; } .choice { column-gap: .9rem; } .live dl { grid-template-columns: repeat(2, 1fr); } .choice span.label { min-width: 100%; } .choice label.label { min-width: 0; } }
@media (prefers-color-scheme: dark) { canvas { background: #e4e1db; filter: invert(1); } .seen img { filter: invert(1); background: #e4e1db; border-color: #5d574c; } }
@media (forced-colors: active) { .reading i { background: Highlight; forced-color-adjust: none; } }
`
