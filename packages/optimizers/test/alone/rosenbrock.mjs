// Run by alone.test.ts in a folder that has only the packed tiles named there.
import { cpu } from '@tessella/backend-cpu'
import { adam, optimizer } from '@tessella/optimizers'
import { compile, stack, tensor, useBackend, Variable } from '@tessella/tensor'

await useBackend(cpu())
const w = new Variable(tensor([-1, 1]))
const opt = optimizer(adam(0.1), { w })
const step = compile(() => {
  const [x, y] = [w.value.slice(0), w.value.slice(1)]
  const rise = y.sub(x.square())
  const loss = x.sub(1).square().add(rise.square().mul(100))
  const dx = x.sub(1).mul(2).sub(rise.mul(x).mul(400))
  opt.update({ w: stack([dx, rise.mul(200)]) })
  return loss
})
for (let i = 0; i < 800; i++) step()
const missing = await Promise.all(
  ['layers', 'autograd', 'losses', 'training'].map((name) =>
    import(`@tessella/${name}`).then(
      () => `${name} is here`,
      (error) => error.code,
    ),
  ),
)
console.log(JSON.stringify({ loss: await step().item(), at: await w.value.array(), missing }))
