import { mkdir } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { formatSeconds, writeFileAtomic } from '@tessella/training'
import type { LectureOptions } from './lectureOptions.ts'
import type { Context, Page, Topic } from './pages/topic.ts'
import { renderTopic } from './pages/topicPage.ts'
import { html } from './report/html.ts'

/** Lets Ctrl-C arrive between steps, and ends the topic when it did. */
export async function pause({ signal }: Pick<Context, 'signal'>): Promise<void> {
  await nextTurn()
  signal.throwIfAborted()
}

/** What pages say of the run. */
export const warningOf = ({ quick }: Pick<LectureOptions, 'quick'>): string | undefined =>
  quick ? 'A quick run with fewer steps on fewer data: its numbers show that all works, not what is true.' : undefined

/** Runs a topic and writes its page and its numbers into `out`; answers the page. */
export async function runTopic(
  topic: Topic,
  context: Context,
  options: Pick<LectureOptions, 'out' | 'quick' | 'seed' | 'backend' | 'fashion'>,
  backend: string,
): Promise<Page> {
  const began = performance.now()
  const page = await topic.run(context)
  const seconds = (performance.now() - began) / 1000
  const command = [
    'npx pnpm@12 lecture',
    topic.name,
    `--seed ${options.seed}`,
    ...(options.backend === 'cpu' ? [] : [`--backend ${options.backend}`]),
    ...(options.quick ? ['--quick'] : []),
    ...(topic.name === 'fashion' && options.fashion !== undefined ? [`--fashion ${options.fashion}`] : []),
  ]
  const facts = [
    ['command', html`<code>${command.join(' ')}</code>`],
    [
      'date',
      new Date()
        .toISOString()
        .replace('T', ' ')
        .replace(/:\d\d\.\d+Z$/, ' UTC'),
    ],
    ['backend', backend],
    [
      'machine',
      `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores, Node ${process.version}`,
    ],
    ['time', formatSeconds(seconds)],
    ['rows', topic.rows.join(', ')],
  ] as const
  await mkdir(options.out, { recursive: true })
  await writeFileAtomic(join(options.out, `${topic.name}.html`), renderTopic(topic, page, facts, warningOf(options)))
  const { found, claims, numbers } = page
  await writeFileAtomic(
    join(options.out, `${topic.name}.json`),
    JSON.stringify({
      topic: topic.name,
      seed: options.seed,
      quick: options.quick,
      backend,
      seconds,
      found,
      claims,
      numbers,
    }),
  )
  return page
}
