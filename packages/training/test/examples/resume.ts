import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cpu } from '@tessella/backend-cpu'
import { adam, optimizer } from '@tessella/optimizers'
import { tensor, useBackend, Variable } from '@tessella/tensor'
import { loadCheckpoint, saveCheckpoint, TrainingError } from '@tessella/training'

await useBackend(cpu())
const path = join(tmpdir(), `tessella-example-${crypto.randomUUID()}.safetensors`)

const model = { w: new Variable(tensor([1, 2])) }
const opt = optimizer(adam(0.1), model)
opt.update({ w: tensor([1, 1]) })
// Every Variable that training changes belongs in it: the generators of dropout too.
await saveCheckpoint(path, { model, optimizer: opt.state }, { epoch: 3 })

const later = { w: new Variable(tensor([0, 0])) }
const state = { model: later, optimizer: optimizer(adam(0.1), later).state }
const progress = await loadCheckpoint<{ epoch: number }>(path, state)
console.log(
  progress?.epoch,
  Array.from(await later.w.value.data(), (v) => v.toFixed(1)),
) //=> 3 [ '0.9', '1.9' ]

try {
  await loadCheckpoint(path, { model: later })
} catch (error) {
  if (error instanceof TrainingError) console.log(error.code) //=> mismatched-checkpoint
}
await rm(path)
