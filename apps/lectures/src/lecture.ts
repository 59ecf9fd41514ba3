import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { DatasetError, fashionMnist, type Mnist, mnist } from '@tessella/datasets'
import { disposeBackend } from '@tessella/tensor'
import { formatSeconds, writeFileAtomic } from '@tessella/training'
import { openBackend } from './backends.ts'
import { type LectureOptions, lectureUsage, parseLectureOptions } from './lectureOptions.ts'
import { UsageError } from './options.ts'
import { type Entry, renderIndex } from './pages/indexPage.ts'
import { type Context, MissingDataError, type Page, type Topic } from './pages/topic.ts'
import { runTopic, warningOf } from './runTopic.ts'
import { checkOut, interruptedCode, onInterrupt, reasonOf, say } from './shell.ts'
import { topics } from './topics/index.ts'

const tell = (text: string): void => void process.stderr.write(`${text}\n`)

function list(): void {
  const width = Math.max(...topics.map((t) => t.name.length))
  say(`${lectureUsage}\nTopics:\n`)
  for (const t of topics)
    say(`  ${styleText('bold', t.name.padEnd(width))}  ${t.title}  ${styleText('dim', t.rows.join(' '))}`)
}

/** Fashion-MNIST from the folder that was named, or from where a package puts it: there it may be missing. */
async function clothes(root: string | undefined, signal: AbortSignal): Promise<Mnist> {
  try {
    return await fashionMnist({ signal, ...(root !== undefined && { root }) })
  } catch (cause) {
    if (root !== undefined || !(cause instanceof DatasetError) || cause.code !== 'not-found') throw cause
    throw new MissingDataError(
      'Fashion-MNIST is not on this machine. On Debian and Ubuntu `apt install dataset-fashion-mnist` brings it; or take the four files from github.com/zalandoresearch/fashion-mnist, folder data/fashion, and run `npx pnpm@12 lecture fashion --fashion DIR`.',
      { cause },
    )
  }
}

function contextOf(options: LectureOptions, signal: AbortSignal): Context {
  let data: Promise<Mnist> | undefined
  return {
    seed: options.seed,
    quick: options.quick,
    signal,
    note: (remark) => tell(`  ${remark}`),
    mnist: () => (data ??= mnist({ signal })),
    fashion: () => clothes(options.fashion, signal),
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
    await writeFileAtomic(
      join(options.out, 'index.html'),
      renderIndex([...entries.values()], report, warningOf(options)),
    )
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
      if (error instanceof MissingDataError) {
        entries.set(topic, { topic, missing: error.message })
        tell(`${topic.name} was left out: ${error.message}`)
        await index()
        continue
      }
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
  const signal = onInterrupt('Stopping after this step; pages that are done stay.')
  await checkOut(options.out)
  const backend = await openBackend(options.backend, { threads: undefined, wide: true })
  try {
    const entries = await runAll(options, signal, backend)
    if (options.all) say(`The index: ${join(options.out, 'index.html')}`)
    if (signal.aborted) return interruptedCode
    // Who names a topic wants it; all of them are as many as there can be.
    return entries.some((e) => e.failed !== undefined || (e.missing !== undefined && !options.all)) ? 1 : 0
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
