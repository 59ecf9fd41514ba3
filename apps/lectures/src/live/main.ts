import { renderReport } from '../report/page.ts'
import { addressed, fill, offer, read } from './form.ts'
import type { News, Order } from './protocol.ts'
import { reading } from './reading.ts'
import { after, doneRuns, first, isBusy, type State, started } from './state.ts'
import { throttled } from './throttle.ts'
import {
  digitsOf,
  element,
  type Links,
  showButtons,
  showCharts,
  showProgress,
  showReadings,
  showResults,
} from './view.ts'

/** Milliseconds between two pictures of the charts. */
const redraw = 200

const saved = (type: string, text: string): string => URL.createObjectURL(new Blob([text], { type }))

/** Report and numbers of the networks that are done, as files to save. */
function filesOf(state: State): Links | undefined {
  const runs = doneRuns(state)
  if (runs.length === 0) return undefined
  const experiment = { ...state.experiment, runs }
  return {
    page: saved('text/html', renderReport(experiment, digitsOf(state))),
    numbers: saved('application/json', JSON.stringify(experiment)),
  }
}

/** Connects the page with the thread that trains. */
function connect(): void {
  const settings = addressed()
  const worker = new Worker(new URL('worker.ts', import.meta.url), { type: 'module', name: 'training' })
  const order = (o: Order): void => worker.postMessage(o)
  let state: State = first
  let links: Links | undefined
  const draw = throttled(() => {
    showProgress(state)
    showCharts(state)
  }, redraw)
  const show = (next: State): void => {
    state = next
    showButtons(state)
    draw()
  }
  const keep = (next: Links | undefined): void => {
    for (const url of Object.values(links ?? {})) URL.revokeObjectURL(url)
    links = next
    showResults(state, links)
  }
  const drawing = reading(element<HTMLCanvasElement>('pad'), order, () => showReadings(state, undefined))

  const hear = (news: News): void => {
    const { phase } = state
    show(after(state, news))
    if (news.kind === 'backends') offer(state, settings)
    else if (news.kind === 'readings') {
      drawing.hear(news)
      showReadings(state, drawing.seen)
    } else if (news.kind === 'failed') drawing.giveUp()
    else if (news.kind === 'epoch' || news.kind === 'end') drawing.again()
    else if (news.kind === 'ready') element<HTMLButtonElement>('pick').disabled = false
    if (isBusy(phase) && !isBusy(state.phase)) keep(filesOf(state))
  }
  worker.onmessage = ({ data }: MessageEvent<News>) => hear(data)
  worker.onerror = ({ message }) => {
    const why = message || 'the browser could not start it'
    hear({ kind: 'failed', message: `The thread that trains ended: ${why}. Reload this page.`, ended: true })
  }

  fill(settings)
  element('settings').addEventListener('submit', (event) => {
    event.preventDefault()
    const job = read(settings)
    show(started(state, job, new Date(), `${navigator.userAgent}, ${navigator.hardwareConcurrency} cores`))
    keep(undefined)
    showReadings(state, drawing.seen)
    order({ kind: 'start', job })
  })
  element('pause').addEventListener('click', () => order({ kind: state.phase === 'paused' ? 'resume' : 'pause' }))
  element('stop').addEventListener('click', () => {
    show({ ...state, phase: 'stopping' })
    order({ kind: 'stop' })
  })
  element('clear').addEventListener('click', () => drawing.pad.clear())
  element('pick').addEventListener('click', () => order({ kind: 'pick', at: Math.random() }))
  order({ kind: 'look' })
}

connect()
