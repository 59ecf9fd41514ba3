import * as autograd from '@tessella/autograd'
import * as backendCpu from '@tessella/backend-cpu'
import * as backendWgpu from '@tessella/backend-wgpu'
import * as datasets from '@tessella/datasets'
import * as layers from '@tessella/layers'
import * as losses from '@tessella/losses'
import * as optimizers from '@tessella/optimizers'
import * as regularizers from '@tessella/regularizers'
import * as tensor from '@tessella/tensor'
import * as training from '@tessella/training'
import { describe, expect, it } from 'vitest'
import * as all from '../src/index.ts'

const tiles = {
  autograd,
  backendCpu,
  backendWgpu,
  datasets,
  layers,
  losses,
  optimizers,
  regularizers,
  tensor,
  training,
}
/** Names that others have as well, reachable under a namespace or another name. */
const reachable = new Map<unknown, string>([
  ...Object.entries(all.functional).map(([name, value]) => [value, `functional.${name}`] as const),
  ...Object.entries(all.layers).map(([name, value]) => [value, `layers.${name}`] as const),
  ...Object.entries(all).map(([name, value]) => [value, name] as const),
])

describe('tessella', () => {
  it.each(Object.entries(tiles))('has every export of %s', (_, tile) => {
    const lost = Object.entries(tile).filter(([, value]) => !reachable.has(value))
    expect(lost.map(([name]) => name)).toEqual([])
  })

  it('gives layers the names that functions have too', () => {
    expect([all.relu, all.conv2d, all.linear]).toEqual([layers.relu, layers.conv2d, layers.linear])
    expect([all.zeros, all.normal]).toEqual([tensor.zeros, tensor.normal])
  })
})
