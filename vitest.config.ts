import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

/** Workspace packages resolve to their sources, so that tests need no build. */
const conditions = ['@tessella/source']

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: [...conditions, 'module', 'node', 'development|production'] } },
  test: {
    include: ['**/test/**/*.test.ts'],
    passWithNoTests: true,
    // No test waits on purpose for long; a busy machine is no failure.
    testTimeout: 60_000,
  },
})
