import { build, type Dims, type Node, type NodeOf, parameter, showShape, sizeOf } from '@tessella/ir'
import { reference } from './reference/reference.ts'
import { Rng } from './rng.ts'

/** The gradients of `sum(output * seed)` with respect to `inputs`; undefined where there is no dependence. */
export type NodeVjp = (output: Node, inputs: readonly Node[], seed: Node) => readonly (Node | undefined)[]

/** A float64 input of the function under test. */
export interface GradInput {
  readonly shape: Dims
  /** Uniform elements; the default is [-1, 1]. */
  readonly range?: readonly [number, number]
  /** Instead of random elements, for functions that are smooth only in places. */
  readonly values?: readonly number[]
}

export interface GradcheckOptions {
  readonly vjp: NodeVjp
  /** Chooses elements and the cotangent. */
  readonly seed?: number
  /** Allowed |difference| relative to the larger of the two slopes and the largest gradient of the input. Default 1e-5. */
  readonly tolerance?: number
  /** Most elements checked per input; the rest is drawn. Default 40. */
  readonly samples?: number
}

/** Central differences err as step^2 by the third derivative and as 1e-16 / step by rounding. */
const stepFor = (x: number): number => 1e-5 * Math.max(1, Math.abs(x))

/**
 * Compares gradients with central differences, (L(x + h) - L(x - h)) / 2h for L = sum(fn(x) * cotangent), in float64 on
 * the reference. Throws with the worst element. `fn` must be smooth around the inputs.
 *
 * @example
 * await gradcheck(([x]) => build.unary('tanh', x), [{ shape: [3, 2] }], { vjp })
 */
export async function gradcheck(
  fn: (inputs: readonly Node[]) => Node,
  inputs: readonly GradInput[],
  options: GradcheckOptions,
): Promise<void> {
  const rng = new Rng(options.seed ?? 1)
  const backend = reference()
  const leaves = inputs.map(({ shape }) => parameter(shape, 'float64'))
  const data = inputs.map((input) => elements(input, rng))
  const output = fn(leaves)
  const seed = parameter(output.shape, 'float64')
  const cotangent = Float64Array.from({ length: sizeOf(output.shape) }, () => rng.real(0.5, 1.5) * rng.pick([-1, 1]))
  const axes = output.shape.map((_, i) => i)
  const loss = build.reduce('sum', build.mul(output, seed), axes)
  const gradients = options.vjp(output, leaves, seed)
  if (gradients.length !== leaves.length)
    throw new Error(`gradcheck: the vjp answered ${gradients.length} gradients for ${leaves.length} inputs`)

  const graphInputs: NodeOf<'parameter'>[] = [...leaves, seed]
  const run = async (program: ReturnType<typeof backend.prepare>): Promise<Float64Array[]> => {
    const buffers = [...data, cotangent].map((d) => backend.upload(d, 'float64'))
    const outputs = program.run(
      buffers,
      buffers.map(() => true),
    )
    const values = await Promise.all(outputs.map((b) => backend.read(b, 'float64')))
    for (const buffer of outputs) backend.release(buffer)
    return values
  }
  const lossProgram = backend.prepare({ inputs: graphInputs, outputs: [loss] })
  const present = gradients.flatMap((g, i) => (g ? [{ g, i }] : []))
  for (const { g, i } of present) checkShape(g, leaves[i] as Node, i)
  const computed = await run(backend.prepare({ inputs: graphInputs, outputs: present.map(({ g }) => g) }))
  const byInput = new Map(present.map(({ i }, n) => [i, computed[n] as Float64Array]))

  const lossAt = async (values: Float64Array, j: number, x: number): Promise<number> => {
    const old = values[j] as number
    values[j] = x
    const [result] = await run(lossProgram)
    values[j] = old
    return result?.[0] as number
  }
  for (const [i, values] of data.entries()) {
    const gradient = byInput.get(i) ?? new Float64Array(values.length)
    const scale = gradient.reduce((top, g) => Math.max(top, Math.abs(g)), 0)
    for (const j of chosen(values.length, options.samples ?? 40, rng)) {
      const x = values[j] as number
      const h = stepFor(x)
      const [up, down] = [x + h, x - h]
      const numeric = ((await lossAt(values, j, up)) - (await lossAt(values, j, down))) / (up - down)
      const analytic = gradient[j] as number
      const allowed = (options.tolerance ?? 1e-5) * Math.max(Math.abs(numeric), Math.abs(analytic), scale, 1e-3)
      if (!(Math.abs(numeric - analytic) <= allowed))
        throw new Error(
          `gradcheck: input ${i} element ${j} (${x}): the gradient is ${analytic}, central differences give ${numeric}`,
        )
    }
  }
}

function elements(input: GradInput, rng: Rng): Float64Array<ArrayBuffer> {
  const [low, high] = input.range ?? [-1, 1]
  const length = sizeOf(input.shape)
  if (input.values && input.values.length !== length)
    throw new Error(`gradcheck: ${input.values.length} values for shape ${showShape(input.shape)}`)
  return Float64Array.from(input.values ?? Array.from({ length }, () => rng.real(low, high)))
}

function checkShape(gradient: Node, leaf: Node, i: number): void {
  if (showShape(gradient.shape) !== showShape(leaf.shape) || gradient.dtype !== 'float64')
    throw new Error(
      `gradcheck: the gradient of input ${i} is ${gradient.dtype}${showShape(gradient.shape)}, the input ${leaf.dtype}${showShape(leaf.shape)}`,
    )
}

/** All positions when they are few, else some of them. */
function chosen(length: number, most: number, rng: Rng): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i)
  return Array.from({ length: most }, () => rng.integer(0, length - 1))
}
