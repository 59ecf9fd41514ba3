// Repeats the lifetime scripts and counts how they end:
// node --conditions=@tessella/source packages/backend-wgpu/test/scripts/lifetimes.ts [times] [script ...]
import { lifetimes, runScript } from '../support/runScript.ts'

const times = Number(process.argv[2] ?? 100)
const only = process.argv.slice(3)
let failures = 0
for (const [script, code, what] of lifetimes) {
  if (only.length > 0 && !only.includes(script)) continue
  let wrong = 0
  for (let i = 0; i < times; i++) {
    const ended = await runScript(script)
    if (ended.code === code) continue
    wrong++
    console.log(`${script} ended with ${ended.code}, not ${code}\n${ended.output}`)
  }
  failures += wrong
  console.log(`${script} (${what}): ${times - wrong} of ${times} ended with ${code}`)
}
process.exitCode = failures > 0 ? 1 : 0
