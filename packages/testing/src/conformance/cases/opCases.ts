import type { OpName } from '@tessella/ir'
import type { Case, NonEmpty } from '../case.ts'
import { binaryShapeCases } from './binaryCases.ts'
import { convCases, convGradInputCases, convGradWeightCases } from './convCases.ts'
import { castCases, selectCases } from './elementwiseCases.ts'
import { argsortCases, gatherCases, scatterAddCases } from './indexCases.ts'
import { matmulCases } from './matmulCases.ts'
import { maxPoolCases, maxPoolGradCases, maxPoolPickCases } from './poolCases.ts'
import { argReduceCases, cumulativeCases, reduceCases } from './reduceCases.ts'
import {
  afterCases,
  aliasCases,
  constantCases,
  customCases,
  iotaCases,
  parameterCases,
  randomBitsCases,
  stopGradientCases,
} from './sourceCases.ts'
import { unaryShapeCases } from './unaryCases.ts'
import { concatCases, expandCases, flipCases, padCases, permuteCases, reshapeCases, sliceCases } from './viewCases.ts'

/** The cases of every operation; an operation without a case does not compile. */
export const opCases: { readonly [K in OpName]: NonEmpty<Case> } = {
  constant: constantCases,
  parameter: parameterCases,
  iota: iotaCases,
  unary: unaryShapeCases,
  binary: binaryShapeCases,
  select: selectCases,
  cast: castCases,
  reduce: [...reduceCases.sum, ...reduceCases.prod, ...reduceCases.max, ...reduceCases.min],
  argReduce: argReduceCases,
  cumulative: cumulativeCases,
  matmul: matmulCases,
  conv: convCases,
  convGradInput: convGradInputCases,
  convGradWeight: convGradWeightCases,
  maxPool: maxPoolCases,
  maxPoolGrad: maxPoolGradCases,
  maxPoolPick: maxPoolPickCases,
  gather: gatherCases,
  scatterAdd: scatterAddCases,
  argsort: argsortCases,
  reshape: reshapeCases,
  permute: permuteCases,
  expand: expandCases,
  slice: sliceCases,
  flip: flipCases,
  pad: padCases,
  concat: concatCases,
  randomBits: randomBitsCases,
  alias: aliasCases,
  stopGradient: stopGradientCases,
  after: afterCases,
  custom: customCases,
}
