import { describe, expect, it } from 'vitest'
import { heatmap, worstConfusions } from '../src/report/heatmap.ts'
import { renderReport } from '../src/report/page.ts'
import { resultTable } from '../src/table.ts'
import { bars, sampleExperiment, sampleRun } from './support/samples.ts'
import { markupProblems } from './support/wellFormed.ts'

const test = bars(1000, 3)
const full = sampleExperiment([sampleRun('mlp', 300, test), sampleRun('cnn', 300, test)], 1000)
const count = (page: string, part: string): number => page.split(part).length - 1

/** What must hold of every page, whatever the run. */
function expectSound(page: string): void {
  expect(markupProblems(page.replace(/^<!doctype html>\s*/, ''))).toEqual([])
  // Not in the pictures: base64 may spell anything.
  expect(page.replace(/base64,[^"]*/g, '')).not.toMatch(/NaN|undefined|Infinity|\[object/)
  expect(page).not.toMatch(/(src|href)="(?!data:)|url\(|@import|<script/)
}

describe('renderReport', () => {
  const page = renderReport(full, test)

  it('is sound, and below 1.5 MB with 300 mistakes of each network', () => {
    expectSound(page)
    expect(page.length).toBeLessThan(1_500_000)
    expect(count(page, 'alt="Test image ')).toBe(600)
    expect(count(page, 'alt="Filter ')).toBe(126)
  })

  it('escapes what comes from outside', () => {
    expect(page).toContain('Some CPU &lt;fast&gt;, 2 cores')
    expect(page).toContain('linear &lt;784&gt; &amp; &quot;10&quot;')
    expect(page).toContain('--out &quot;&lt;a&gt; &amp; b&quot;')
  })

  it('names every chart and draws each network in it, for wide and narrow pages', () => {
    expect(
      page.match(/<svg class="chart (wide|narrow)" viewBox="[\d ]+" role="img" aria-label="[^"]{20,}"/g),
    ).toHaveLength(6)
    expect(count(page, '<g class="series mlp"')).toBe(4)
    expect(count(page, '<g class="bars cnn"')).toBe(2)
  })

  it('sets our errors beside the lectures where the run was theirs', () => {
    const whole = { ...full, testImages: 10_000, runs: [sampleRun('mlp', 258, test), sampleRun('cnn', 149, test)] }
    const text = renderReport(whole, test)
    expect(text).toContain('The lectures have <b>264</b>: 6 fewer here.')
    expect(text).toContain('The lectures have <b>147</b>: 2 more here.')
    expect(text).toContain('lectures 264')
    expect(page).toContain('The lectures have <b>264</b> of 10,000 after 15 epochs on all 60,000 images.')
    expect(page).toContain('lectures 2.64 %')
  })

  it('shows the surest of too many mistakes and says so', () => {
    const many = renderReport(sampleExperiment([sampleRun('mlp', 700, test)], 1000), test)
    expectSound(many)
    expect(count(many, 'alt="Test image ')).toBe(300)
    expect(many).toContain('The 300 of 700 mistakes that it was surest of')
  })

  const interrupted = { ...sampleRun('mlp', 900, test, 0), complete: false }
  const perfect = sampleRun('cnn', 0, test)
  const odd = {
    'nothing trained': sampleExperiment([]),
    'no step done': sampleExperiment([interrupted], 1000),
    'one step done': sampleExperiment([{ ...interrupted, stepLosses: [2.3] }], 1000),
    'one epoch of one step': sampleExperiment([{ ...sampleRun('cnn', 5, test, 1), stepLosses: [2.3] }], 1000),
    'networks with different epochs': sampleExperiment([sampleRun('mlp', 9, test, 3), sampleRun('cnn', 9, test)], 1000),
    'no mistakes, loss zero': sampleExperiment(
      [
        {
          ...perfect,
          stepLosses: perfect.stepLosses.map(() => 0),
          epochs: perfect.epochs.map(() => ({ loss: 0, errors: 0, seconds: 0 })),
          filters: { count: 0, height: 0, width: 0, data: [] },
        },
      ],
      1000,
    ),
  }
  it.each(Object.entries(odd))('is sound with %s', (_, experiment) => expectSound(renderReport(experiment, test)))

  it('says that a run was interrupted and how to go on', () => {
    expect(renderReport(odd['no step done'], test)).toContain('The same command with <code>--resume</code> goes on.')
    expect(page).not.toContain('--resume')
  })
})

describe('heatmap', () => {
  it('marks right answers, zeros and confusions by their share', () => {
    const run = {
      ...sampleRun('cnn', 0, test),
      confusion: [
        [97, 2, 1],
        [0, 1100, 0],
        [8, 0, 92],
      ],
    }
    const table = heatmap(run).markup
    expect(markupProblems(table)).toEqual([])
    expect(table.slice(table.indexOf('<tbody>'), table.indexOf('</tbody>'))).toMatchInlineSnapshot(
      `"<tbody><tr><th scope="row">0</th><td class="right">97</td><td class="weak" style="--share:50%" title="0 read as 1: 2 times">2</td><td class="weak" style="--share:35%" title="0 read as 2: 1 times">1</td><td class="sum">3</td></tr><tr><th scope="row">1</th><td class="zero">0</td><td class="right">1100</td><td class="zero">0</td><td class="sum">0</td></tr><tr><th scope="row">2</th><td class="strong" style="--share:100%" title="2 read as 0: 8 times">8</td><td class="zero">0</td><td class="right">92</td><td class="sum">8</td></tr>"`,
    )
    expect(table).toContain('Most often: 2 read as 0 <b>8×</b>, 0 read as 1 <b>2×</b>, 0 read as 2 <b>1×</b>.')
  })

  it('finds no confusion in a perfect matrix', () => {
    expect(
      worstConfusions(
        [
          [5, 0],
          [0, 5],
        ],
        3,
      ),
    ).toEqual([])
  })
})

describe('resultTable', () => {
  it('has a line per network, with the lectures errors', () => {
    const runs = [sampleRun('mlp', 258, test), { ...sampleRun('cnn', 149, test, 3), complete: false }]
    expect(`\n${resultTable(sampleExperiment(runs))}\n`).toMatchInlineSnapshot(`
      "
      network                         parameters  epochs   loss     test errors   lectures' errors             time
      ------------------------------  ----------  -------  -------  ------------  ---------------------------  -----
      MLP 784-120-84-10               105214      15       0.03333  258 (2.58 %)  264                          19 s
      CNN 6@5x5 - 16@5x5 - 120-84-10  105214      3 of 15  0.1667   149 (1.49 %)  147 (15 epochs, all images)  3.8 s
      "
    `)
  })

  it('has no result of a run without an epoch', () => {
    expect(resultTable(sampleExperiment([interruptedRun()])).split('\n')[2]).toMatch(
      / 0 of 15 {2}- +- +264 \(15 epochs/,
    )
  })
})

const interruptedRun = () => ({ ...sampleRun('mlp', 900, test, 0), complete: false })
