import { writeFileAtomic } from '../../src/checkpointFile.ts'

// Run as a process of its own, to be killed in the middle of the second write.
const path = process.argv[2] as string
await writeFileAtomic(path, 'old')
console.log('ready')
await writeFileAtomic(path, new Uint8Array(256 * 2 ** 20).fill(1))
console.log('done')
