import { cases } from '../cases/table.ts'
import { lessIsBetter, type Report, type Row } from '../contract.ts'
import { barChart } from './chart.ts'
import { formatFigure, formatRatio, formatShare, ratio } from './format.ts'
import { escapeText } from './markup.ts'
import { style } from './style.ts'

const titles: readonly (readonly [string, string, string])[] = [
  ['matmul', 'Matrix products', 'Square ones, and the shapes that training small networks has.'],
  ['conv3x3', 'Convolution', '64 channels, 56x56, batch 32; counted as direct, so Winograd can exceed the ceiling.'],
  [
    'elementwise',
    'Element by element',
    'Sixteen million numbers; the traffic that cannot be avoided, so the ceiling is a copy.',
  ],
  ['softmax', 'Softmax', 'Rows of 1000 and of 10.'],
  ['layernorm', 'Layer normalisation', 'Rows of 1000, with scale and shift.'],
  ['train', 'Training', 'Whole steps: forward, loss, gradients, update. The loss is read after each one.'],
  ['startup', 'Start', 'From an open system in a fresh process to the first loss of LeNet, compilation included.'],
  ['overhead', 'Price of a call', 'A step that adds one to a number.'],
  ['memory', 'Memory', 'Growth of what the system says it holds over ten thousand steps.'],
  ['size', 'Size', 'Minified and gzipped; for peers the whole library.'],
]

function card(name: string, rows: readonly Row[], report: Report): string {
  const unit = rows[0]?.unit ?? 'ms'
  const kind = cases.find((c) => c.name === name)?.ceiling
  const ceilings = report.machine.ceilings
  const ceiling =
    kind === undefined || ceilings === undefined ? undefined : kind === 'fma' ? ceilings.fma : ceilings.copy
  const errors = rows.filter((r) => r.error !== undefined)
  const list = errors.map((r) => `<li>${escapeText(`${r.system}: ${r.error}`)}</li>`).join('')
  const without =
    errors.length === 0 ? '' : `<details><summary>${errors.length} without a figure</summary><ul>${list}</ul></details>`
  const direction = lessIsBetter(unit) ? `${unit}, less is better` : unit
  return `<article class="card"><h3>${escapeText(name)} <small>${escapeText(direction)}</small></h3>${barChart(rows, ceiling)}${without}</article>`
}

function section(prefix: string, title: string, text: string, report: Report): string {
  const rows = report.results.filter((r) => r.case.startsWith(`${prefix}/`))
  const names = [...new Set(rows.map((r) => r.case))]
  if (names.length === 0) return ''
  const cards = names.map((name) =>
    card(
      name,
      rows.filter((r) => r.case === name),
      report,
    ),
  )
  return `<section><h2>${title}</h2><p class="soft">${escapeText(text)}</p><div class="grid">${cards.join('')}</div></section>`
}

function tableRow(row: Row, report: Report): string {
  const head = `<td>${escapeText(row.case)}</td><td>${row.system}</td>`
  if (row.median === undefined)
    return `<tr>${head}<td class="error" colspan="7">${escapeText(row.error ?? '')}</td></tr>`
  const rows = report.results.filter((r) => r.case === row.case)
  const figure = (x: number | undefined): string => (x === undefined ? '' : formatFigure(x, row.unit))
  const cells = [
    row.unit,
    figure(row.median),
    figure(row.min),
    figure(row.max),
    row.threads,
    formatShare(row.share),
    formatRatio(ratio(row, rows)),
  ]
  return `<tr>${head}${cells.map((c) => `<td>${escapeText(String(c))}</td>`).join('')}</tr>`
}

function facts(report: Report): string {
  const { machine, versions } = report
  const { ceilings } = machine
  const isolated = machine.crossOriginIsolated ? ', cross-origin isolated' : ', not cross-origin isolated'
  const where =
    machine.where === 'browser' ? `${versions['browser'] ?? 'browser'}${isolated}` : `Node ${versions['node'] ?? ''}`
  const pairs: [string, string][] = [
    ['Processor', `${machine.processor}, ${machine.cores} cores`],
    ['Ran in', where],
    ['Measured', report.date.slice(0, 16).replace('T', ' ')],
  ]
  if (ceilings)
    pairs.push(
      [
        'Multiply-adds, 128-bit WebAssembly',
        `${formatFigure(ceilings.fma, 'GFLOP/s')} GFLOP/s a core, ${formatFigure(ceilings.fmaAll, 'GFLOP/s')} on all`,
      ],
      ['Copy', `${formatFigure(ceilings.copy, 'GB/s')} GB/s`],
    )
  const peers = Object.entries(versions).filter(([name]) => /tfjs-cpu|jax|ort|pytorch/.test(name))
  if (peers.length > 0) pairs.push(['Versions', peers.map(([name, version]) => `${name} ${version}`).join(', ') || '-'])
  return `<dl>${pairs.map(([a, b]) => `<div><dt>${escapeText(a)}</dt><dd>${escapeText(b)}</dd></div>`).join('')}</dl>`
}

const key = `<ul class="key"><li class="own"><i></i>ours</li><li class="wide"><i></i>ours, 256-bit</li><li class="gpu"><i></i>ours, WebGPU</li><li class="peer"><i></i>peers</li><li>thin line: least to greatest run; dashed: ceiling of one core; 2x: twice the best peer</li></ul>`

/** Everything in one file that needs nothing else. */
export function renderPage(report: Report): string {
  const stopped = report.complete ? '' : '<p class="notice">This run was interrupted: some cases are missing.</p>'
  const sections = titles.map(([prefix, title, text]) => section(prefix, title, text, report)).join('')
  const rows = report.results.map((row) => tableRow(row, report)).join('')
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Tessella's benchmark</title><style>${style}</style></head>
<body><main><h1>Tessella and its peers</h1><p class="soft">All systems in one run, taking turns, each checked against float64 before it was timed. Only ratios within a page count. <code>${escapeText(report.command)}</code></p>${stopped}
${facts(report)}${key}${sections}
<section><h2>All figures</h2><div class="scroll"><table><thead><tr>${['case', 'system', 'unit', 'median', 'min', 'max', 'threads', 'of ceiling', 'to best peer'].map((h) => `<th>${h}</th>`).join('')}</tr></thead><tbody>${rows}</tbody></table></div></section></main></body></html>
`
}
