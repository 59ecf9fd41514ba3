import type { Dispatch } from '../kernel.ts'
import { Shader } from '../wgsl/shader.ts'
import type { KernelContext } from './context.ts'
import { type MatrixTile, spareQuads } from './matrixPlan.ts'
import { panelStride } from './panel.ts'
import { overPanels, tileGroups } from './panelLoop.ts'
import type { Gemm, GemmSink } from './product.ts'

/** Panels of float16 in workgroup memory, multiplied by whole subgroups and summed in float32. */
export function emitMatrixGemm(gemm: Gemm, tile: MatrixTile, sink: GemmSink, context: KernelContext): Dispatch {
  const shader = new Shader(context)
  const { shape, lanes, down, across } = tile
  const { m, n, k } = shape
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
    { size, half: true, spare: spareQuads },
    {
      before: [
        `let own_m = (subgroup / ${across}) * ${(tile.rows * m) / 4};`,
        `let own_n = (subgroup % ${across}) * ${(tile.columns * n) / 4};`,
        ...sums(tile).map((name) => `var ${name} = Sums();`),
      ],
      each: [`for (var d = 0; d < ${tile.k}; d += ${k}) {`, ...productLines(tile), '}'],
      after: storeLines(shader, gemm, tile, sink),
    },
  )
  const label = `${gemm.label} in float16 matrices ${m}x${n}x${k}`
  return shader.finish({ label, size, groups: tileGroups(gemm, tile) * sink.splits, body, subgroup: lanes })
}

const sums = ({ rows, columns }: MatrixTile): string[] =>
  Array.from({ length: rows * columns }, (_, at) => `sum_${Math.floor(at / columns)}_${at % columns}`)

/** Places and strides of what is loaded count quads, of which the panels are made. */
function productLines({ m, n, shape, rows, columns }: MatrixTile): string[] {
  const [down, across] = [m, n].map((lines) => panelStride({ lines, spare: spareQuads }))
  const each = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i))
  const left = (i: number) => `&panel_a, d * ${down} + own_m + ${(i * shape.m) / 4}, ${down}`
  const right = (j: number) => `&panel_b, d * ${across} + own_n + ${(j * shape.n) / 4}, ${across}`
  return [
    ...each(rows, (i) => `let a${i} = subgroupMatrixLoad<Left, col_major>(${left(i)});`),
    ...each(columns, (j) => `let b${j} = subgroupMatrixLoad<Right, row_major>(${right(j)});`),
    ...each(rows, (i) =>
      each(columns, (j) => `sum_${i}_${j} = subgroupMatrixMultiplyAccumulate(a${i}, b${j}, sum_${i}_${j});`),
    ).flat(),
  ]
}

/** Elements of matrices are seen in memory only: one row of each subgroup's matrices leaves at a time. */
function storeLines(shader: Shader, gemm: Gemm, tile: MatrixTile, sink: GemmSink): string[] {
  const { shape, rows, columns, down, across, lanes } = tile
  const width = columns * shape.n
  const own = shape.m * width
  const all = down * across * own
  const isCut = sink.splits > 1
  shader.declare(`var<workgroup> leaving: array<f32, ${all}>;`)
  const given = ['tile_m', 'tile_n', 'batch', ...(isCut ? ['split'] : []), 'lane']
  // A function, so that the epilogue's text is there once.
  shader.declare(
    [
      `fn leave(i: i32, ${given.map((name) => `${name}: i32`).join(', ')}) {`,
      `for (var e = lane; e < ${all}; e += ${lanes * down * across}) {`,
      `let owner = e / ${own};`,
      `let r = tile_m * ${tile.m} + ((owner / ${across}) * ${rows} + i) * ${shape.m} + (e / ${width}) % ${shape.m};`,
      `let c = tile_n * ${tile.n} + (owner % ${across}) * ${width} + e % ${width};`,
      `if (r < ${gemm.m} && c < ${gemm.n}) {`,
      'let sum = leaving[e];',
      ...sink.lines(shader, 'batch', 'r', 'c', 'sum'),
      '}',
      '}',
      '}',
    ].join('\n'),
  )
  return Array.from({ length: rows }, (_, i) => i).flatMap((i) => [
    ...Array.from({ length: columns }, (_, j) => {
      const at = `subgroup * ${own} + ${j * shape.n}`
      return `subgroupMatrixStore<row_major>(&leaving, ${at}, sum_${i}_${j}, ${width});`
    }),
    'workgroupBarrier();',
    `leave(${i}, ${given.join(', ')});`,
    'workgroupBarrier();',
  ])
}
