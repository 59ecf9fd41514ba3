import { access, constants, stat } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { dirname, resolve } from 'node:path'
import { styleText } from 'node:util'
import { formatSeconds, writeFileAtomic } from '@tessella/training'
import type { Ceilings, Machine, Report, Row } from './contract.ts'
import { startHosts } from './hosts/start.ts'
import { benchmark } from './measure/benchmark.ts'
import { fullBudget, quickBudget } from './measure/budget.ts'
import { measureCeilings } from './measure/ceilings.ts'
import { bundleSize } from './measure/size.ts'
import { type Options, parseOptions, UsageError, usage } from './options.ts'
import { compareReports, ReportError, readReport } from './report/compare.ts'
import { formatFigure } from './report/format.ts'
import { renderPage } from './report/page.ts'
import { statusLine } from './report/status.ts'
import { caseTable, resultTable } from './report/table.ts'

/** What a shell expects of a program that Ctrl-C ended. */
const interruptedCode = 130

/** What --quick may take, less the time to write the results. */
const quickMs = 100_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)

/** The first Ctrl-C writes what was measured, the second ends at once. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(interruptedCode)
    process.stderr.write('\nStopping; what was measured is kept. Ctrl-C again ends at once.\n')
    controller.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  return controller.signal
}

/** Fails before minutes of measuring, not after. */
async function checkWritable(option: string, path: string | undefined): Promise<void> {
  if (path === undefined) return
  const folder = dirname(resolve(path))
  try {
    if ((await stat(resolve(path)).catch(() => undefined))?.isDirectory()) throw new Error('it is a folder')
    await access(folder, constants.W_OK)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new UsageError(`--${option} ${path} cannot be written: ${why}`, { cause })
  }
}

const quoted = (argument: string): string => (/^[\w./:=@-]+$/.test(argument) ? argument : `'${argument}'`)
const commandLine = (): string =>
  [
    'npx pnpm@12 bench',
    ...process.argv
      .slice(2)
      .filter((a) => a !== '--')
      .map(quoted),
  ].join(' ')

function describeMachine(options: Options, ceilings: Ceilings | undefined): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    platform: `${process.platform} ${process.arch}`,
    where: options.where,
    ...(options.where === 'browser' ? { crossOriginIsolated: options.isolated } : {}),
    ...(ceilings ? { ceilings } : {}),
  }
}

async function write(options: Options, report: Report): Promise<void> {
  if (options.json !== undefined) {
    await writeFileAtomic(options.json, `${JSON.stringify(report, null, 1)}\n`)
    say(`\nThe results: ${options.json}`)
  }
  if (options.html !== undefined) {
    await writeFileAtomic(options.html, renderPage(report))
    say(`The charts: ${options.html}`)
  }
}

async function measure(options: Options): Promise<number> {
  const signal = onInterrupt()
  const began = performance.now()
  const status = statusLine(process.stderr, process.env)
  status.show('ceilings of this machine')
  const ceilings = await measureCeilings(options.quick ? 0.3 : 1, options.systems.includes('wgpu'))
  const machine = describeMachine(options, ceilings)
  const hosts = await startHosts(options)
  const results: Row[] = []
  let outcome: { versions: Record<string, string>; complete: boolean }
  status.clear()
  say(`${machine.processor}, ${machine.cores} cores, ${hosts.title}`)
  const wide = ceilings?.fmaWide ? `, ${formatFigure(ceilings.fmaWide, 'GFLOP/s')} a core in 256 bits` : ''
  if (ceilings)
    say(
      `Ceilings: ${formatFigure(ceilings.fma, 'GFLOP/s')} GFLOP/s a core (128-bit WebAssembly), ${formatFigure(ceilings.fmaAll, 'GFLOP/s')} on all${wide}, copy ${formatFigure(ceilings.copy, 'GB/s')} GB/s`,
    )
  if (ceilings?.gpu)
    say(
      `Graphics card: ${formatFigure(ceilings.gpu.fma, 'GFLOP/s')} GFLOP/s, copy ${formatFigure(ceilings.gpu.copy, 'GB/s')} GB/s`,
    )
  let finished = 0
  try {
    outcome = await benchmark({
      ...options,
      rounds: options.runs,
      budget: options.quick ? quickBudget : fullBudget,
      ceilings,
      startHost: hosts.start,
      bundleSize,
      signal,
      deadline: options.quick ? began + quickMs : Number.POSITIVE_INFINITY,
      say: (text) => status.show(`${finished + 1}/${options.cases.length} ${text}`),
      done(_, rows) {
        finished++
        results.push(...rows)
        status.clear()
        say(`\n${caseTable(rows)}`)
      },
    })
  } finally {
    status.clear()
    hosts.close()
  }
  const report: Report = {
    machine,
    versions: { node: process.version, ...hosts.versions(), ...outcome.versions },
    date: new Date().toISOString(),
    command: commandLine(),
    complete: outcome.complete,
    results,
  }
  say(`\n${styleText('bold', 'All results')}\n${resultTable(results)}`)
  await write(options, report)
  say(`${formatSeconds((performance.now() - began) / 1000)} in all.`)
  return outcome.complete ? 0 : interruptedCode
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2))
  if (options.help) {
    process.stdout.write(usage)
    return 0
  }
  if (options.compare) {
    const [before, after] = await Promise.all(options.compare.map(readReport))
    if (before && after) say(compareReports(before, after))
    return 0
  }
  await checkWritable('json', options.json)
  await checkWritable('html', options.html)
  return measure(options)
}

/** Says what went wrong and gives the exit code. */
function fail(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error)
  if (error instanceof UsageError) process.stderr.write(`${message}\n\n${usage}`)
  else if (error instanceof ReportError) process.stderr.write(`${message}\n`)
  else process.stderr.write(`${error instanceof Error ? error.stack : message}\n`)
  return error instanceof UsageError || error instanceof ReportError ? 2 : 1
}

process.exitCode = await main().catch(fail)
