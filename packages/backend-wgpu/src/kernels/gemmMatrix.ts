import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import type { KernelContext } from './context.ts'
import { type MatrixTile, spareQuads } from './matrixPlan.ts'
import { panelStride } from './panel.ts'
import { overPanels, tileGroups } from './panelLoop.ts'
import type { Gemm, GemmSink } from './product.ts'

/**
 * Panels of float16 in workgroup memory, multiplied by whole subgroups and summed in float32. Of operands that are two of
 * float16 each, three of the four products are made; those with a rest have sums of their own, 2 ** 11 times as large
 * (Ootomo and Yokota, arXiv:2203.03341).
 */
export function emitMatrixGemm(gemm: Gemm, tile: MatrixTile, sink: GemmSink, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const { shape, down, across } = tile
  const { m, n, k, lanes } = shape
  const size = lanes * down * across
  shader.direct(
    'enable f16;',
    'enable chromium_experimental_subgroup_matrix;',
    // The number of a subgroup is the same in all of it, which the checks of uniformity do not know.
    'diagnostic(off, chromium.subgroup_matrix_uniformity);',
  )
  shader.declare(`alias Left = subgroup_matrix_left<f16, ${k}, ${m}>;`)
  shader.declare(`alias Right = subgroup_matrix_right<f16, ${n}, ${k}>;`)
  shader.declare(`alias Sums = subgroup_matrix_result<f32, ${n}, ${m}>;`)
  const body = overPanels(
    shader,
    gemm,
    tile,
    sink,
    { size, holds: tile.holds, spare: spareQuads },
    {
      before: [
        `let own_m = (subgroup / ${across}) * ${(tile.rows * m) / 4};`,
        `let own_n = (subgroup % ${across}) * ${(tile.columns * n) / 4};`,
        ...sums(tile).map((name) => `var ${name} = Sums();`),
        ...(tile.holds === 'float16' ? [] : sums(tile).map((name) => `var ${name}_rest = Sums();`)),
      ],
      each: [`for (var d = 0; d < ${tile.k}; d += ${k}) {`, ...productLines(tile), '}'],
      after: storeLines(shader, gemm, tile, sink),
    },
  )
  const label = `${gemm.label} in matrices of ${tile.holds} ${m}x${n}x${k}`
  return shader.finish({ label, size, groups: tileGroups(gemm, tile) * sink.splits, body, subgroup: lanes })
}

const sums = ({ rows, columns }: MatrixTile): string[] =>
  Array.from({ length: rows * columns }, (_, at) => `sum_${Math.floor(at / columns)}_${at % columns}`)

const each = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))

/** Places and strides of what is loaded count quads, of which the panels are made. */
function productLines({ m, n, shape, rows, columns, holds }: MatrixTile): string[] {
  const [down, across] = [m, n].map((lines) => panelStride({ lines, spare: spareQuads }))
  const left = (part: string, i: number) =>
    `let a${i}${part} = subgroupMatrixLoad<Left, col_major>(&panel_a${part}, d * ${down} + own_m + ${(i * shape.m) / 4}, ${down});`
  const right = (part: string, j: number) =>
    `let b${j}${part} = subgroupMatrixLoad<Right, row_major>(&panel_b${part}, d * ${across} + own_n + ${(j * shape.n) / 4}, ${across});`
  const parts = holds === 'float16' ? [''] : ['', '_rest']
  // Which product of parts goes to which sum.
  const terms = [
    ['', '', ''],
    ...(holds === 'float16'
      ? []
      : [
          ['', '_rest', '_rest'],
          ['_rest', '', '_rest'],
        ]),
  ]
  return [
    ...parts.flatMap((part) => [...each(rows, (i) => left(part, i)), ...each(columns, (j) => right(part, j))]),
    ...terms.flatMap(([a, b, to]) =>
      each(rows * columns, (at) => {
        const [i, j] = [Math.floor(at / columns), at % columns]
        const sum = `sum_${i}_${j}${to}`
        return `${sum} = subgroupMatrixMultiplyAccumulate(a${i}${a}, b${j}${b}, ${sum});`
      }),
    ),
  ]
}

/** Elements of matrices are seen in memory only: one row of each subgroup's matrices leaves at a time. */
function storeLines(shader: Shader, gemm: Gemm, tile: MatrixTile, sink: GemmSink): string[] {
  const { shape, rows, columns, down, across, holds } = tile
  const width = columns * shape.n
  const own = shape.m * width
  const all = down * across * own
  const isCut = sink.splits > 1
  const parts = holds === 'float16' ? [''] : ['', '_rest']
  for (const part of parts) shader.declare(`var<workgroup> leaving${part}: array<f32, ${all}>;`)
  const given = ['tile_m', 'tile_n', 'batch', ...(isCut ? ['split'] : []), 'lane']
  // A function, so that the epilogue's text is there once.
  shader.declare(
    [
      `fn leave(i: i32, ${given.map((name) => `${name}: i32`).join(', ')}) {`,
      `for (var e = lane; e < ${all}; e += ${shape.lanes * down * across}) {`,
      `let owner = e / ${own};`,
      `let r = tile_m * ${tile.m} + ((owner / ${across}) * ${rows} + i) * ${shape.m} + (e / ${width}) % ${shape.m};`,
      `let c = tile_n * ${tile.n} + (owner % ${across}) * ${width} + e % ${width};`,
      `if (r < ${gemm.m} && c < ${gemm.n}) {`,
      `let sum = leaving[e]${holds === 'float16' ? '' : ' + leaving_rest[e] * 0x1p-11f'};`,
      ...sink.lines(shader, 'batch', 'r', 'c', 'sum'),
      '}',
      '}',
      '}',
    ].join('\n'),
  )
  return each(rows, (i) => [
    ...parts.flatMap((part) =>
      each(columns, (j) => {
        const at = `subgroup * ${own} + ${j * shape.n}`
        return `subgroupMatrixStore<row_major>(&leaving${part}, ${at}, sum_${i}_${j}${part}, ${width});`
      }),
    ),
    'workgroupBarrier();',
    `leave(${i}, ${given.join(', ')});`,
    'workgroupBarrier();',
  ]).flat()
}
