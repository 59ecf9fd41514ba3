import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { cpu } from '@tessella/backend-cpu'
import { type Mnist, mnist } from '@tessella/datasets'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { formatSeconds, progress, writeFileAtomic } from '@tessella/training'
import { batchSize, experiment } from './experiment.ts'
import { type Options, parseOptions, UsageError, usage } from './options.ts'
import type { Experiment, RunRecord } from './record.ts'
import { renderReport } from './report/page.ts'
import { resultTable } from './table.ts'

const say = (text: string): void => void process.stdout.write(`${text}\n`)

async function loadData(options: Options, signal: AbortSignal): Promise<Mnist> {
  const data = await mnist({ signal })
  return options.quick ? { train: data.train.take(10_000), test: data.test.take(2_000) } : data
}

/** The first Ctrl-C finishes the running step and writes what there is; the second ends at once. */
function onInterrupt(): AbortController {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Error('interrupted'))
  })
  return controller
}

function describe(options: Options, data: Mnist, runs: readonly RunRecord[], backend: string): Experiment {
  return {
    date: new Date().toISOString(),
    command: ['npx pnpm@12 start', ...process.argv.slice(2).filter((a) => a !== '--')].join(' '),
    backend,
    machine: `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
    seed: options.seed,
    batch: batchSize,
    epochs: options.epochs,
    trainImages: data.train.length,
    testImages: data.test.length,
    runs,
  }
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  const { signal } = onInterrupt()
  const began = performance.now()
  const backend = await useBackend(
    options.backend === 'reference'
      ? reference()
      : cpu(options.threads === undefined ? {} : { threads: options.threads }),
  )
  const data = await loadData(options, signal)
  say(
    `MNIST: ${data.train.length} training and ${data.test.length} test images. Backend: ${backend.name}. Batch ${batchSize}, seed ${options.seed}.`,
  )
  const runs: RunRecord[] = []
  for (const name of options.models) {
    if (signal.aborted) break
    say(styleText('bold', `\n${name.toUpperCase()}`))
    const shown = progress({ stream: process.stderr, environment: process.env })
    try {
      runs.push(await experiment(name, data, options, shown, signal))
    } finally {
      shown.close()
    }
  }
  const result = describe(options, data, runs, backend.name)
  const report = join(options.out, 'report.html')
  await writeFileAtomic(report, renderReport(result, data.test))
  await writeFileAtomic(join(options.out, 'report.json'), JSON.stringify(result))
  disposeBackend()
  say(`\n${resultTable(result)}`)
  say(`${formatSeconds((performance.now() - began) / 1000)} in all. The pictures: ${report}`)
  if (!signal.aborted) return 0
  say('Interrupted. Run the same command with --resume to go on.')
  return 130
}

try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(
    error instanceof UsageError
      ? `${error.message}\n\n${usage}`
      : `${error instanceof Error ? error.message : String(error)}\n`,
  )
  process.exitCode = error instanceof UsageError ? 2 : 1
}
