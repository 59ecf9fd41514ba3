import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { styleText } from 'node:util'
import { type Mnist, mnist } from '@tessella/datasets'
import { BackendError } from '@tessella/ir'
import { disposeBackend } from '@tessella/tensor'
import { formatSeconds, progress, writeFileAtomic } from '@tessella/training'
import { openBackend } from './backends.ts'
import { batchSize, experiment, learner, quickPart } from './experiment.ts'
import { toQuery } from './live/settings.ts'
import { type BrowserOptions, type Options, parseOptions, UsageError, usage } from './options.ts'
import type { Experiment, RunRecord } from './record.ts'
import { renderReport } from './report/page.ts'
import { fileKeeper } from './resume.ts'
import { checkOut, Interrupted, interruptedCode, onInterrupt, reasonOf, say } from './shell.ts'
import { resultTable } from './table.ts'

async function loadData(options: Options, signal: AbortSignal): Promise<Mnist> {
  const data = await mnist({ signal })
  return options.quick ? quickPart(data) : data
}

const quoted = (argument: string): string => (/^[\w./:=@-]+$/.test(argument) ? argument : JSON.stringify(argument))

function describe(options: Options, data: Mnist, runs: readonly RunRecord[], backend: string): Experiment {
  return {
    date: new Date().toISOString(),
    command: ['npx pnpm@12 start', ...process.argv.slice(2).filter((a) => a !== '--')]
      .map((a, i) => (i ? quoted(a) : a))
      .join(' '),
    backend,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
    seed: options.seed,
    resumable: true,
    batch: batchSize,
    epochs: options.epochs,
    trainImages: data.train.length,
    testImages: data.test.length,
    runs,
  }
}

/** A backend that answers at once leaves the event loop no turn in which Ctrl-C could arrive. */
const turn = (): Promise<number> => nextTurn(0)

/** Trains network after network. A failure is handed on after what was done before it. */
async function train(
  options: Options,
  data: Mnist,
  signal: AbortSignal,
  done: (run: RunRecord) => void,
): Promise<void> {
  for (const name of options.models) {
    if (signal.aborted) return
    say(styleText('bold', `\n${name.toUpperCase()}`))
    const shown = progress({ stream: process.stderr, environment: process.env })
    try {
      const { seed, epochs } = options
      const keeper = fileKeeper(name, options, say)
      const event = shown.event
      done(await experiment(learner(name, seed), { data, seed, epochs, batch: batchSize, keeper, event, turn, signal }))
    } finally {
      shown.close()
    }
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  if (options.browser) return serve(options.browser)
  const signal = onInterrupt('Stopping after this step;')
  const began = performance.now()
  await checkOut(options.out)
  const title = await openBackend(options.backend, options)
  const data = await loadData(options, signal)
  say(
    `MNIST: ${data.train.length} training and ${data.test.length} test images. Backend: ${title}. Batch ${batchSize}, seed ${options.seed}.`,
  )
  const runs: RunRecord[] = []
  try {
    await train(options, data, signal, (run) => runs.push(run))
  } finally {
    disposeBackend()
    if (runs.length > 0) await report(describe(options, data, runs, title), options.out, data)
  }
  say(`${formatSeconds((performance.now() - began) / 1000)} in all.`)
  if (!signal.aborted) return 0
  say('Interrupted. Run the same command with --resume to go on.')
  return interruptedCode
}

/** Serves the page until Ctrl-C. The data is looked for first: without it there is nothing to train on. */
async function serve({ settings, port, open }: BrowserOptions): Promise<number> {
  const signal = onInterrupt('The page is served no longer;')
  const data = await mnist({ signal })
  const { openBrowser, mayOpen } = await import('./live/open.ts')
  const { servePage } = await import('./live/serve.ts')
  const server = await servePage({ data: async () => data, port }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'EADDRINUSE' && cause.code !== 'EACCES') throw cause
    throw new Error(`Port ${port} is not free (${cause.code}). Name another with --port, or leave it out.`, { cause })
  })
  const url = `${server.url}${toQuery(settings)}`
  say(`The page is ready: ${url}\nIt trains in your browser. Ctrl-C here ends it.`)
  const { platform, env: environment } = process
  if (open && mayOpen({ platform, environment, terminal: process.stdout.isTTY })) openBrowser(url, platform)
  await new Promise<void>((ended) => signal.addEventListener('abort', () => ended()))
  server.close()
  return 0
}

async function report(result: Experiment, out: string, data: Mnist): Promise<void> {
  say(`\n${resultTable(result)}`)
  const path = join(out, 'report.html')
  await writeFileAtomic(path, renderReport(result, data.test))
  await writeFileAtomic(join(out, 'report.json'), JSON.stringify(result))
  say(`\nThe pictures: ${path}`)
}

/** Says what went wrong and gives the exit code; a stack only where the fault is the program's. */
function fail(error: unknown): number {
  const bug = error instanceof TypeError || error instanceof ReferenceError || reasonOf(error).startsWith('internal:')
  const noDevice = error instanceof BackendError && error.code === 'unavailable'
  const here = noDevice ? ' In this command: leave --backend out.' : ''
  const text = error instanceof UsageError ? `${error.message}\n\n${usage}` : `${reasonOf(error)}${here}\n`
  process.stderr.write(bug && error instanceof Error ? `${error.stack}\n` : text)
  if (error instanceof Interrupted) return interruptedCode
  return error instanceof UsageError ? 2 : 1
}

process.exitCode = await main().catch(fail)
