import { describe, expect, it } from 'vitest'
import { type Options, parseOptions, UsageError } from '../src/options.ts'

const settings = { model: 'both', backend: 'auto', epochs: 15, seed: 1, quick: false } as const

const defaults: Options = {
  browser: undefined,
  models: ['mlp', 'cnn'],
  backend: 'cpu',
  epochs: 15,
  seed: 1,
  threads: undefined,
  wide: true,
  quick: false,
  resume: false,
  out: 'out',
  help: false,
}

const good: readonly (readonly [string, Partial<Options>])[] = [
  ['', {}],
  ['--', {}],
  ['-- --quick', { quick: true, epochs: 2 }],
  ['--quick --epochs 5', { quick: true, epochs: 5 }],
  ['--model both', {}],
  ['--model mlp', { models: ['mlp'] }],
  ['--model=cnn --epochs=1', { models: ['cnn'], epochs: 1 }],
  ['--backend reference', { backend: 'reference' }],
  ['--backend wgpu', { backend: 'wgpu' }],
  ['--backend cpu --threads 4', { threads: 4 }],
  ['--no-wide', { wide: false }],
  ['--seed 0 --out some/where', { seed: 0, out: 'some/where' }],
  ['--resume', { resume: true }],
  ['-h', { help: true }],
  ['--browser', { browser: { settings, port: 0, open: true } }],
  [
    '--browser --model cnn --quick --backend cpu --threads 2 --seed 3 --port 8080 --no-open',
    {
      browser: {
        settings: { model: 'cnn', backend: 'cpu', epochs: 2, seed: 3, quick: true, threads: 2 },
        port: 8080,
        open: false,
      },
      models: ['cnn'],
      epochs: 2,
      seed: 3,
      quick: true,
      threads: 2,
    },
  ],
]

const bad: readonly (readonly [string, RegExp])[] = [
  ['--epochs 0', /--epochs takes a whole number from 1 on, not '0'/],
  ['--browser --port 65536', /--port takes a whole number from 0 to 65535, not '65536'/],
  ['--epochs 1.5', /--epochs .* '1.5'/],
  ['--epochs 1e3', /--epochs .* '1e3'/],
  ['--epochs -3', /--epochs/],
  ['--epochs=-3', /--epochs .* '-3'/],
  ['--epochs', /--epochs/],
  ['--seed x', /--seed takes a whole number from 0 on, not 'x'/],
  ['--seed 99999999999999999999', /--seed/],
  ['--threads 0', /--threads takes a whole number from 1 on/],
  ['--threads 2 --backend reference', /--threads is for --backend cpu only/],
  ['--no-wide --backend reference', /--no-wide is for --backend cpu only/],
  ['--model lenet', /--model takes mlp, cnn, both, not 'lenet'/],
  ['--backend gpu', /--backend takes cpu, wgpu, reference, not 'gpu'/],
  ['--fast', /--fast/],
  ['--out=', /--out takes the name of a folder/],
  ['cnn', /cnn/],
  ['--port 1', /--port is for --browser only/],
  ['--no-open', /--no-open is for --browser only/],
  ['--browser --resume', /--resume is not for --browser/],
  ['--browser --out x', /--out is not for --browser/],
  ['--browser --no-wide', /--no-wide is not for --browser/],
  ['--browser --backend reference', /--browser takes wgpu or cpu/],
]

const words = (line: string): string[] => line.split(' ').filter((w) => w !== '')

describe('parseOptions', () => {
  it.each(good)("reads '%s'", (line, differs) => {
    expect(parseOptions(words(line))).toEqual({ ...defaults, ...differs })
  })

  it.each(bad)("refuses '%s'", (line, message) => {
    expect(() => parseOptions(words(line))).toThrow(UsageError)
    expect(() => parseOptions(words(line))).toThrow(message)
  })
})
