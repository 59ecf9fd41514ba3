import type { DType } from '@tessella/ir'
import { type Coverage, coverage } from '@tessella/testing/conformance'

/** A backend as far as the table needs it. */
export interface Column {
  readonly name: string
  readonly dtypes: ReadonlySet<DType>
}

const gradientText = ({ gradients }: Coverage): string => {
  if (gradients === 'none') return 'has none'
  return gradients === 'special' ? 'own test' : `${gradients} × 2 orders`
}

/** Cases that run on a backend; those with a dtype it lacks are refused, which the suite checks too. */
const casesOn = ({ dtypes }: Column, { cases }: Coverage): number =>
  cases.filter((needed) => [...needed].every((dtype) => dtypes.has(dtype))).length

const rowOf = (entry: Coverage, columns: readonly Column[]): string =>
  `| ${[`\`${entry.group}\``, ...columns.map((column) => casesOn(column, entry)), gradientText(entry)].join(' | ')} |`

/** The page docs/operations.md. */
export function matrixPage(columns: readonly Column[]): string {
  const rows = coverage()
  const count = (column: Column) => rows.reduce((sum, entry) => sum + casesOn(column, entry), 0)
  const total = ['**all**', ...columns.map(count), ''].join(' | ')
  return `# Operations, backends, gradients

Which cases of the conformance suite hold each operation and scalar function of the language on each backend against the reference
interpreter, and how many functions hold its gradient against central differences, first and second order. Made by
\`node --conditions=@tessella/source packages/tessella/test/scripts/matrix.ts\`; a test fails when the page is out of date or has a hole.

| Operation | ${columns.map(({ name }) => name).join(' | ')} | Gradient |
| --- | ${columns.map(() => '---: |').join(' ')} --- |
${rows.map((entry) => rowOf(entry, columns)).join('\n')}
| ${total} |

Dtypes: ${columns.map(({ name, dtypes }) => `${name} has ${[...dtypes].join(', ')}`).join('; ')}. A case with a dtype that a
backend lacks must be refused there with \`unsupported-dtype\`.
`
}

/** Entries without a case on some backend. */
export const holes = (columns: readonly Column[]): string[] =>
  coverage().flatMap((entry) =>
    columns.filter((column) => casesOn(column, entry) === 0).map(({ name }) => `${entry.group} on ${name}`),
  )
