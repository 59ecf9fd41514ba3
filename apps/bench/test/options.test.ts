import { describe, expect, it } from 'vitest'
import { cases } from '../src/cases/table.ts'
import { matches, parseOptions, UsageError } from '../src/options.ts'

const names = (args: string[]): string[] => parseOptions(args).cases.map((c) => c.name)

describe('options', () => {
  it('measure all CPU systems on all cases by default', () => {
    const options = parseOptions([])
    expect(options.cases).toHaveLength(cases.length)
    expect(options.systems).toEqual([
      'reference',
      'cpu',
      'cpu-wide',
      'tfjs-cpu',
      'tfjs-wasm',
      'jax-js',
      'ort-node',
      'pytorch',
    ])
    expect(options).toMatchObject({ runs: 9, quick: false, where: 'node', threads: undefined, compare: undefined })
  })

  it('choose suites, cases and systems', () => {
    expect(parseOptions(['--suite', 'gpu']).systems).toEqual(['wgpu'])
    expect(parseOptions(['--suite', 'all']).systems).toContain('wgpu')
    expect(parseOptions(['--system', 'cpu*', '--system', 'wgpu']).systems).toEqual(['cpu', 'cpu-wide', 'wgpu'])
    expect(names(['--case', 'size/*', '--case', 'matmul/256'])).toEqual([
      'matmul/256',
      ...cases.map((c) => c.name).filter((n) => n.startsWith('size/')),
    ])
    // What is named is run, also with --quick.
    expect(names(['--quick', '--case', 'matmul/2048'])).toEqual(['matmul/2048'])
    expect(names(['--quick']).length).toBeLessThan(cases.length)
  })

  it('take globs in which a star stands for anything', () => {
    expect(matches('train/*-b64', 'train/lenet-sgd-b64')).toBe(true)
    expect(matches('*', 'a/b')).toBe(true)
    expect(matches('matmul/256', 'matmul/2561')).toBe(false)
    expect(matches('a.b', 'axb')).toBe(false)
  })

  it('read files to compare', () => {
    expect(parseOptions(['--compare', 'a.json', 'b.json']).compare).toEqual(['a.json', 'b.json'])
  })

  it.each([
    [['--runs', '0'], /--runs takes a whole number from 1/],
    [['--threads', 'two'], /--threads takes a whole number/],
    [['--suite', 'tpu'], /--suite takes cpu, gpu, all, not 'tpu'/],
    [['--case', 'matmull/*'], /--case 'matmull\/\*' fits none of: matmul\/256/],
    [['--system', 'torch'], /--system 'torch' fits none of: reference/],
    [['--compare', 'a.json'], /two files/],
    [['--isolated', 'no'], /--isolated is for --where browser/],
    [['matmul'], /'matmul' is not an option/],
    [['--fast'], /--fast/],
  ])('refuse %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError)
    expect(() => parseOptions(args)).toThrow(message)
  })
})
