/*
 * Not a test: the memory of training steps, beside what must be there at once (see support/live.ts).
 *   node --conditions=@tessella/source packages/backend-cpu/test/memoryReport.ts [batch,...] [threads]
 */
import { adam, sgd } from '@tessella/optimizers'
import { disposeBackend } from '@tessella/tensor'
import { type NetworkName, networks, training } from './support/lectures.ts'
import { needOf } from './support/live.ts'
import { Recorder } from './support/recorder.ts'

const [batches = '64,1000', threads = '2'] = process.argv.slice(2)
const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(2).padStart(9)

console.log('MB                       live   inputs,    arena   ratio     heap,   pages of')
console.log('                  temporaries  outputs                    at most   the memory')
for (const name of Object.keys(networks) as NetworkName[])
  for (const [optimizer, transform] of Object.entries({ sgd: sgd(0.1), adam: adam(1e-3) }))
    for (const batch of batches.split(',').map(Number)) {
      const backend = new Recorder({ threads: Number(threads) })
      const { step } = await training(backend, name, transform, batch)
      for (let i = 0; i < 10; i++) await step().item()
      const { program, executable } = backend.largest
      const { ends, temporaries } = needOf(program)
      const { peakBytes = 0, reservedBytes = 0 } = backend.memory()
      const ratio = ((executable.arenaBytes + ends) / (temporaries + ends)).toFixed(2).padStart(7)
      const sizes = [temporaries, ends, executable.arenaBytes].map(mb).join('')
      console.log(
        `${name} ${optimizer} ${batch}`.padEnd(20) + sizes + ratio + [peakBytes, reservedBytes].map(mb).join('  '),
      )
      disposeBackend()
    }
process.exit()
