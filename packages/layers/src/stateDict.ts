import { namedVariables, OpError, type Shape, sameShape, type Tensor, type Variable } from '@tessella/tensor'
import { checkOptions } from './checks.ts'
import { namedRecipes } from './recipe.ts'

/** Tensors by dotted name, as `state_dict()` in PyTorch: `0.weight`, `conv1.bias`, `bn.runningMean`. */
export type StateDict = Readonly<Record<string, Tensor>>

/** What is saved: parameters and running statistics, not the random states of dropout. */
function savedVariables(model: unknown): Record<string, Variable> {
  const random = new Set(namedRecipes(model).flatMap(([, r]) => (r.role === 'random' ? [r.target] : [])))
  return Object.fromEntries(Object.entries(namedVariables(model)).filter(([, v]) => !random.has(v)))
}

/**
 * The parameters and running statistics of a model as they are now. Names and layouts are PyTorch's, in camelCase.
 * @example const saved = stateDict(model); // train on; then go back:
 * loadStateDict(model, saved)
 */
export const stateDict = (model: unknown): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(savedVariables(model)).map(([name, v]) => [name, v.value]))

/** A tensor that does not have the shape of its Variable. */
export interface WrongShape {
  readonly name: string
  readonly expected: Shape
  readonly got: Shape
}

/** What a state dictionary lacks, has too much, or has in other shapes. Nothing was changed. */
export class StateDictError extends OpError {
  override readonly name: string = 'StateDictError'
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
  readonly wrongShapes: readonly WrongShape[]

  constructor(missing: readonly string[], unexpected: readonly string[], wrongShapes: readonly WrongShape[]) {
    const wrong = wrongShapes.map((w) => `'${w.name}' is [${w.got.join(', ')}] instead of [${w.expected.join(', ')}]`)
    const problems = [
      ...(missing.length > 0 ? [`missing: ${listed(missing)}`] : []),
      ...(unexpected.length > 0 ? [`unexpected: ${listed(unexpected)}`] : []),
      ...(wrong.length > 0 ? [wrong.slice(0, 8).join(', ')] : []),
    ]
    super('loadStateDict', `the state does not fit the model; ${problems.join('; ')}`, {
      hint:
        wrongShapes.length > 0
          ? 'Build the model with the sizes that were saved.'
          : 'Build the same model, or pass { strict: false } to load what fits.',
    })
    this.missing = missing
    this.unexpected = unexpected
    this.wrongShapes = wrongShapes
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((n) => `'${n}'`)
  return names.length > 8 ? `${shown.join(', ')} and ${names.length - 8} more` : shown.join(', ')
}

/** PyTorch's `running_mean` is `runningMean` here. */
const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase())

/** Settings of {@link loadStateDict}. */
export interface LoadOptions {
  /** Missing and unexpected names are errors. Default true. */
  readonly strict?: boolean
}

/** What did not take part in a load that is not strict. */
export interface LoadReport {
  readonly missing: readonly string[]
  readonly unexpected: readonly string[]
}

/**
 * Assigns a state dictionary to a model, all or nothing. Names may be PyTorch's (`running_mean`); dtypes are cast.
 * Throws {@link StateDictError} that lists missing and unexpected names (unless `strict` is false) and wrong shapes.
 */
export function loadStateDict(model: unknown, state: StateDict, options: LoadOptions = {}): LoadReport {
  checkOptions('loadStateDict', options, ['strict'])
  const { strict = true } = options
  const variables = savedVariables(model)
  const given = new Map(
    Object.entries(state).map(([name, value]) => [name in variables ? name : camelCase(name), { name, value }]),
  )
  // A counter that older PyTorch files do not have.
  const optional = (name: string): boolean => /(^|\.)numBatchesTracked$/.test(name)
  const missing = Object.keys(variables).filter((name) => !given.has(name) && !optional(name))
  const unexpected = [...given].filter(([name]) => !(name in variables)).map(([, entry]) => entry.name)
  const pairs = [...given].flatMap(([name, { value }]) => {
    const variable = variables[name]
    return variable === undefined ? [] : [{ name, variable, value }]
  })
  const wrongShapes = pairs
    .filter(({ variable, value }) => !sameShape(variable.shape, value.shape))
    .map(({ name, variable, value }) => ({ name, expected: variable.shape, got: value.shape }))
  if (wrongShapes.length > 0 || (strict && missing.length + unexpected.length > 0))
    throw new StateDictError(strict ? missing : [], strict ? unexpected : [], wrongShapes)
  for (const { variable, value } of pairs) variable.assign(value.cast(variable.dtype))
  return { missing, unexpected }
}
