import { describe, expect, it } from 'vitest'
import { lifetimes, runScript } from './support/runScript.ts'

describe('a process that uses WebGPU', () => {
  it.concurrent.each(lifetimes)(
    '%s: ends with %i (%s)',
    async (script, code) => {
      const ended = await runScript(script)
      expect(ended.code, ended.output).toBe(code)
      if (code === 0) expect(ended.output).toBe('')
    },
    70_000,
  )
})
