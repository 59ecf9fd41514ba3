import { access, constants, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { cpu } from '@tessella/backend-cpu'
import { type Mnist, mnist } from '@tessella/datasets'
import { disposeBackend, useBackend } from '@tessella/tensor'
import { reference } from '@tessella/testing'
import { formatSeconds, writeFileAtomic } from '@tessella/training'
import { type LectureOptions, lectureUsage, parseLectureOptions } from './lectureOptions.ts'
import { UsageError } from './options.ts'
import { type Entry, renderIndex } from './pages/indexPage.ts'
import type { Context, Page, Topic } from './pages/topic.ts'
import { runTopic } from './runTopic.ts'
import { topics } from './topics/index.ts'

/** What a shell expects of a program that Ctrl-C ended. */
const interruptedCode = 130

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const tell = (text: string): void => void process.stderr.write(`${text}\n`)
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** The first Ctrl-C ends the running topic after its step; the second ends at once. */
function onInterrupt(): AbortSignal {
  const controller = new AbortController()
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(interruptedCode)
    tell('\nStopping after this step; pages that are done stay. Ctrl-C again ends at once.')
    controller.abort()
  }
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  return controller.signal
}

/** Fails before the first topic, not after it. */
async function checkOut(out: string): Promise<void> {
  try {
    await mkdir(out, { recursive: true })
    await access(out, constants.W_OK)
  } catch (cause) {
    throw new Error(`Cannot write to --out ${out}: ${reasonOf(cause)}. Name a folder that can be written.`, { cause })
  }
}

function list(): void {
  const width = Math.max(...topics.map((t) => t.name.length))
  say(`${lectureUsage}\nTopics:\n`)
  for (const t of topics)
    say(`  ${styleText('bold', t.name.padEnd(width))}  ${t.title}  ${styleText('dim', t.rows.join(' '))}`)
}

function contextOf(options: LectureOptions, signal: AbortSignal): Context {
  let data: Promise<Mnist> | undefined
  return {
    seed: options.seed,
    quick: options.quick,
    signal,
    note: (remark) => tell(`  ${remark}`),
    mnist: () => (data ??= mnist({ signal })),
  }
}

/** Runs topic after topic, each on its own; the index is written after every one, so that it is always valid. */
async function runAll(options: LectureOptions, signal: AbortSignal, backend: string): Promise<readonly Entry[]> {
  const context = contextOf(options, signal)
  const entries = new Map<Topic, Entry>(options.topics.map((topic) => [topic, { topic }]))
  const index = async (): Promise<void> => {
    if (!options.all) return
    const report = await access(join(options.out, 'report.html')).then(
      () => true,
      () => false,
    )
    await writeFileAtomic(join(options.out, 'index.html'), renderIndex([...entries.values()], report))
  }
  await index()
  for (const topic of options.topics) {
    if (signal.aborted) break
    tell(styleText('bold', topic.title))
    const began = performance.now()
    try {
      const page: Page = await runTopic(topic, context, options, backend)
      entries.set(topic, { topic, page })
      say(`${topic.name}: ${page.found}`)
      for (const c of page.claims.filter((claim) => !claim.agrees)) say(`  differs: ${c.said} Measured: ${c.measured}`)
      say(`  ${join(options.out, `${topic.name}.html`)}, ${formatSeconds((performance.now() - began) / 1000)}`)
    } catch (error) {
      if (signal.aborted) break
      entries.set(topic, { topic, failed: reasonOf(error) })
      tell(`${topic.name} failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    }
    await index()
  }
  return [...entries.values()]
}

async function main(): Promise<number> {
  const options = parseLectureOptions(process.argv.slice(2), topics)
  if (options.help) {
    process.stdout.write(lectureUsage)
    return 0
  }
  if (options.topics.length === 0) {
    list()
    return 0
  }
  const signal = onInterrupt()
  await checkOut(options.out)
  const backend = await useBackend(options.backend === 'reference' ? reference() : cpu())
  try {
    const entries = await runAll(options, signal, backend.name)
    if (options.all) say(`The index: ${join(options.out, 'index.html')}`)
    if (signal.aborted) return interruptedCode
    return entries.some((e) => e.failed !== undefined) ? 1 : 0
  } finally {
    disposeBackend()
  }
}

/** Says what went wrong and gives the exit code. */
function fail(error: unknown): number {
  process.stderr.write(error instanceof UsageError ? `${error.message}\n\n${lectureUsage}` : `${reasonOf(error)}\n`)
  return error instanceof UsageError ? 2 : 1
}

process.exitCode = await main().catch(fail)
