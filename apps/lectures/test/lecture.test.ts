import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseLectureOptions, suggest, UnknownTopicError } from '../src/lectureOptions.ts'
import { between } from '../src/pages/snippet.ts'
import { topics } from '../src/topics/index.ts'
import { markupProblems } from './support/wellFormed.ts'

describe('parseLectureOptions', () => {
  it('reads topics once each, in order, and options', () => {
    const { topics: found, ...rest } = parseLectureOptions(
      ['--', 'perceptron', 'graph', 'perceptron', '--seed', '7', '--quick', '--out', 'x', '--backend', 'reference'],
      topics,
    )
    expect(found.map((t) => t.name)).toEqual(['perceptron', 'graph'])
    expect(rest).toEqual({
      all: false,
      backend: 'reference',
      seed: 7,
      quick: true,
      out: 'x',
      fashion: undefined,
      help: false,
    })
  })

  it('takes the folder of Fashion-MNIST', () =>
    expect(parseLectureOptions(['fashion', '--fashion', 'here'], topics).fashion).toBe('here'))
  it('takes all', () => expect(parseLectureOptions(['all'], topics)).toMatchObject({ all: true, topics }))
  it('takes nothing: the list', () => expect(parseLectureOptions([], topics).topics).toEqual([]))

  it('names what looks like an unknown topic', () => {
    const error = (() => {
      try {
        return parseLectureOptions(['convultion'], topics)
      } catch (thrown) {
        return thrown
      }
    })()
    expect(error).toBeInstanceOf(UnknownTopicError)
    expect(error).toMatchObject({ topic: 'convultion', suggestions: ['convolution'] })
    expect((error as Error).message).toBe(
      "There is no topic 'convultion'. Did you mean convolution? 'npx pnpm@12 lecture' lists them.",
    )
  })

  it.each([
    [['--seed', '-1'], '--seed'],
    [['--seed', '1.5'], '--seed takes a whole number'],
    [['--backend', 'gpu'], "--backend takes cpu, wgpu, reference, not 'gpu'"],
    [['--out', ''], '--out takes the name of a folder'],
    [['--fashion', ''], '--fashion takes the name of a folder'],
    [['--nope'], '--nope'],
  ])('refuses %j', (args, message) => expect(() => parseLectureOptions(args, topics)).toThrow(message))
})

describe('suggest', () => {
  const names = topics.map((t) => t.name)
  it.each([
    ['optimizer', 'optimizers'],
    ['Dropuot', 'dropout'],
    ['norm', 'batchnorm'],
    ['al', 'all'],
  ])('%s: %s', (word, wanted) => expect(suggest(word, [...names, 'all'])).toContain(wanted))
  it('nothing for what is like nothing', () => expect(suggest('zzzzzz', names)).toEqual([]))
})

describe('between', () => {
  it('takes the lines between the marks without their indent', () =>
    expect(between('a\n  // show: x\n  b\n    c\n\n  d\n  // end\n', 'x')).toBe('b\n  c\n\nd'))
  it('throws where there are none', () => expect(() => between('// show: x', 'x')).toThrow('internal:'))
})

const program = fileURLToPath(new URL('../src/lecture.ts', import.meta.url))

/** Runs `lecture`; presses Ctrl-C once it has written `mark`. */
function lecture(args: readonly string[], mark?: string): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, ['--conditions=@tessella/source', program, ...args])
    let out = ''
    let err = ''
    child.stdout.on('data', (text) => {
      if (mark !== undefined && !out.includes(mark) && `${out}${text}`.includes(mark)) child.kill('SIGINT')
      out += text
    })
    child.stderr.on('data', (text) => (err += text))
    child.on('error', failed)
    child.on('close', (code) => done({ code, out, err }))
  })
}

describe('lecture', { timeout: 60_000 }, () => {
  let root = ''
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'lecture-'))
  })
  afterAll(() => rm(root, { recursive: true }))

  it.concurrent('lists the topics', async () => {
    const { code, out, err } = await lecture([])
    expect(err).toBe('')
    for (const { name } of topics) expect(out).toContain(name)
    expect(code).toBe(0)
  })

  it.concurrent('refuses an unknown topic, code 2', async () => {
    const { code, out, err } = await lecture(['perceptrn'])
    expect(out).toBe('')
    expect(err).toMatch(/^There is no topic 'perceptrn'\. Did you mean perceptron\?/)
    expect(code).toBe(2)
  })

  it.concurrent('takes wgpu; without an adapter it says what to install, code 1', async () => {
    const { code, out, err } = await lecture(['perceptron', '--quick', '--backend', 'wgpu', '--out', join(root, 'gpu')])
    if (code === 0) expect(out).toContain('perceptron: ')
    else expect(err).toContain('[wgpu] no WebGPU adapter was found')
    expect(code === 0 || code === 1).toBe(true)
  })

  it.concurrent('says how to get Fashion-MNIST where it is not, code 1', async () => {
    const { code, out, err } = await lecture(['fashion', '--quick', '--out', join(root, 'clothes')])
    if (code === 0) expect(out).toContain('fashion: ')
    else expect(err).toMatch(/fashion was left out: .*apt install dataset-fashion-mnist.*--fashion DIR/)
    expect(err).not.toContain('    at ')
  })

  it.concurrent('fails where the folder that was named does not have it, code 1', async () => {
    const { code, err } = await lecture(['fashion', '--fashion', root, '--out', join(root, 'none')])
    expect(err).toContain('has no readable train-images-idx3-ubyte')
    expect(code).toBe(1)
  })

  it.concurrent('leaves valid pages and an index on Ctrl-C, code 130', async () => {
    const out = join(root, 'all')
    const ended = await lecture(['all', '--quick', '--out', out], 'activations:')
    expect(ended.err).toContain('Ctrl-C again ends at once')
    expect(ended.code).toBe(130)
    const files = await readdir(out)
    expect(files).toEqual(expect.arrayContaining(['activations.html', 'activations.json', 'index.html']))
    for (const file of files.filter((f) => f.endsWith('.html')))
      expect(markupProblems((await readFile(join(out, file), 'utf8')).replace('<!doctype html>\n', '').trim())).toEqual(
        [],
      )
    expect(JSON.parse(await readFile(join(out, 'activations.json'), 'utf8'))).toMatchObject({
      topic: 'activations',
      numbers: { tanhSlope: 1 },
    })
  })
})
