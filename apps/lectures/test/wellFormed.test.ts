import { describe, expect, it } from 'vitest'
import { markupProblems } from './support/wellFormed.ts'

describe('markupProblems', () => {
  it.each(['<p>a<br>b</p>', '<svg viewBox="0 0 1 1"><path d="M0,0"/></svg>', 'a &amp; b', '<img alt="">'])(
    'finds nothing wrong with %s',
    (markup) => expect(markupProblems(markup)).toEqual([]),
  )

  it.each(['<p>', '<p><b></p></b>', '</p>', '<p class=x></p>', '<p id="a" id="b"></p>', 'a < b', 'a > b', 'a & b'])(
    'finds the fault of %s',
    (markup) => expect(markupProblems(markup)).not.toEqual([]),
  )
})
